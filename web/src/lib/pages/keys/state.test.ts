import { expect, it } from 'vitest';
import { keyState } from './state';

const NOW = new Date('2026-07-28T12:00:00Z');

it.each([
  [{}, 'works', true],
  [{ expires_at: '2026-09-01T00:00:00Z' }, 'works', true],
  [{ expires_at: '2026-07-30T00:00:00Z' }, 'expires soon', true],
  [{ expires_at: '2026-07-28T12:00:00Z' }, 'expired', false],
  [{ revoked: true, expires_at: '2026-07-30T00:00:00Z' }, 'revoked', false],
  [
    { suspended: { at: '2026-07-28T11:00:00Z', by: 'tally gateway', reason: 'No.' } },
    'suspended',
    false,
  ],
])('%j is %s', (spec, label, works) => {
  expect(keyState(spec, NOW)).toMatchObject({ label, works });
});
