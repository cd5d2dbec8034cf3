/** A rate card as a form has it, and back. All is text: what is empty is not said. */

import type { RateCardSpec } from '../../api/statements';

export interface Negotiated {
  cost_center: string;
  provider: string;
  model: string;
  meter: string;
  usd_per_million: string;
  markup_percent: string;
}

export interface Reserved {
  name: string;
  monthly_usd: string;
  provider: string;
  models: string;
  owner: string;
  idle: string;
}

export interface Shared {
  name: string;
  monthly_usd: string;
  split: string;
  /** `cc-100-platform: 300, cc-200-data: 50` */
  fixed: string;
}

export interface ExchangeRate {
  from: string;
  per_usd: string;
}

export interface Form {
  from: string;
  until: string;
  markup_percent: string;
  negotiated: Negotiated[];
  reserved: Reserved[];
  shared: Shared[];
  mode: string;
  per: string;
  currency: string;
  exchange_rates: ExchangeRate[];
}

export const NEW: {
  [List in 'negotiated' | 'reserved' | 'shared' | 'exchange_rates']: () => Form[List][number];
} = {
  negotiated: () => ({
    cost_center: '',
    provider: '',
    model: '',
    meter: '',
    usd_per_million: '',
    markup_percent: '',
  }),
  reserved: () => ({
    name: '',
    monthly_usd: '',
    provider: '',
    models: '',
    owner: '',
    idle: 'proportional',
  }),
  shared: () => ({ name: '', monthly_usd: '', split: 'even', fixed: '' }),
  exchange_rates: () => ({ from: '', per_usd: '' }),
};

const text = (value: unknown): string =>
  value === null || value === undefined ? '' : String(value as string | number);

const list = <T>(value: T[] | null | undefined): T[] => value ?? [];

export function formOf(spec: Partial<RateCardSpec>): Form {
  return {
    from: text(spec.from),
    until: text(spec.until),
    markup_percent: text(spec.markup_percent),
    negotiated: list(spec.negotiated).map((rate) => ({
      cost_center: text(rate.cost_center),
      provider: text(rate.provider),
      model: text(rate.model),
      meter: text(rate.meter),
      usd_per_million: text(rate.usd_per_million),
      markup_percent: text(rate.markup_percent),
    })),
    reserved: list(spec.reserved).map((of) => ({
      name: text(of.name),
      monthly_usd: text(of.monthly_usd),
      provider: text(of.provider),
      models: list(of.models).join(', '),
      owner: text(of.owner),
      idle: text(of.idle),
    })),
    shared: list(spec.shared).map((of) => ({
      name: text(of.name),
      monthly_usd: text(of.monthly_usd),
      split: text(of.split),
      fixed: Object.entries(of.fixed ?? {})
        .map(([center, amount]) => `${center}: ${String(amount)}`)
        .join(', '),
    })),
    mode: spec.rounding?.mode ?? 'half_up',
    per: spec.rounding?.per ?? 'statement',
    currency: text(spec.currency),
    exchange_rates: list(spec.exchange_rates).map((rate) => ({
      from: text(rate.from),
      per_usd: text(rate.per_usd),
    })),
  };
}

const words = (value: string): string[] =>
  value
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

function fixedOf(value: string): Record<string, string> {
  return Object.fromEntries(
    words(value).map((pair) => {
      const [center = '', amount = ''] = pair.split(/[:=]/).map((part) => part.trim());
      return [center, amount];
    }),
  );
}

/** Without what is not said. */
function said(of: object): object {
  const entries = Object.entries(of).flatMap(([field, value]: [string, unknown]) => {
    const kept = typeof value === 'string' ? value.trim() : value;
    const isEmpty =
      kept === '' || (typeof kept === 'object' && kept !== null && Object.keys(kept).length === 0);
    return isEmpty ? [] : [[field, kept] as const];
  });
  return Object.fromEntries(entries);
}

/** The server checks it all, and names the field. */
export function specOf(form: Form): RateCardSpec {
  const { mode, per, ...rest } = form;
  const spec = {
    ...rest,
    markup_percent: form.markup_percent.trim() || '0',
    negotiated: form.negotiated.map(said),
    reserved: form.reserved.map((of) => said({ ...of, models: words(of.models) })),
    shared: form.shared.map((of) =>
      said({ ...of, fixed: of.split === 'fixed' ? fixedOf(of.fixed) : {} }),
    ),
    rounding: { mode, per },
    exchange_rates: form.exchange_rates.map(said),
  };
  return said(spec) as RateCardSpec;
}
