import { describe, expect, it } from 'vitest';
import type { Unexplained } from '../../api/catalog';
import { byWork, fieldsOf, flawsOf, isFound, modelWords, partsOf, registrationOf } from './rows';

const model = (name: string, spend: string) => ({ model: name, tokens: 10, spend_usd: spend });
const ROW: Unexplained = {
  key: 'ada-laptop',
  application: 'curl',
  user_agent: null,
  calls: 3,
  tokens: 40,
  spend_usd: '10',
  models: [model('a', '4'), model('b', '3'), model('c', '2'), model('d', '0.6'), model('e', '0.4')],
  likely_owner: 'ada',
  suggested_name: 'curl',
  registered_as: null,
};

describe('the inventory', () => {
  it('shows the dearest models, and the rest as one', () => {
    expect(modelWords(ROW)).toBe('a, b and 3 more');
    expect(partsOf(ROW).map(({ label, value }) => [label, value])).toEqual([
      ['a', 4],
      ['b', 3],
      ['c', 2],
      ['2 others', 1],
    ]);
  });

  it('is searched by all that is known of a row', () => {
    for (const text of ['ADA', 'curl ada-laptop', 'd']) expect(isFound(ROW, text)).toBe(true);
    expect(isFound(ROW, 'bob')).toBe(false);
  });

  it('puts what is still to be done first, as dear as before', () => {
    const rows = [{ ...ROW, registered_as: 'x' }, ROW, { ...ROW, application: 'httpie' }];
    expect(byWork(rows).map((row) => row.registered_as ?? row.application)).toEqual([
      'curl',
      'httpie',
      'x',
    ]);
  });
});

describe('a registration', () => {
  it('says what was guessed, with the row that it explains', () => {
    expect(registrationOf(fieldsOf(ROW), ROW)).toEqual({
      name: 'curl',
      key: 'ada-laptop',
      application: 'curl',
      user_agent: undefined,
      spec: {
        owner: 'ada',
        environment: 'experimentation',
        data_class: 'internal',
        state: 'registered',
      },
    });
  });

  it('stays discovered in production, where more is asked for', () => {
    const fields = { ...fieldsOf(ROW), environment: 'production' };
    expect(registrationOf(fields, ROW).spec.state).toBe('discovered');
  });

  it('of a tool says who sells it and for how much', () => {
    const fields = { ...fieldsOf(null), name: 'scribe', owner: 'ada' };
    expect(Object.keys(flawsOf(fields, true)).sort()).toEqual(['monthly_cost', 'vendor']);
    const whole = { ...fields, vendor: 'Scribe Inc.', monthly_cost: '400' };
    expect(flawsOf(whole, true)).toEqual({});
    expect(registrationOf(whole, null).spec).toMatchObject({
      metered: false,
      vendor: 'Scribe Inc.',
      monthly_cost_usd: '400',
      state: 'registered',
    });
  });

  it('needs a name and somebody who answers for it', () => {
    const flaws = flawsOf({ ...fieldsOf(ROW), name: ' not a name', owner: '' }, false);
    expect(Object.keys(flaws).sort()).toEqual(['name', 'owner']);
  });
});
