/** Exact decimals. Money never passes through a float before it is rounded for display. */

export interface Decimal {
  /** The number × 10^scale. */
  digits: bigint;
  scale: number;
}

const SHAPE = /^(-?)(\d+)(?:\.(\d+))?$/;

/** From a decimal string such as `-12.30`; null when it is none. */
export function parseDecimal(text: string): Decimal | null {
  const match = SHAPE.exec(text.trim());
  if (!match) return null;
  const [, sign, whole = '', fraction = ''] = match;
  const digits = BigInt(whole + fraction);
  return { digits: sign ? -digits : digits, scale: fraction.length };
}

function power(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

/** Rounded half away from zero. */
export function rescale(value: Decimal, scale: number): Decimal {
  if (scale >= value.scale) {
    return { digits: value.digits * power(scale - value.scale), scale };
  }
  const unit = power(value.scale - scale);
  const negative = value.digits < 0n;
  const size = negative ? -value.digits : value.digits;
  const rounded = (size * 2n + unit) / (unit * 2n);
  return { digits: negative ? -rounded : rounded, scale };
}

export function add(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { digits: rescale(a, scale).digits + rescale(b, scale).digits, scale };
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  return add(a, { digits: -b.digits, scale: b.scale });
}

/** Without trailing zeros of the fraction. */
export function toText(value: Decimal): string {
  const fixed = toFixed(value, value.scale);
  return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
}

/** With exactly this many decimals and no grouping. */
export function toFixed(value: Decimal, decimals: number): string {
  const { digits } = rescale(value, decimals);
  const negative = digits < 0n;
  const text = (negative ? -digits : digits).toString().padStart(decimals + 1, '0');
  const whole = text.slice(0, text.length - decimals);
  const fraction = decimals > 0 ? `.${text.slice(text.length - decimals)}` : '';
  return `${negative ? '-' : ''}${whole}${fraction}`;
}

/** With thousands separated. */
export function grouped(fixed: string): string {
  const [whole = '', fraction] = fixed.split('.');
  const spaced = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  return fraction === undefined ? spaced : `${spaced}.${fraction}`;
}

/** For positions on a chart, where a float is exact enough. */
export function toNumber(value: Decimal): number {
  return Number(toFixed(value, Math.min(value.scale, 12)));
}
