/** Amounts of budgets: dollars, tokens or calls, exact whatever their size. */

import type { BudgetLimit } from '../../api/budgets';
import { type Decimal, add, parseDecimal, rescale, subtract, toText } from '../../decimal';
import { NONE, count, countExact, money, moneyExact } from '../../format';

export type BudgetUnit = 'usd' | 'tokens' | 'requests';

const ZERO: Decimal = { digits: 0n, scale: 0 };

export function unitOf(limit: BudgetLimit): BudgetUnit {
  if ('usd' in limit) return 'usd';
  return 'tokens' in limit ? 'tokens' : 'requests';
}

/** The decimal string of an amount. */
export function textOf(limit: BudgetLimit): string {
  if ('usd' in limit) return limit.usd;
  return String('tokens' in limit ? limit.tokens : limit.requests);
}

export function decimalOfLimit(limit: BudgetLimit | null | undefined): Decimal {
  return (limit && parseDecimal(textOf(limit))) ?? ZERO;
}

export function limitOf(unit: BudgetUnit, text: string): BudgetLimit {
  if (unit === 'usd') return { usd: text };
  // A number holds counts only so far; beyond, the digits go as they are.
  const amount = Number.isSafeInteger(Number(text)) ? Number(text) : text;
  return unit === 'tokens' ? { tokens: amount } : { requests: amount };
}

export function plus(a: BudgetLimit, b: BudgetLimit): BudgetLimit {
  return limitOf(unitOf(a), toText(add(decimalOfLimit(a), decimalOfLimit(b))));
}

/** What is left; below zero where more was used. */
export function minus(a: BudgetLimit, b: BudgetLimit): BudgetLimit {
  return limitOf(unitOf(a), toText(subtract(decimalOfLimit(a), decimalOfLimit(b))));
}

export function isZero(limit: BudgetLimit | null | undefined): boolean {
  return decimalOfLimit(limit).digits === 0n;
}

export function compare(a: BudgetLimit, b: BudgetLimit): number {
  const { digits } = subtract(decimalOfLimit(a), decimalOfLimit(b));
  return digits === 0n ? 0 : digits < 0n ? -1 : 1;
}

/** How much of the whole; cut to six decimals, so that 99.99999 % is not yet all. */
export function shareOf(part: BudgetLimit, whole: BudgetLimit): number {
  const a = decimalOfLimit(part);
  const b = decimalOfLimit(whole);
  if (b.digits <= 0n) return a.digits > 0n ? Infinity : 0;
  const scale = Math.max(a.scale, b.scale);
  const millionths = (rescale(a, scale).digits * 1_000_000n) / rescale(b, scale).digits;
  return Number(millionths) / 1_000_000;
}

const NOUNS: Record<BudgetUnit, [one: string, many: string]> = {
  usd: ['USD', 'USD'],
  tokens: ['token', 'tokens'],
  requests: ['call', 'calls'],
};

/** What is counted, such as `tokens`. */
export function noun(unit: BudgetUnit): string {
  return NOUNS[unit][1];
}

/** $1,234.50 or 1.23M, without a unit for counts. */
export function brief(limit: BudgetLimit | null | undefined): string {
  if (!limit) return NONE;
  if ('usd' in limit) {
    const value = decimalOfLimit(limit);
    const whole = rescale(value, 0);
    const size = Math.abs(Number(whole.digits));
    const isRound = subtract(value, whole).digits === 0n;
    return size < 10_000 && (isRound || size >= 1_000) ? money(limit.usd, 0) : money(limit.usd);
  }
  return count(textOf(limit));
}

/** $1,234.50, 1.23M tokens, 12 calls */
export function amount(limit: BudgetLimit | null | undefined): string {
  if (!limit) return NONE;
  const unit = unitOf(limit);
  if (unit === 'usd') return brief(limit);
  return `${count(textOf(limit))}\u00a0${NOUNS[unit][textOf(limit) === '1' ? 0 : 1]}`;
}

/** Every digit there is, with the unit. */
export function amountExact(limit: BudgetLimit | null | undefined): string {
  if (!limit) return 'not known';
  const unit = unitOf(limit);
  if (unit === 'usd') return moneyExact(textOf(limit));
  return `${countExact(textOf(limit))} ${NOUNS[unit][textOf(limit) === '1' ? 0 : 1]}`;
}

/** 81.2 %; what is not all is never shown as all. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return 'over';
  const tenths = Math.floor(share * 1_000 + 1e-6) / 10;
  const text = tenths >= 100 || Number.isInteger(tenths) ? Math.floor(tenths) : tenths.toFixed(1);
  return `${text}\u202f%`;
}

/** An amount as people type it: `1,000`, `$12.50`, `5M`; null when it is none above zero. */
export function readAmount(text: string, unit: BudgetUnit): BudgetLimit | null {
  const match = /^\$?\s*([\d,_ ]+)(?:\.(\d+))?\s*([kmb])?$/i.exec(text.trim());
  if (!match) return null;
  const [, whole = '', fraction = '', step] = match;
  const digits = whole.replace(/[,_ ]/g, '');
  if (digits === '') return null;
  const zeros = step ? { k: 3, m: 6, b: 9 }[step.toLowerCase() as 'k'] : 0;
  const value: Decimal = {
    digits: BigInt(digits + fraction) * 10n ** BigInt(zeros),
    scale: fraction.length,
  };
  if (value.digits <= 0n) return null;
  const plain = toText(value);
  if (unit !== 'usd' && plain.includes('.')) return null;
  // Picodollars are the smallest there is.
  return (plain.split('.')[1]?.length ?? 0) > 12 ? null : limitOf(unit, plain);
}
