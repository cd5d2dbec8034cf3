/** What dimensions and measures are called, from the catalog. */

import { getCatalog } from '../api/query';
import type { Catalog } from '../api/types';
import { words } from '../format';

class Labels {
  catalog = $state.raw<Catalog | null>(null);

  #asked = false;

  /** Fetches the catalog once; names look like their codes until it is there. */
  load(): void {
    if (this.#asked) return;
    this.#asked = true;
    getCatalog().then(
      (catalog) => (this.catalog = catalog),
      () => (this.#asked = false),
    );
  }

  dimension(name: string): string {
    if (name.startsWith('tag:')) return name.slice(4);
    const known = this.catalog?.dimensions.find((one) => one.name === name);
    return known?.label ?? sentence(name);
  }

  measure(name: string): string {
    const known = this.catalog?.measures.find((one) => one.name === name);
    return known?.label ?? sentence(name);
  }

  definition(measure: string): string | undefined {
    return this.catalog?.measures.find((one) => one.name === measure)?.description;
  }
}

function sentence(code: string): string {
  const text = words(code);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export const labels = new Labels();
