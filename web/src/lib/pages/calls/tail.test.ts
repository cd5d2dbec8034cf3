import { expect, it } from 'vitest';
import type { LiveBatch, UsageEvent } from '../../api/types';
import { ROWS_MAX, Tail } from './tail.svelte';

function batch(...ids: number[]): LiveBatch {
  const items = ids.map(
    (id) => ({ event_id: `e${id}`, time: new Date(id * 1_000).toISOString() }) as UsageEvent,
  );
  const time = '2026-07-28T10:00:00Z';
  return {
    time,
    calls: ids.length,
    failed: 0,
    tokens: 0,
    spend_usd: '0',
    items,
    omitted: 0,
  };
}

const ids = (tail: Tail) => tail.rows.map((row) => row.event_id);

it('shows the newest first, and nothing twice', () => {
  const tail = new Tail();
  tail.take(batch(1, 2));
  tail.take(batch(2, 3));
  expect(ids(tail)).toEqual(['e3', 'e2', 'e1']);
});

it('holds still and counts what waits', () => {
  const tail = new Tail();
  tail.take(batch(1));
  tail.hold(true);
  tail.take(batch(2, 3));
  expect(ids(tail)).toEqual(['e1']);
  expect(tail.waiting).toBe(2);
  tail.hold(false);
  expect(ids(tail)).toEqual(['e3', 'e2', 'e1']);
  expect(tail.waiting).toBe(0);
});

it('never grows beyond its bound, shown or waiting', () => {
  const tail = new Tail();
  tail.hold(true);
  for (let at = 0; at < ROWS_MAX + 40; at += 10) {
    tail.take(batch(...Array.from({ length: 10 }, (_, index) => at + index)));
  }
  expect(tail.waiting).toBe(ROWS_MAX);
  tail.hold(false);
  tail.take(batch(9_000));
  expect(tail.rows).toHaveLength(ROWS_MAX);
  expect(ids(tail)[0]).toBe('e9000');
});
