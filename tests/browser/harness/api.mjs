// The API as a program sees it, with the demo's admin key: to prepare tests, and to
// compare what pages show.

import { randomUUID } from 'node:crypto';

export class Api {
  constructor(url, key) {
    this.url = url;
    this.key = key;
  }

  async #send(method, path, body) {
    const headers = { authorization: `Bearer ${this.key}` };
    if (body !== undefined) {
      headers['content-type'] = 'application/json';
      headers['idempotency-key'] = randomUUID();
    }
    const reply = await fetch(this.url + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await reply.text();
    if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text}`);
    return text;
  }

  async get(path) {
    return JSON.parse(await this.#send('GET', path));
  }

  async post(path, body = {}) {
    const text = await this.#send('POST', path, body);
    return text ? JSON.parse(text) : null;
  }

  async put(path, body) {
    return JSON.parse(await this.#send('PUT', path, body));
  }

  /** Changes some of a resource's spec. */
  async change(kinds, name, edit) {
    const { version, spec } = await this.get(`/api/v1/${kinds}/${name}`);
    await this.put(`/api/v1/${kinds}/${name}`, { version, spec: { ...spec, ...edit } });
  }

  async delete(path) {
    await this.#send('DELETE', path);
  }

  query(query) {
    return this.post('/api/v1/query', query);
  }

  csv(query) {
    return this.#send('POST', '/api/v1/query?format=csv', query);
  }

  /** Every resource of a kind. */
  async all(kinds) {
    const items = [];
    let after = '';
    do {
      const page = await this.get(`/api/v1/${kinds}?limit=1000${after}`);
      items.push(...page.items);
      after = page.next ? `&after=${encodeURIComponent(page.next)}` : null;
    } while (after);
    return items;
  }

  /** Every usage event of a query string such as `from=…&to=…&filters=…`, page by page. */
  async *events(search) {
    let after = null;
    do {
      const params = new URLSearchParams(search);
      params.set('limit', '1000');
      if (after) params.set('after', after);
      const page = await this.get(`/api/v1/events?${params}`);
      yield* page.items;
      after = page.next;
    } while (after);
  }
}

const PICO_DIGITS = 12;

/** A decimal string of dollars in whole picodollars: sums of money are never floats. */
export function pico(text) {
  const match = /^(-?)(\d+)(?:\.(\d{1,12}))?$/.exec(text);
  if (!match) throw new Error(`\`${text}\` is no exact amount`);
  const [, sign, whole, fraction = ''] = match;
  const amount = BigInt(whole + fraction.padEnd(PICO_DIGITS, '0'));
  return sign ? -amount : amount;
}
