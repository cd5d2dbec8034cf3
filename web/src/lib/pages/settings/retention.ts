/** Words for what a purge does. */

import type { RetentionRun } from '../../api/retention';
import { countExact } from '../../format';

interface Counts {
  events: number;
  prompts: number;
}

export function counted(count: number, what: string): string {
  return `${countExact(count)} ${what}${count === 1 ? '' : 's'}`;
}

function text({ events, prompts }: Counts): string {
  const forget = events === 1 ? 'forgets who made it' : 'forget who made them';
  return `${counted(events, 'call')} ${forget}, ${counted(prompts, 'prompt')} deleted`;
}

export function purgedText({ classes, erased_events, erased_prompts }: RetentionRun): string {
  return text({
    events: classes.reduce((sum, { events }) => sum + events, erased_events),
    prompts: classes.reduce((sum, { prompts }) => sum + prompts, erased_prompts),
  });
}

/** What an entry of the audit log says of a run, class by class. */
export function purgedBy(purged: unknown): string {
  const { classes = {}, erased } = (purged ?? {}) as {
    classes?: Record<string, Counts>;
    erased?: Counts;
  };
  const said = Object.entries(classes).map(([name, counts]) => `${name}: ${brief(counts)}`);
  if (erased && erased.events + erased.prompts > 0) said.push(`erased people: ${brief(erased)}`);
  return said.join('; ');
}

function brief({ events, prompts }: Counts): string {
  const parts = [];
  if (events > 0) parts.push(counted(events, 'call'));
  if (prompts > 0) parts.push(counted(prompts, 'prompt'));
  return parts.join(', ');
}
