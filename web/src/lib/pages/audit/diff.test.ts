import { expect, it } from 'vitest';
import { changes } from './diff';

it('tells what was added, changed and removed, down to the field', () => {
  const before = { roles: ['developer'], team: 'support', email: 'ada@acme.test' };
  const after = { roles: ['developer', 'manager'], team: 'search', display_name: 'Ada' };
  expect(changes(before, after)).toEqual([
    { field: 'display_name', before: null, after: 'Ada' },
    { field: 'email', before: 'ada@acme.test', after: null },
    { field: 'roles[1]', before: null, after: 'manager' },
    { field: 'team', before: 'support', after: 'search' },
  ]);
});

it('a creation has no before, a deletion no after, and no change no line', () => {
  expect(changes(null, { a: { b: [] } })).toEqual([{ field: 'a.b', before: null, after: '[]' }]);
  expect(changes({ a: 1 }, null)).toEqual([{ field: 'a', before: '1', after: null }]);
  expect(changes({ a: 1 }, { a: 1 })).toEqual([]);
});
