/** The view that the address bar says, and ways to change it. */

import { goto } from '$app/navigation';
import { page } from '$app/state';
import type { Filter, Range } from '../api/types';
import {
  type CompareChoice,
  type View,
  hrefWith,
  readView,
  withFilter,
  writeView,
} from '../urlstate';

class CurrentView {
  #view = $derived(readView(page.url.searchParams));

  get range(): Range {
    return this.#view.range;
  }
  get compare(): CompareChoice {
    return this.#view.compare;
  }
  get filters(): Filter[] {
    return this.#view.filters;
  }
  get all(): View {
    return this.#view;
  }

  /** Another page with the same range, comparison and filters. */
  href(path: string, more: Record<string, string> = {}, patch: Partial<View> = {}): string {
    return hrefWith(path, { ...this.#view, ...patch }, more);
  }

  /** This page with another view. */
  set(patch: Partial<View>): Promise<void> {
    // A page number belongs to the view it was counted in.
    const others = new URLSearchParams(page.url.searchParams);
    others.delete('page');
    return open(writeView({ ...this.#view, ...patch }, others));
  }

  /** Narrows this page to one value, as a click on a cell does. */
  narrow(dimension: string, value: string): Promise<void> {
    return this.set({ filters: withFilter(this.#view.filters, dimension, value) });
  }
}

export const view = new CurrentView();

/** Sets or (with null) removes parameters of the query string that a page owns. */
export function setParameters(
  values: Record<string, string | null>,
  options: { replace?: boolean } = {},
): Promise<void> {
  const parameters = new URLSearchParams(page.url.searchParams);
  for (const [name, value] of Object.entries(values)) {
    if (value === null) parameters.delete(name);
    else parameters.set(name, value);
  }
  return open(parameters, options.replace);
}

function open(parameters: URLSearchParams, replaceState = false): Promise<void> {
  const text = parameters.toString();
  const address = text ? `${page.url.pathname}?${text}` : page.url.pathname;
  return goto(address, { keepFocus: true, noScroll: true, replaceState });
}
