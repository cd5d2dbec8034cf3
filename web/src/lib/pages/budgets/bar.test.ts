import { describe, expect, it } from 'vitest';
import { barOf } from './bar';
import { useOf } from './fixtures';

const ends = (piece: { left: number; width: number } | null) =>
  piece && Math.round((piece.left + piece.width) * 100) / 100;
const mark = (bar: ReturnType<typeof barOf>, at: number) => bar.marks.find((one) => one.at === at);

describe('the bar', () => {
  it('shows what is used and reserved against the limit', () => {
    const bar = barOf(useOf({ settled: { usd: '1000' }, reserved: { usd: '200' } }));
    expect(bar.over).toBeNull();
    expect(bar.used.width).toBeCloseTo((mark(bar, 100)?.left ?? 0) / 2, 1);
    expect(bar.reserved?.left).toBeCloseTo(bar.used.width, 2);
    expect(bar.marks.map(({ at, kind }) => [at, kind])).toEqual([
      [70, 'stage'],
      [80, 'stage'],
      [90, 'stage'],
      [100, 'limit'],
    ]);
    expect(bar.isCut).toBe(false);
  });

  it('sets apart what is beyond the limit', () => {
    const bar = barOf(useOf({ settled: { usd: '2500' } }));
    expect(ends(bar.used)).toBeCloseTo(mark(bar, 100)?.left ?? 0, 1);
    expect(bar.over?.left).toBeCloseTo(ends(bar.used) ?? 0, 1);
    expect(ends(bar.over)).toBeLessThanOrEqual(100);
    expect(mark(bar, 100)?.isReached).toBe(true);
  });

  it('marks the ceiling once, wherever it is', () => {
    const stages = [{ stage: { at: 100, degrade: {} } }, { stage: { at: 120, deny: true } }];
    const above = barOf(useOf({ stages, ceiling: { usd: '2400' } }));
    expect(above.marks.map(({ at, kind }) => [at, kind])).toEqual([
      [100, 'limit'],
      [120, 'ceiling'],
    ]);
    const atLimit = barOf(
      useOf({ stages: [{ stage: { at: 100, deny: true } }], ceiling: { usd: '2000' } }),
    );
    expect(atLimit.marks.map(({ at, kind }) => [at, kind])).toEqual([[100, 'ceiling']]);
  });

  it('ends at twice the limit, and says so', () => {
    const bar = barOf(useOf({ settled: { usd: '20000' }, projected: { usd: '50000' } }));
    expect(mark(bar, 100)?.left).toBe(50);
    expect([ends(bar.over), bar.projected, bar.isCut]).toEqual([100, 100, true]);
  });

  it('is empty for nothing and does not break without a limit', () => {
    const bar = barOf(useOf({ settled: { usd: '0' } }));
    expect([bar.used.width, bar.reserved, bar.projected]).toEqual([0, null, null]);
    const none = barOf(useOf({ limit: { usd: '0' }, settled: { usd: '5' } }));
    expect(ends(none.over)).toBeLessThanOrEqual(100);
  });

  it('is exact with counts no number holds', () => {
    const bar = barOf(
      useOf({
        limit: { tokens: '18446744073709551614' },
        settled: { tokens: '9223372036854775807' },
        reserved: { tokens: 0 },
      }),
    );
    expect(bar.used.width).toBeCloseTo((mark(bar, 100)?.left ?? 0) / 2, 2);
  });
});
