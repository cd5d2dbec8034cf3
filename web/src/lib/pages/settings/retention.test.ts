import { expect, test } from 'vitest';
import { purgedBy, purgedText } from './retention';

test('a run is told in words', () => {
  const run = {
    dry_run: false,
    classes: [
      { data_class: 'internal' as const, events: 1, prompts: 0 },
      { data_class: 'confidential' as const, events: 1200, prompts: 1 },
    ],
    erased_events: 0,
    erased_prompts: 2,
    more: false,
  };
  expect(purgedText(run)).toBe('1,201 calls forget who made them, 3 prompts deleted');
});

test('an entry of the log names each class', () => {
  const purged = {
    classes: { internal: { events: 1, prompts: 2 }, public: { events: 3, prompts: 0 } },
    erased: { events: 0, prompts: 0 },
  };
  expect(purgedBy(purged)).toBe('internal: 1 call, 2 prompts; public: 3 calls');
  expect(purgedBy({ classes: {}, erased: { events: 0, prompts: 1 } })).toBe(
    'erased people: 1 prompt',
  );
  expect(purgedBy(null)).toBe('');
});
