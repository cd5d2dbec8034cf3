import { describe, expect, it } from 'vitest';
import type { GrantSpec } from '../../api/budgets';
import { useOf } from '../budgets/fixtures';
import { OTHER, endOfDay, endsOf } from './until';
import { askWords, decisionWords, askedState, needWords, waitingFor } from './words';

const NOW = new Date('2026-11-22T08:30:00Z');

const grant = (patch: Partial<GrantSpec> = {}): GrantSpec => ({
  counter: { budget: 'support-month' },
  ask: { increase: { usd: '400' } },
  until: '2026-11-30T23:00:00Z',
  reason: 'Black Friday',
  requested_by: 'li',
  requested_at: '2026-11-22T06:00:00Z',
  needs: [
    { role: 'owner', people: ['grace'] },
    { role: 'finops', people: ['maya', 'tess'] },
  ],
  state: 'pending',
  ...patch,
});

describe('a grant', () => {
  it('says what it is and who has to decide', () => {
    expect(askWords(grant())).toBe('$400 more on support-month');
    expect(askWords(grant({ ask: { pass_stage: 80 } }))).toBe(
      'Going on past 80 % of support-month',
    );
    expect(needWords(grant().needs)).toBe('the owner (grace) and FinOps (maya or tess)');
    const decision = { by: 'grace', role: 'owner' as const, approved: true, at: '' };
    expect(waitingFor(grant({ decisions: [decision] })).map(({ role }) => role)).toEqual([
      'finops',
    ]);
    expect(decisionWords({ ...decision, for_person: 'maya' })).toBe(
      'approved as the owner, for maya',
    );
  });

  it('has ended when its time is over, whatever is written down', () => {
    expect(askedState(grant({ state: 'approved' }), NOW).label).toBe('In force');
    const past = grant({ state: 'approved', until: '2026-11-22T08:00:00Z' });
    expect(askedState(past, NOW).label).toBe('Ended');
    expect(waitingFor(grant({ state: 'denied' }))).toEqual([]);
  });
});

describe('until', () => {
  it('offers the end of the window first, in the organisation’s days', () => {
    const ends = endsOf(useOf(), 'Europe/Berlin', NOW);
    expect(ends[0]).toEqual({
      value: '2026-11-30T23:00:00.000Z',
      label: 'The end of the window: 30 Nov 2026',
    });
    expect(ends[1]?.value).toBe('2026-11-23T23:00:00.000Z');
    expect(ends.at(-1)?.value).toBe(OTHER);
    const rolling = endsOf(useOf({ window_end: NOW.toISOString() }), 'Europe/Berlin', NOW);
    expect(rolling[0]?.label).toMatch(/^1 day/);
  });

  it('is the end of a day that has not passed', () => {
    expect(endOfDay('2026-11-22', 'Europe/Berlin', NOW)).toBe('2026-11-22T23:00:00.000Z');
    expect(endOfDay('2026-11-21', 'Europe/Berlin', NOW)).toBeNull();
    expect(endOfDay('soon', 'Europe/Berlin', NOW)).toBeNull();
  });
});
