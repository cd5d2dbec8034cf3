/** The people and teams that are registered, by name. */

import { session } from '../../api/session.svelte';
import { Loaded } from '../../data/loaded.svelte';
import { type PersonSpec, type Resource, type TeamSpec, listResources } from '../resources';

/** A list of a kind, empty for whoever may not list it. */
function registry<Spec>(kinds: string, operation: string) {
  return new Loaded(
    () => (session.can(operation) ? kinds : null),
    (of, signal) => listResources<Spec>(of, signal),
  );
}

/** To be made while a component is set up. */
export class People {
  #loaded = registry<PersonSpec>('people', 'listPeople');
  all = $derived<Resource<PersonSpec>[]>(this.#loaded.data ?? []);
  #byName = $derived(new Map(this.all.map((person) => [person.name, person.spec])));

  get(name: string): PersonSpec | undefined {
    return this.#byName.get(name);
  }
}

export class Teams {
  #loaded = registry<TeamSpec>('teams', 'listTeams');
  all = $derived<Resource<TeamSpec>[]>(this.#loaded.data ?? []);
  #byName = $derived(new Map(this.all.map((team) => [team.name, team.spec])));

  get(name: string): TeamSpec | undefined {
    return this.#byName.get(name);
  }
}
