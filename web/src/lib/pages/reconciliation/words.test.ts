import { describe, expect, it } from 'vitest';
import type { Variance } from '../../api/reconciliation';
import { dayPieces, guessFormat, stateOf, sumOf } from './words';

describe('a bill', () => {
  it('is recognised by what stands in it', () => {
    expect(guessFormat('date,model,meter,quantity,cost,currency\n')).toBe('csv');
    expect(guessFormat('{"data":[{"results":[{"uncached_input_tokens":1}]}]}')).toBe(
      'anthropic-usage',
    );
    expect(guessFormat('[{"data":[{"results":[{"token_type":"output_tokens"}]}]}]')).toBe(
      'anthropic-cost',
    );
    expect(guessFormat('{"data":[{"results":[{"line_item":"gpt-5, input"}]}]}')).toBe(
      'openai-costs',
    );
    expect(guessFormat('{"data":[{"results":[{"input_tokens":1}]}]}')).toBe('openai-usage');
    expect(guessFormat('Datum;Betrag')).toBeNull();
  });

  it('is added up exactly', () => {
    expect(sumOf(['0.1', '0.2', null, '-0.000000000001'])).toBe('0.299999999999');
    expect(sumOf([])).toBe('0');
  });

  it('is shown day by day as what both have and what only one has', () => {
    const [more, less] = dayPieces([
      { date: '2026-10-01', billed_usd: '5', metered_usd: '3' },
      { date: '2026-10-02', billed_usd: '0', metered_usd: '1' },
    ]);
    expect([more?.both, more?.onlyBilled, more?.onlyMetered]).toEqual([3, 2, 0]);
    expect([less?.both, less?.onlyBilled, less?.onlyMetered]).toEqual([0, 0, 1]);
  });

  it('has differences that are decided about', () => {
    const state = (it: Partial<Variance>) => stateOf(it as Variance);
    expect(state({ proposed_usd: null })).toBe('none');
    expect(state({ proposed_usd: '1' })).toBe('proposed');
  });
});
