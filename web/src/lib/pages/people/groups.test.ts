import { expect, it } from 'vitest';
import type { QueryResult } from '../../api/types';
import { matches, rowsOf, totalRow } from './groups';

function answer(columns: string[], rows: QueryResult['rows'], total: QueryResult['total'] = []) {
  return {
    columns: columns.map((name) => ({ name, label: name, kind: 'measure', unit: null })),
    rows,
    total,
  } as unknown as QueryResult;
}

it('what nobody is known for stands last, whatever its size', () => {
  const result = answer(
    ['person', 'spend_usd'],
    [
      ['unattributed', '9'],
      ['ada', '2'],
    ],
    [null, '11'],
  );
  expect(rowsOf(result, 'person').map((row) => row.name)).toEqual(['ada', 'unattributed']);
  expect(totalRow(result).cells.spend_usd).toBe('11');
});

it('a search looks at all words in any order', () => {
  expect(matches('love ada', 'ada', 'Ada Lovelace')).toBe(true);
  expect(matches('lin', 'ada', undefined)).toBe(false);
  expect(matches('', 'ada')).toBe(true);
});
