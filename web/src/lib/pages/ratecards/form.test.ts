import { describe, expect, it } from 'vitest';
import type { RateCardSpec } from '../../api/statements';
import { NEW, formOf, specOf } from './form';
import { NotYaml, fromYaml, toYaml } from './yaml';

const CARD: RateCardSpec = {
  from: '2027-01-01',
  markup_percent: '4.5',
  negotiated: [
    { provider: 'anthropic', model: 'claude-haiku-4-5', meter: 'output', usd_per_million: '4.20' },
  ],
  reserved: [
    { name: 'throughput', monthly_usd: '5000', models: ['a', 'b'], idle: 'owner', owner: 'cc' },
  ],
  shared: [
    {
      name: 'gateway',
      monthly_usd: '1200',
      split: 'fixed',
      fixed: { 'cc-1': '300', 'cc-2': '0.10' },
    },
  ],
  rounding: { mode: 'half_even', per: 'line' },
  currency: 'EUR',
  exchange_rates: [{ from: '2027-01-01', per_usd: '0.92' }],
};

describe('a rate card', () => {
  it('comes back from the form as it was', () => {
    expect(specOf(formOf(CARD))).toEqual(CARD);
  });

  it('comes back from YAML as it was, to the digit', async () => {
    const text = await toYaml(CARD);
    expect(text).toContain('4.20');
    expect(await fromYaml(text)).toEqual(CARD);
    expect(
      await fromYaml('kind: RateCard\nspec:\n  from: 2027-01-01\n  markup_percent: 4.50\n'),
    ).toEqual({
      from: '2027-01-01',
      markup_percent: '4.50',
    });
  });

  it('leaves out what is not said', () => {
    const form = { ...formOf({ from: '2027-01-01' }), negotiated: [NEW.negotiated()] };
    expect(specOf(form)).toEqual({
      from: '2027-01-01',
      markup_percent: '0',
      negotiated: [{}],
      rounding: { mode: 'half_up', per: 'statement' },
    });
  });

  it('says where YAML is wrong', async () => {
    await expect(fromYaml('from: "2027\nmarkup')).rejects.toThrow(NotYaml);
    await expect(fromYaml('a: 1\n  b: 2')).rejects.toThrow(/Line 2/);
    await expect(fromYaml('- a')).rejects.toThrow(/rate card/);
  });
});
