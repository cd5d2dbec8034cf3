import { describe, expect, it } from 'vitest';
import { useOf } from './fixtures';
import { nextWords, nowWords } from './quota';
import {
  counterHref,
  counterName,
  dayName,
  endName,
  listed,
  paceWords,
  scopeWords,
  stageSentence,
  timeLeft,
  toYou,
} from './words';

const ZONE = 'Europe/Berlin';
/** A Sunday, 09:30 in Berlin. */
const NOW = new Date('2026-11-22T08:30:00Z');

describe('the pace', () => {
  const pace = (patch: Parameters<typeof useOf>[0]) => paceWords(useOf(patch), ZONE, NOW);

  it('names the day on which it is gone', () => {
    expect(pace({ exhausted_at: '2026-11-22T15:00:00Z' })).toBe(
      'at this pace, gone today at 16:00',
    );
    // Shortly after midnight in Berlin it is still the day before in UTC.
    expect(pace({ exhausted_at: '2026-11-22T23:10:00Z' })).toBe(
      'at this pace, gone tomorrow at 00:10',
    );
    expect(pace({ exhausted_at: '2026-11-26T10:00:00Z' })).toBe('at this pace, gone on Thursday');
    expect(pace({ exhausted_at: '2026-11-29T10:00:00Z' })).toBe('at this pace, gone on 29 Nov');
    expect(pace({ exhausted_at: '2027-01-05T10:00:00Z' })).toBe('at this pace, gone on 5 Jan 2027');
    expect(pace({ exhausted_at: '2026-11-22T08:00:00Z' })).toBe('at this pace, gone any moment');
  });

  it('says where it ends otherwise, and when it cannot be told', () => {
    expect(pace({ projected: { usd: '1480' } })).toBe('at this pace, 74\u202f% at the end');
    expect(pace({})).toBe('too early to tell');
    expect(pace({ settled: { usd: '2000' } })).toBe('used up');
    expect(pace({ settled: { usd: '2012.5' } })).toBe('used up, $12.50 beyond');
  });

  it('says how much time is left', () => {
    const left = (end: string) => timeLeft(useOf({ window_end: end }), NOW);
    expect(left('2026-11-30T23:00:00Z')).toBe('8 d left');
    expect(left('2026-11-22T23:00:00Z')).toBe('14 h left');
    expect(left('2026-11-22T09:00:00Z')).toBe('30 min left');
    expect(left('2026-11-22T08:30:00Z')).toBe('rolling');
  });
});

describe('days', () => {
  it('are of the organisation, also where the clocks change', () => {
    expect(dayName('2026-10-25T22:30:00Z', ZONE, new Date('2026-10-25T00:30:00Z'))).toBe(
      'today at 23:30',
    );
  });
});

describe('ends', () => {
  it('are named by their last day', () => {
    const end = (instant: string) => endName(instant, ZONE, NOW);
    expect(end('2026-11-30T23:00:00Z')).toBe('the end of 30 Nov');
    expect(end('2026-11-22T23:00:00Z')).toBe('the end of today');
    expect(end('2026-11-26T23:00:00Z')).toBe('the end of Thursday');
    expect(end('2026-11-23T15:00:00Z')).toBe('tomorrow at 16:00');
  });
});

describe('stages', () => {
  it('are told in plain words', () => {
    expect(stageSentence({ at: 70, notify: ['owner'] })).toBe('The owner is told.');
    expect(stageSentence({ at: 90, notify: ['manager', 'finops'] })).toBe(
      'The manager and FinOps are told.',
    );
    expect(stageSentence({ at: 80, approval: ['workload_owner', 'finops'] })).toBe(
      'The workload’s owner and FinOps have to approve; calls go on meanwhile.',
    );
    expect(stageSentence({ at: 80, approval: ['finops'], pending: 'deny' })).toBe(
      'FinOps has to approve; until then calls are refused.',
    );
    expect(stageSentence({ at: 100, degrade: {} })).toBe(
      'Calls are served with less, by their workload’s own fallback.',
    );
    expect(
      stageSentence({
        at: 100,
        degrade: { to: 'claude-haiku', reasoning_effort: 'low', max_context_tokens: 32_000 },
      }),
    ).toBe('Calls go to claude-haiku, reason with low effort and keep 32,000 tokens of context.');
    expect(stageSentence({ at: 120, deny: true })).toBe('Calls are refused.');
  });

  it('speak to whose calls they are', () => {
    expect(toYou({ at: 70, notify: ['person'] })).toBe('you are told');
    expect(toYou({ at: 100, degrade: { to: 'claude-haiku' } })).toBe(
      'your calls go to claude-haiku',
    );
    expect(nextWords(useOf({ settled: { usd: '1900' } }))).toBe(
      'At 100 % your calls go to the next cheaper model.',
    );
    expect(nextWords(useOf({ settled: { usd: '2000' } }))).toBeNull();
    expect(nowWords(useOf())).toBe('Your calls go on as they are.');
    expect(nowWords(useOf({ settled: { usd: '2100' }, state: 'degraded' }))).toBe(
      'Your calls go to the next cheaper model.',
    );
    expect(nowWords(useOf({ settled: { usd: '1650' }, state: 'approval' }))).toMatch(
      /^It waits for approval: the workload’s owner and FinOps have to approve; your calls go on/,
    );
    expect(nowWords(useOf({ state: 'denied' }))).toMatch(/refused/);
  });
});

describe('names', () => {
  it('say whose and of which environment, and lead to the page', () => {
    const counter = { budget: 'each person/day', each: 'a+b@x', environment: 'production' };
    expect(counterName(counter)).toBe('each person/day · a+b@x · production');
    expect(counterHref(counter)).toBe(
      '/budgets/each%20person%2Fday?each=a%2Bb%40x&environment=production',
    );
    expect(counterHref({ budget: 'all' })).toBe('/budgets/all');
    expect([listed([]), listed(['a']), listed(['a', 'b', 'c'])]).toEqual(['', 'a', 'a, b and c']);
    expect(scopeWords({})).toBe('all calls');
    expect(scopeWords({ each: 'person', environment: 'production' })).toBe(
      'each person · environment production',
    );
  });
});
