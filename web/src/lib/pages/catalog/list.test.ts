import { describe, expect, it } from 'vitest';
import { SPEC, entryOf } from './fixtures';
import { csvOf, isShown, readCatalogView, readSort, sorted, writeSort } from './list';

const view = (query: string) => readCatalogView(new URLSearchParams(query));
const retired = entryOf({ spec: { ...SPEC, state: 'retired' }, health: 'retired' });

describe('the list of workloads', () => {
  it('leaves out what is over, unless it is asked for', () => {
    expect(isShown(entryOf(), view(''))).toBe(true);
    expect(isShown(retired, view(''))).toBe(false);
    expect(isShown(retired, view('state=retired'))).toBe(true);
    expect(isShown(retired, view('state=nonsense'))).toBe(false);
  });

  it('is narrowed by what the address says', () => {
    const late = entryOf({ review_overdue: true });
    const thin = entryOf({
      completeness: { missing: ['purpose', 'funding'], asked: 11, percent: 81 },
    });
    expect(isShown(late, view('show=overdue'))).toBe(true);
    expect(isShown(thin, view('show=overdue'))).toBe(false);
    expect(isShown(thin, view('missing=funding'))).toBe(true);
    expect(isShown(thin, view('missing=slo'))).toBe(false);
    expect([entryOf(), late, thin].map((one) => isShown(one, view('show=wanting')))).toEqual([
      false,
      true,
      true,
    ]);
    expect(isShown(entryOf(), view('environment=experimentation'))).toBe(false);
    expect(isShown(entryOf(), view('q=GRACE+tickets'))).toBe(true);
    expect(isShown(entryOf(), view('owner=ada'))).toBe(false);
  });

  it('is ordered by what was spent unless the address says other', () => {
    expect(readSort(null)).toEqual({ by: 'spend', desc: true });
    expect(writeSort(readSort('complete:asc'))).toBe('complete:asc');
    const row = (name: string, now: string, before: string | null) => ({
      entry: entryOf({ name }),
      spent: { now, before },
    });
    const rows = [row('a', '1', '9'), row('b', '10', '1'), row('c', '2', null)];
    const names = (sort: string | null) =>
      sorted(rows, readSort(sort)).map(({ entry }) => entry.name);
    expect(names(null)).toEqual(['b', 'c', 'a']);
    expect(names('change')).toEqual(['b', 'c', 'a']);
    expect(names('name:asc')).toEqual(['a', 'b', 'c']);
  });

  it('is a file with the same rows, exact', () => {
    const spent = { now: '3.000000000001', before: '2' };
    const [, line] = csvOf([{ entry: entryOf(), spent }], '1 – 30 Sep').split('\r\n');
    expect(line).toContain('support-copilot,registered,Healthy,grace,cc-100,SC-100,production');
    expect(line).toContain('3.000000000001,2,1 – 30 Sep,3,300,100');
  });
});
