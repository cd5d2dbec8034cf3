/** What the palette offers, and which overlay is open. */

import { untrack } from 'svelte';

export interface Command {
  id: string;
  label: string;
  /** What it belongs to, such as `Go to` or `Period`. */
  group: string;
  /** The keys that do the same. */
  keys?: string;
  run: () => void;
}

class Commands {
  #more = $state.raw<Command[]>([]);

  /** Those of the page that is open. */
  get more(): Command[] {
    return this.#more;
  }

  /** Adds commands until the returned function is called: `$effect(() => commands.add([...]))`. */
  add(some: Command[]): () => void {
    // Who adds commands does not depend on those of others.
    untrack(() => (this.#more = [...this.#more, ...some]));
    return () => {
      this.#more = this.#more.filter((command) => !some.includes(command));
    };
  }
}

export const commands = new Commands();

class Overlays {
  palette = $state(false);
  help = $state(false);
  nav = $state(false);
  filter = $state(false);
}

export const overlays = new Overlays();
