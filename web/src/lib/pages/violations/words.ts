/** Violations in plain words. */

import type { UsageEvent } from '../../api/types';
import { NONE } from '../../format';

/** Who called: the person, for which workload, else with which key. */
export function whoOf({ person, workload, key, team }: UsageEvent): string {
  const who = person ?? (workload ? undefined : key);
  return [who, workload, team].filter(Boolean).join(' · ') || NONE;
}

/** What was asked for: the model, where, with what data. */
export function whatOf(event: UsageEvent): string {
  const { model_requested: asked, model_served: served, provider } = event;
  const model = asked ?? served;
  const data = typeof event.data_class === 'string' ? `${event.data_class} data` : undefined;
  const at = provider ? `at ${provider}` : undefined;
  return [model, at, data].filter(Boolean).join(' · ') || NONE;
}
