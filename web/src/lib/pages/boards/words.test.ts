import { describe, expect, test } from 'vitest';
import {
  ALL_TYPES,
  boardsOf,
  moved,
  movedWords,
  ordinal,
  points,
  rankText,
  typeOf,
  typeOptions,
} from './words';

describe('ranks in words', () => {
  test('ordinals of any number', () => {
    expect([1, 2, 3, 4, 7, 11, 12, 13, 21, 101, 111].map(ordinal)).toEqual(
      '1st 2nd 3rd 4th 7th 11th 12th 13th 21st 101st 111th'.split(' '),
    );
  });

  test('shared ranks and missing ones are told', () => {
    expect(rankText({ rank: 3, tied: true })).toBe('=3');
    expect(rankText({ rank: 3, tied: false })).toBe('3');
    expect(rankText({ rank: null, tied: false })).toBe('–');
  });

  test('a lower number is further up', () => {
    expect(moved({ rank: 7, rank_before: 9 })).toBe(2);
    expect(movedWords({ rank: 7, rank_before: 9 })).toBe('up 2');
    expect(movedWords({ rank: 9, rank_before: 7 })).toBe('down 2');
    expect(movedWords({ rank: 9, rank_before: null })).toBe('new');
    expect(movedWords({ rank: null, rank_before: 2 })).toBe('not ranked');
  });

  test('scores have one decimal; return is of teams', () => {
    expect([points(50), points(61.25), points(null)]).toEqual(['50.0', '61.3', '–']);
    expect(boardsOf('people')).not.toContain('return');
    expect(boardsOf('teams')).toContain('return');
  });

  test('a type may have any name, and none', () => {
    const types = ['all', ''].map((task_type) => ({ task_type, people: 3, teams: 3 }));
    const options = typeOptions(types);
    expect(options.map(({ label }) => label)).toEqual(['All types', 'all', 'Without a type']);
    expect(options.map(({ value }) => typeOf(value))).toEqual([null, 'all', '']);
    expect(options[0]?.value).toBe(ALL_TYPES);
  });
});
