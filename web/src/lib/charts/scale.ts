/** Axes with round steps. */

/** Up to `most` + 1 round values from 0 that reach over `max`. */
export function ticks(max: number, most = 4): number[] {
  if (!(max > 0) || !Number.isFinite(max)) return [0, 1];
  const rough = max / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough * 0.999999);
  const size = step ?? power * 10;
  const count = Math.ceil(max / size - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => index * size);
}

/** Which of `count` labels to show so that they do not touch; always the first. */
export function sparse(count: number, room: number, width: number): (index: number) => boolean {
  const fitting = Math.max(1, Math.floor(width / room));
  const step = Math.max(1, Math.ceil(count / fitting));
  return (index) => index % step === 0;
}
