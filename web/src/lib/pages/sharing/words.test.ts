import { describe, expect, test } from 'vitest';
import { nameOf, percent, points, variablesIn } from './words';

describe('what is shared, in words', () => {
  test('ratios are changes, and shares are points', () => {
    expect([0.8, 1.25, 1].map(percent)).toEqual(['−20 %', '+25 %', '±0 %']);
    expect([0.05, -0.1].map(points)).toEqual(['+5 points', '−10 points']);
  });

  test('a name is made of a title', () => {
    expect(nameOf('  Shorter history: four turns! ')).toBe('shorter-history-four-turns');
  });

  test('variables are found once each', () => {
    expect(variablesIn('{{a}} {{ b }} {{not one}}', '{{a}}')).toEqual(['a', 'b']);
  });
});
