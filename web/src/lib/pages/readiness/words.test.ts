import { describe, expect, it } from 'vitest';
import type { TeamReadiness } from '../../api/catalog';
import { ITEMS, byNeed, countOf, lineOf, met, pieces } from './words';

const team = (name: string, ...failing: string[]): TeamReadiness => ({
  team: name,
  ready: failing.length === 0,
  items: ITEMS.map((item) => ({
    item,
    ok: !failing.includes(item),
    detail: 'said',
    next_step: failing.includes(item) ? 'do `this`' : null,
  })),
});

describe('readiness', () => {
  const teams = [team('a'), team('b', 'quotas', 'audit_log'), team('c', 'quotas')];

  it('shows first who is furthest from it', () => {
    expect(byNeed(teams).map((one) => one.team)).toEqual(['b', 'c', 'a']);
    expect(met(team('b', 'quotas'))).toBe(ITEMS.length - 1);
    expect(countOf(teams, 'quotas')).toBe(1);
  });

  it('knows where each line is mended', () => {
    for (const item of ITEMS) {
      expect(lineOf(item).link('search').href).toMatch(/^\//);
      expect(lineOf(item).command('search')).toMatch(/tally/);
    }
    expect(lineOf('new_line').label).toBe('new line');
  });

  it('sets what is to be typed apart', () => {
    expect(pieces('set `own_keys`, or give the keys an end')).toEqual([
      { text: 'set ', code: false },
      { text: 'own_keys', code: true },
      { text: ', or give the keys an end', code: false },
    ]);
  });
});
