/** Single keys, ignored while typing and while a dialog is open. */

import { goto } from '$app/navigation';
import { page } from '$app/state';
import { view } from '../data/view.svelte';
import { RANGES } from '../urlstate';
import { overlays } from './commands.svelte';
import { hasFilters, placesForMe } from './nav';
import { theme } from './theme.svelte';

/** Whether a key belongs to what has the focus. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName);
}

const FOLLOWS_MS = 1_200;
/** Long ago: zero would be now, in a page that has just been opened. */
const NEVER = Number.NEGATIVE_INFINITY;
let leader = NEVER;

export function onkeydown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.altKey) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    overlays.palette = !overlays.palette;
    return;
  }
  if (event.ctrlKey || event.metaKey || isTyping(event.target)) return;
  if (document.querySelector('[role="dialog"]')) return;
  if (act(event.key)) event.preventDefault();
}

/** Does what a key stands for; says whether it stood for something. */
function act(key: string): boolean {
  if (performance.now() - leader < FOLLOWS_MS) {
    leader = NEVER;
    const place = placesForMe().find((one) => one.key === key);
    if (place) {
      void goto(view.href(place.path));
      return true;
    }
  }
  if (key === 'g') {
    leader = performance.now();
    return true;
  }
  if (key === '?') return (overlays.help = true);
  if (key === '/') return search();
  if (key === '\\') {
    theme.next();
    return true;
  }
  return hasFilters(page.url.pathname) && actOnView(key);
}

function actOnView(key: string): boolean {
  const range = RANGES.find((one) => one.key === key);
  if (range) {
    void view.set({ range: range.name });
    return true;
  }
  if (key === 'f') return (overlays.filter = true);
  if (key === 'x') {
    void view.set({ compare: view.compare === 'none' ? 'previous_period' : 'none' });
    return true;
  }
  if (key === 'Escape' && view.filters.length > 0) {
    void view.set({ filters: [] });
    return true;
  }
  return false;
}

/** The page's own search field, if it has one, else the filter of the bar. */
function search(): boolean {
  const field = document.querySelector<HTMLElement>('[data-search]');
  if (field) {
    field.focus();
    return true;
  }
  if (hasFilters(page.url.pathname)) return (overlays.filter = true);
  return (overlays.palette = true);
}
