/** The one way to the API: identity, idempotency and failures are handled here. */

import createClient from 'openapi-fetch';
import { goto } from '$app/navigation';
import { connection } from './connection.svelte';
import { Problem } from './problem';
import type { paths } from './schema';

export interface RequestOptions {
  query?: Record<string, string | number | boolean | null | undefined>;
  signal?: AbortSignal;
  headers?: Record<string, string>;
  /** Given by a form, so that a repeated click or a retry does nothing twice. */
  idempotencyKey?: string;
}

const IDEMPOTENCY = 'idempotency-key';

let csrfToken: string | null = null;

/** Set from `Me`, cleared at sign-out. */
export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** Pages that work without a session, where an expired one is no reason to leave. */
const OPEN_PAGES = ['/sign-in', '/join', '/set-up'];

/** Sends a request; resolves only with a success. */
export function send(
  method: string,
  path: string,
  body?: unknown,
  options: RequestOptions = {},
): Promise<Response> {
  const headers = new Headers(options.headers);
  if (body !== undefined && !headers.has('content-type')) {
    headers.set('content-type', 'application/json');
  }
  if (options.idempotencyKey) headers.set(IDEMPOTENCY, options.idempotencyKey);
  const request = new Request(path + search(options.query), {
    method,
    headers,
    credentials: 'same-origin',
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    signal: options.signal,
  });
  return exchange(request);
}

/** The same API, with paths, bodies and answers checked against its OpenAPI document. */
export const typed = createClient<paths>({ fetch: exchange });

async function exchange(request: Request): Promise<Response> {
  const { headers, method } = request;
  if (!headers.has('accept')) headers.set('accept', 'application/json');
  if (method !== 'GET' && csrfToken) headers.set('x-tally-csrf', csrfToken);
  if (method === 'POST' && !headers.has(IDEMPOTENCY)) headers.set(IDEMPOTENCY, newId());
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    connection.lost();
    throw Problem.away();
  }
  // 502 and 504 come from a proxy in front of a Tally that is not there.
  if (response.status === 502 || response.status === 504) {
    connection.lost();
    throw Problem.away();
  }
  connection.answered();
  if (response.ok) return response;
  const problem = await Problem.from(response);
  if (problem.status === 401) signInAgain();
  throw problem;
}

async function json<T>(response: Promise<Response>): Promise<T> {
  const answered = await response;
  return (answered.status === 204 ? undefined : await answered.json()) as T;
}

export const api = {
  get: <T>(path: string, options?: RequestOptions) =>
    json<T>(send('GET', path, undefined, options)),
  post: <T>(path: string, body?: unknown, options?: RequestOptions) =>
    json<T>(send('POST', path, body, options)),
  put: <T>(path: string, body: unknown, options?: RequestOptions) =>
    json<T>(send('PUT', path, body, options)),
  delete: <T = void>(path: string, options?: RequestOptions) =>
    json<T>(send('DELETE', path, undefined, options)),
};

/** A path with its parts percent-encoded: at`/api/v1/teams/${name}`. */
export function at(texts: TemplateStringsArray, ...parts: (string | number)[]): string {
  return texts.reduce((path, text, index) => {
    const part = parts[index];
    return path + text + (part === undefined ? '' : encodeURIComponent(part));
  }, '');
}

export function newId(): string {
  // `randomUUID` exists only on https and localhost; a plain-http install is allowed.
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function search(query: RequestOptions['query']): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined) parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text ? `?${text}` : '';
}

/** Leaves for the sign-in page, which comes back to where we are. */
function signInAgain(): void {
  const { pathname, search: query } = window.location;
  if (OPEN_PAGES.includes(pathname)) return;
  const next = encodeURIComponent(pathname + query);
  void goto(`/sign-in?next=${next}`, { replaceState: true });
}
