import { describe, expect, it } from 'vitest';
import { changes } from '../audit/diff';
import { flawsOf, formOf, specOf } from './edit';
import { SPEC } from './fixtures';

describe('the form of a workload', () => {
  it('changes nothing that nobody changed', () => {
    const spec = { ...SPEC, degrade_opt_out: true, rate_limit: { requests_per_minute: 60 } };
    expect(changes(spec, specOf(formOf(spec), spec))).toEqual([]);
  });

  it('says each field that will change, and keeps how far it has come', () => {
    const form = { ...formOf(SPEC), criticality: 'high', slo_ms: '3000', budget_code: '' };
    const after = specOf(form, SPEC);
    expect(changes(SPEC, after)).toEqual([
      { field: 'budget_code', before: 'SC-100', after: null },
      { field: 'criticality', before: null, after: 'high' },
      { field: 'slo.latency_p95_ms', before: '4000', after: '3000' },
    ]);
    expect(after.state).toBe('registered');
  });

  it('finds what cannot be meant before it is sent', () => {
    const form = { ...formOf(SPEC), slo_ms: 'fast', slo_usd: '-1', reason: 'Better', owner: '' };
    expect(Object.keys(flawsOf(form, SPEC)).sort()).toEqual([
      'owner',
      'review_by',
      'slo_ms',
      'slo_usd',
    ]);
  });

  it('asks more of what is in production, and nothing of what was only seen', () => {
    const bare = { ...formOf(SPEC), purpose: '', budget_code: '', slo_ms: '', slo_usd: '' };
    expect(Object.keys(flawsOf(bare, SPEC)).sort()).toEqual(['budget_code', 'purpose', 'slo_ms']);
    expect(flawsOf(bare, { ...SPEC, state: 'discovered' })).toEqual({});
    expect(flawsOf({ ...bare, environment: 'experimentation' }, SPEC)).toEqual({});
  });
});
