/** A baseline beside what is used now: both as 30 days would be. */

import type { BaselineSpec } from '../../api/catalog';
import { totalOf } from '../../api/query';
import type { QueryResult } from '../../api/types';
import { change, count, money, numberOf } from '../../format';

const DAY_MS = 86_400_000;
const DAYS = 30;

export interface Compared {
  label: string;
  /** In numbers for the bars; null is not known. */
  before: number | null;
  now: number | null;
  format: (value: number | null) => string;
  change: string | null;
}

export function compared(baseline: BaselineSpec, now: QueryResult | null): Compared[] {
  const span = new Date(baseline.until).getTime() - new Date(baseline.from).getTime();
  const scale = (DAYS * DAY_MS) / Math.max(1, span);
  const scaled = (value: string | number) => (numberOf(value) ?? 0) * scale;
  const usd = (value: number | null) => money(value);
  // Parts of a call in thirty days say nothing.
  const whole = (value: number | null) => count(value === null ? null : Math.round(value));
  const line = (
    label: string,
    before: number | null,
    after: number | null,
    format: Compared['format'],
  ): Compared => ({ label, before, now: after, format, change: change(after, before) });
  const measured = (name: string) => numberOf(totalOf(now, name));
  return [
    line('Spend', scaled(baseline.spend_usd), measured('spend_usd'), usd),
    line('Calls', scaled(baseline.calls), measured('calls'), whole),
    line('Tokens', scaled(baseline.tokens), measured('tokens'), whole),
    line(
      'Cost per successful task',
      numberOf(baseline.cost_per_successful_task_usd),
      measured('cost_per_successful_task_usd'),
      usd,
    ),
  ];
}
