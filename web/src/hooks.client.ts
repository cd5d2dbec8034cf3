/** What no page expected. */

import { connection } from '$lib/api/connection.svelte';

export function handleError({ error, message }: { error: unknown; message: string }) {
  // A page whose code cannot be fetched is most often one whose server is away.
  if (error instanceof TypeError && /dynamically imported|import/i.test(error.message)) {
    fetch('/healthz', { cache: 'no-store' }).then(
      () => connection.answered(),
      () => connection.lost(),
    );
  }
  return { message: error instanceof Error ? error.message : message };
}
