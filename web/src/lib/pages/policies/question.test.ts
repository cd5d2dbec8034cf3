import { describe, expect, it } from 'vitest';
import type { PolicySpec } from '../../api/guardrails';
import { readQuestion } from './question';
import { askHref, differencesOf, effectOf, forceOf } from './words';

describe('a question', () => {
  it('is read from an address, without what makes no sense', () => {
    const text = 'tab=explain&person=ada&data_class=restricted&tokens=1200&images=yes&team=x';
    expect(readQuestion(new URLSearchParams(text))).toEqual({
      person: 'ada',
      data_class: 'restricted',
      token_estimate: 1200,
      images: true,
    });
    expect(readQuestion(new URLSearchParams('tokens=many&person='))).toBeNull();
  });
});

describe('a policy', () => {
  const spec: PolicySpec = {
    shadow: { teams: ['support', 'platform'] },
    rules: [
      { id: 'redact', when: 'true', then: { redact: ['email', 'credit_card'] }, says: 'Gone.' },
      { id: 'large', when: 'true', then: 'review', severity: 'low', says: 'Large.' },
    ],
    overrides: [
      { for: { team: 'support' }, rules: [{ id: 'large', off: true }] },
      { for: { role: 'finops' }, rules: [{ id: 'large', then: 'deny', severity: 'high' }] },
    ],
  };

  it('says what its rules do and for whom it only watches', () => {
    expect(spec.rules.map(({ then }) => effectOf(then).label)).toEqual([
      'Redact email and credit card',
      'Review',
    ]);
    expect(effectOf({ degrade: { tier: 'standard' } }).label).toBe('Degrade to standard');
    expect(forceOf(spec).label).toBe('Pilot: support and platform');
    expect(forceOf({ ...spec, shadow: true }).label).toBe('Shadow');
    expect(forceOf({ ...spec, shadow: null }).label).toBe('In force');
  });

  it('says what parts of the company have otherwise', () => {
    expect(differencesOf(spec, 'large')).toEqual([
      { by: 'team support', changes: ['does not apply'] },
      { by: 'role finops', changes: ['deny', 'severity high'] },
    ]);
    expect(differencesOf(spec, 'redact')).toEqual([]);
  });

  it('leads to a request for an exception with what is known', () => {
    expect(askHref('p/large', { person: 'ada', workload: null })).toBe(
      '/exceptions/new?rule=p%2Flarge&person=ada',
    );
  });
});
