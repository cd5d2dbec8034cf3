import { describe, expect, it } from 'vitest';
import { askOf, readWanted, wantedOf, whatWords } from './words';

const read = (query: string) => readWanted(new URLSearchParams(query));

describe('access', () => {
  it('is asked for by an address', () => {
    expect(askOf(read(''))).toEqual({ key: {} });
    expect(askOf(read('workload=copilot'))).toEqual({ key: { workload: 'copilot' } });
    expect(askOf(read('model=opus'))).toEqual({ model: 'opus' });
    expect(askOf(read('tier=standard'))).toEqual({ tier: 'standard' });
    expect(askOf(read('model='))).toBeNull();
  });

  it('is asked for again as it was', () => {
    for (const what of [{ key: {} }, { key: { workload: 'a' } }, { model: 'b' }]) {
      expect(askOf(wantedOf(what))).toEqual(what);
    }
    expect(askOf(wantedOf({ tier: 'frontier' }))).toEqual({ tier: 'frontier' });
  });

  it('is named in a few words', () => {
    expect(whatWords({ key: {} })).toBe('A key of their own');
    expect(whatWords({ key: { workload: 'copilot' } })).toBe('A key for copilot');
    expect(whatWords({ tier: 'frontier' })).toBe('The frontier tier');
  });
});
