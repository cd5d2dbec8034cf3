import { describe, expect, it } from 'vitest';
import type { QueryResult } from '../../api/types';
import { compared } from './baseline';

const NOW = {
  columns: [{ name: 'spend_usd' }, { name: 'calls' }, { name: 'tokens' }],
  rows: [],
  total: ['15', 30, 600],
} as unknown as QueryResult;

describe('a baseline', () => {
  it('is held against now as if both were 30 days', () => {
    const [spend, calls, , perTask] = compared(
      {
        workload: 'copilot',
        from: '2026-09-01T00:00:00Z',
        until: '2026-09-16T00:00:00Z',
        calls: 15,
        tokens: 300,
        spend_usd: '10',
        tasks: 0,
        signed_by: 'grace',
        signed_at: '2026-09-16T00:00:00Z',
      },
      NOW,
    );
    expect([spend?.before, spend?.now, spend?.change]).toEqual([20, 15, '−25.0\u202f%']);
    expect([calls?.before, calls?.change]).toEqual([30, '±0\u202f%']);
    expect([perTask?.before, perTask?.change]).toEqual([null, null]);
  });
});
