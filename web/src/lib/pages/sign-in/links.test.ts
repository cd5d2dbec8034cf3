import { describe, expect, it } from 'vitest';
import { safeNext, tokenOf } from './links';

const ORIGIN = 'https://tally.acme.test';

describe('safeNext', () => {
  it('keeps a path of this origin with its state', () => {
    expect(safeNext('/calls?range=today&f=team%3Aeq%3Asupport', ORIGIN)).toBe(
      '/calls?range=today&f=team%3Aeq%3Asupport',
    );
  });

  it.each([
    null,
    '',
    'https://evil.test/',
    '//evil.test',
    '/\\evil.test',
    '/\t/evil.test',
    '/..//evil.test',
    'javascript:alert(1)',
    'calls',
    '/sign-in?next=/sign-in',
    '/join#token=x',
  ])('does not follow %j', (next) => {
    expect(safeNext(next, ORIGIN)).toBe('/overview');
  });
});

describe('tokenOf', () => {
  it('reads the token and nothing else', () => {
    expect(tokenOf('#token=abc')).toBe('abc');
    expect(tokenOf('#token=')).toBeNull();
    expect(tokenOf('')).toBeNull();
  });
});
