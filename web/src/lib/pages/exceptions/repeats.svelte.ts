/** Which exceptions repeat an earlier one: that is the server's to say, on its agenda. */

import { GUARDRAILS, getAgenda } from '../../api/guardrails';
import { session } from '../../api/session.svelte';
import { Loaded } from '../../data/loaded.svelte';

/** To be made while a component is set up. */
export class Repeats {
  // All that wait or hold are on the agenda of the month that goes on.
  #agenda = new Loaded(
    () => (session.can(GUARDRAILS.agenda) ? { month: null } : null),
    ({ month }, signal) => getAgenda(month, signal),
  );
  #byName = $derived(
    new Map((this.#agenda.data?.repeated ?? []).map(({ name, repeats }) => [name, repeats])),
  );

  /** The earlier one, null where there is none or nothing is known of one. */
  of(name: string): string | null {
    return this.#byName.get(name) ?? null;
  }
}
