/** The one-time token of the address bar. */

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

  /** To be made while a page is set up; a link that is pasted later is read, too. */
  constructor() {
    $effect(() => {
      const { hash, pathname } = page.url;
      const found = tokenOf(hash);
      if (found !== null) this.value = found;
      this.read = true;
      // The router is ready only after the first page is drawn.
      if (hash) setTimeout(() => replaceState(pathname, {}));
    });
  }
}
