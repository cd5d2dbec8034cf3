/** The one-time token of the address bar. */

import { onMount } from 'svelte';
import { replaceState } from '$app/navigation';
import { page } from '$app/state';
import { tokenOf } from './links';

/**
 * Reads the token and takes it out of the address bar, so that it is neither in the history
 * nor in what somebody copies. Null until it is read, and when the link holds none.
 */
export class LinkToken {
  value = $state<string | null>(null);
  read = $state(false);

  constructor() {
    onMount(() => {
      this.value = tokenOf(page.url.hash);
      this.read = true;
      // The router is ready only after the first page is drawn.
      if (page.url.hash) setTimeout(() => replaceState(page.url.pathname, {}));
    });
  }
}
