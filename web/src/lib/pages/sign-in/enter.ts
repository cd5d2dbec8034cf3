/** How a person comes in: by name and password, or by a link that works once. */

import { api } from '../../api/client';
import type { Me } from '../../api/types';

export interface SignInMethods {
  methods: { kind: string; name?: string; href?: string }[];
  needs_set_up: boolean;
}

export const PASSWORD_HINT =
  'At least 12 characters. A few words in a row are easier to remember than symbols.';
const PASSWORD_CHARACTERS_MIN = 12;

/** What is wrong with a new password, as far as the browser can tell; the server has the last word. */
export function passwordFlaw(password: string): string | null {
  const missing = PASSWORD_CHARACTERS_MIN - [...password].length;
  if (missing <= 0) return null;
  return missing === 1 ? 'One more character is needed.' : `${missing} more characters are needed.`;
}

export const methods = (signal?: AbortSignal): Promise<SignInMethods> =>
  api.get('/api/v1/sign-in', { signal });

export const signIn = (name: string, password: string): Promise<Me> =>
  api.post('/api/v1/sign-in', { name, password });

export interface FirstAdmin {
  token: string;
  name: string;
  display_name?: string;
  email?: string;
  password: string;
}

export const setUp = (admin: FirstAdmin): Promise<Me> => api.post('/api/v1/set-up', admin);

export const accept = (token: string, password: string): Promise<Me> =>
  api.post('/api/v1/invitations/accept', { token, password });
