import { describe, expect, it } from 'vitest';
import { chartQuery, readExplore, tableQuery } from './state';

const read = (text: string) => readExplore(new URLSearchParams(text));
const scope = { range: 'last_7_days', filters: [], compare: 'previous_period' as const };

describe('the explore page in an address', () => {
  it('shows spend over time without anything', () => {
    expect(read('')).toMatchObject({
      measures: ['spend_usd'],
      by: [],
      chart: 'line',
      rows: 'time',
    });
  });

  it('leaves out what makes no sense', () => {
    const odd = read(
      'measures=calls,calls,Robert%27);DROP&by=team,tag:x,&chart=pie&grain=eon&page=-3&sort=nope:asc',
    );
    expect(odd).toMatchObject({
      measures: ['calls'],
      by: ['team', 'tag:x'],
      chart: 'line',
      grain: 'auto',
      page: 0,
      sort: null,
    });
    expect(read('page=99999999999').page).toBeLessThanOrEqual(2_000);
    expect(
      read(`measures=${Array.from({ length: 40 }, (_, at) => `m${at}`).join(',')}`).measures,
    ).toHaveLength(16);
  });

  it('keeps a line on steps of time', () => {
    expect(read('grain=none').grain).toBe('auto');
    expect(read('grain=none&chart=bars')).toMatchObject({ grain: 'none', rows: 'total' });
  });

  it('sorts by tags, whose names have colons', () => {
    expect(read('by=tag:a:b&sort=tag:a:b:asc').sort).toEqual({ by: 'tag:a:b', desc: false });
  });
});

describe('the questions', () => {
  it('of the table are paged, those of the file are not', () => {
    const explore = read('measures=calls&by=team&page=2&sort=calls:asc');
    expect(tableQuery(explore, scope)).toMatchObject({
      limit: 100,
      offset: 200,
      order: [{ by: 'calls', desc: false }],
      compare: 'previous_period',
    });
    expect(tableQuery(explore, scope, false)).toMatchObject({ limit: 10_000, offset: 0 });
    expect(tableQuery(explore, scope).grain).toBeUndefined();
  });

  it('never order by a time that is not there', () => {
    const explore = read('measures=calls&by=team&sort=time:asc');
    expect(tableQuery(explore, scope).order).toEqual([]);
    expect(tableQuery({ ...explore, rows: 'time' }, scope).order).toEqual([
      { by: 'time', desc: false },
    ]);
  });

  it('of the chart compare only one line', () => {
    expect(chartQuery(read('measures=calls'), scope).compare).toBe('previous_period');
    expect(chartQuery(read('measures=calls&by=team'), scope).compare).toBeUndefined();
    expect(chartQuery(read('measures=calls,tokens&show=tokens'), scope).measures).toEqual([
      'tokens',
    ]);
  });
});
