/** What no entry explains, as rows; and what a registration says. */

import type { Registration, Unexplained } from '../../api/catalog';
import { money, numberOf } from '../../format';
import type { Part } from '../../ui/StackBar.svelte';
import { matches } from '../people/groups';

const NAMES_MOST = 2;
const COLOURS = ['var(--c1)', 'var(--c2)', 'var(--c3)'];

/** What its calls said of themselves, best first. */
export function titleOf({ application, user_agent, key }: Unexplained): string {
  return application ?? user_agent ?? key ?? 'Calls that say nothing of themselves';
}

export const rowKey = ({ key, application, user_agent }: Unexplained): string =>
  JSON.stringify([key, application, user_agent]);

/** The dearest models by themselves, the rest together. */
export function partsOf({ models }: Unexplained): Part[] {
  const shown = models.slice(0, COLOURS.length);
  const rest = models.slice(COLOURS.length);
  const parts = shown.map((model, at): Part => ({
    label: model.model,
    value: numberOf(model.spend_usd) ?? 0,
    colour: COLOURS[at] ?? 'var(--unknown)',
    text: money(model.spend_usd),
  }));
  if (rest.length === 0) return parts;
  const sum = rest.reduce((total, model) => total + (numberOf(model.spend_usd) ?? 0), 0);
  const label = `${rest.length} other${rest.length === 1 ? '' : 's'}`;
  return [...parts, { label, value: sum, colour: 'var(--unknown)', text: money(sum) }];
}

/** claude-opus-4-8, claude-haiku-4-5 and 2 more */
export function modelWords({ models }: Unexplained): string {
  const names = models.slice(0, NAMES_MOST).map(({ model }) => model);
  const more = models.length - names.length;
  return names.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

export function isFound(row: Unexplained, search: string): boolean {
  const texts = [row.key, row.application, row.user_agent, row.likely_owner, row.registered_as];
  const models = row.models.map(({ model }) => model);
  return matches(search, ...[...texts, ...models].map((text) => text ?? undefined));
}

/** What is still to be done first, the dearest first in both. */
export function byWork(rows: Unexplained[]): Unexplained[] {
  const done = (row: Unexplained) => Number(Boolean(row.registered_as));
  return rows.toSorted((a, b) => done(a) - done(b));
}

export interface Fields {
  name: string;
  owner: string;
  cost_center: string;
  purpose: string;
  environment: string;
  data_class: string;
  vendor: string;
  monthly_cost: string;
}

export function fieldsOf(row: Unexplained | null): Fields {
  return {
    name: row?.suggested_name ?? '',
    owner: row?.likely_owner ?? '',
    cost_center: '',
    purpose: '',
    environment: row ? 'experimentation' : 'production',
    data_class: 'internal',
    vendor: '',
    monthly_cost: '',
  };
}

/**
 * What is sent: a row of the inventory, or, without one, a tool entered by hand. In production
 * a workload has to promise more than is known of it here: it stays what it is, discovered.
 */
export function registrationOf(fields: Fields, row: Unexplained | null): Registration {
  const said = (field: keyof Fields) => fields[field].trim() || undefined;
  const isWhole = !row || fields.environment !== 'production';
  const spec = {
    owner: fields.owner,
    ...(said('cost_center') ? { cost_center: said('cost_center') } : {}),
    ...(said('purpose') ? { purpose: said('purpose') } : {}),
    environment: fields.environment,
    data_class: fields.data_class,
    state: isWhole ? 'registered' : 'discovered',
    ...(row
      ? {}
      : { metered: false, vendor: said('vendor'), monthly_cost_usd: said('monthly_cost') }),
  } as Registration['spec'];
  const known = (value: string | null | undefined) => value ?? undefined;
  return {
    name: fields.name.trim(),
    ...(row
      ? {
          key: known(row.key),
          application: known(row.application),
          user_agent: known(row.user_agent),
        }
      : {}),
    spec,
  };
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._\-@:/+]{0,127}$/;
const DOLLARS = /^\d{1,12}(\.\d{1,12})?$/;

export function flawsOf(fields: Fields, isTool: boolean): Partial<Record<keyof Fields, string>> {
  const flaws: Partial<Record<keyof Fields, string>> = {};
  if (!NAME.test(fields.name.trim())) {
    flaws.name = 'Letters, digits and . _ - are allowed; begin with a letter or a digit.';
  }
  if (!fields.owner.trim()) flaws.owner = 'Somebody has to answer for it.';
  if (isTool && !fields.vendor.trim()) flaws.vendor = 'Who sells it?';
  if (isTool && !DOLLARS.test(fields.monthly_cost.trim())) {
    flaws.monthly_cost = 'Dollars, such as 400 or 12.50.';
  }
  return flaws;
}
