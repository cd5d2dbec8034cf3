import { describe, expect, it } from 'vitest';
import { formatFilter, hrefWith, parseFilter, readView, withFilter, writeView } from './urlstate';

const read = (text: string) => readView(new URLSearchParams(text));

describe('a view in an address', () => {
  it('is the last seven days beside the period before, without anything', () => {
    expect(read('')).toEqual({ range: 'last_7_days', compare: 'previous_period', filters: [] });
  });

  it('survives being written and read', () => {
    const view = {
      range: { from: '2026-07-01T00:00:00.000Z', to: '2026-07-08T00:00:00.000Z' },
      compare: 'none' as const,
      filters: [
        {
          dimension: 'tag:a:b',
          op: 'in' as const,
          values: ['x,y', '100%', 'a:b', 'ü "q\' OR 1=1'],
        },
        { dimension: 'team', op: 'is_null' as const, values: [] },
      ],
    };
    expect(read(writeView(view).toString())).toEqual(view);
  });

  it('keeps what the page itself put there, once', () => {
    const view = read('range=today&f=team:eq:a');
    const written = writeView(view, new URLSearchParams('range=today&f=team:eq:a&measures=calls'));
    expect(written.toString()).toBe('range=today&f=team%3Aeq%3Aa&measures=calls');
  });

  it('ignores what makes no sense', () => {
    const view = read(
      'range=nonsense&compare=never&f=team&f=team:like:x&f=team:eq:%25E0%25A4%25A&f=:eq:a',
    );
    expect(view).toEqual({ range: 'last_7_days', compare: 'previous_period', filters: [] });
    expect(read('from=2026-07-08T00:00:00Z&to=2026-07-01T00:00:00Z').range).toBe('last_7_days');
    expect(read('from=yesterday&to=tomorrow').range).toBe('last_7_days');
  });

  it('refuses filters with the wrong number of values', () => {
    expect(parseFilter('team:eq:a,b')).toBeNull();
    expect(parseFilter('team:in:')).toBeNull();
    expect(parseFilter('team:in:a,b')?.values).toEqual(['a', 'b']);
  });

  it('keeps the separators of values apart', () => {
    expect(formatFilter({ dimension: 'tag:x', op: 'in', values: ['a,b', 'c'] })).toBe(
      'tag%3Ax:in:a%2Cb,c',
    );
  });

  it('narrows to one value per dimension', () => {
    const once = withFilter([], 'team', 'a');
    expect(withFilter(once, 'team', 'b')).toEqual([{ dimension: 'team', op: 'eq', values: ['b'] }]);
  });

  it('links to other pages with the same filters', () => {
    const href = hrefWith('/calls', read('range=today&f=team:eq:a b'), { source: 'gateway' });
    expect(href).toBe('/calls?range=today&f=team%3Aeq%3Aa+b&source=gateway');
  });
});
