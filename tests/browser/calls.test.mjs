// The calls behind any number.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, test } from 'node:test';

import { pico } from './harness/api.mjs';
import { pastWeek, settled, World } from './harness/world.mjs';

let world;
before(async () => (world = await World.open()));
after(() => world?.close());
afterEach(() => world.verifyPages());

const { from, to } = pastWeek();
const PAST = `from=${from}&to=${to}`;

const rowLinks = (page) =>
  page
    .locator('tbody tr td:first-child a')
    .evaluateAll((links) => links.map((a) => a.getAttribute('href')));

test('the rows are those of the API, page by page', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, `/calls?${PAST}`);
  await page.locator('tbody tr').first().waitFor();
  const first = await world.api.get(`/api/v1/events?${PAST}&limit=50`);
  const link = ({ call_id }) => `/calls/${call_id}`;
  assert.deepEqual(await rowLinks(page), first.items.map(link));

  const after = encodeURIComponent(first.next);
  const second = await world.api.get(`/api/v1/events?${PAST}&limit=50&after=${after}`);
  await page.getByRole('button', { name: 'Older' }).click();
  await page.locator(`a[href="${link(second.items[0])}"]`).waitFor();
  assert.deepEqual(await rowLinks(page), second.items.map(link));
  // The page is in the address, so that it can be sent to somebody.
  assert.equal(new URL(page.url()).searchParams.get('after'), first.next);
  await page.getByRole('button', { name: 'Newer' }).click();
  await page.locator(`a[href="${link(first.items[0])}"]`).waitFor();
});

test('the CSV is what the screen shows', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, `/calls?${PAST}`);
  await page.locator('tbody tr').first().waitFor();
  const shown = await rowLinks(page);
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'CSV' }).click();
  const file = await readFile(await (await downloading).path(), 'utf8');
  const [head, ...lines] = file.trimEnd().split('\r\n');
  const at = head.split(',').indexOf('call_id');
  assert.ok(at >= 0, head);
  // Ids and what stands before them hold no commas.
  assert.deepEqual(
    lines.map((line) => `/calls/${line.split(',')[at]}`),
    shown,
  );
});

test('quotes and SQL in filters are values like any other', async () => {
  const page = await world.pageOf('admin');
  for (const value of ["' OR 1=1 --", 'x"; DROP TABLE events;--', '100%,_[a]:b', '\\', '日本']) {
    const filter = `person:eq:${value.replace(/[%,:]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)}`;
    await world.open(page, `/calls?range=last_30_days&f=${encodeURIComponent(filter)}`);
    await page.getByText('No call matches').waitFor();
    const chips = await page.getByRole('group', { name: 'Filters' }).innerText();
    assert.ok(chips.includes(value), `${chips} holds ${value}`);
  }
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await page.locator('tbody tr').first().waitFor();
});

test('a row opens the story of its call, and Escape closes it again', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, `/calls?${PAST}`);
  await page.locator('tbody tr td:nth-child(4)').first().click();
  const drawer = page.getByRole('dialog', { name: 'Call' });
  await drawer.locator('.figures').waitFor();
  assert.match(page.url(), /[?&]call=/);
  await page.keyboard.press('Escape');
  await drawer.waitFor({ state: 'hidden' });
  assert.doesNotMatch(page.url(), /[?&]call=/);
});

test('by keyboard: down to a row, Enter opens it', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, `/calls?${PAST}`);
  const links = page.locator('tbody tr td:first-child a');
  await links.first().focus();
  await page.keyboard.press('ArrowDown');
  const second = await links.nth(1).getAttribute('href');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('href')), second);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').locator('.figures').waitFor();
  assert.ok(page.url().includes(second.split('/').at(-1)));
});

test('the lines of a price add up to the cost of the call, on the page as in the API', async () => {
  const filters = JSON.stringify([{ dimension: 'status', op: 'eq', values: ['ok'] }]);
  const { items } = await world.api.get(
    `/api/v1/events?${PAST}&limit=20&filters=${encodeURIComponent(filters)}`,
  );
  const priced = items.find((event) => event.cost_list_usd && event.tokens.cache_read);
  const call = await world.api.get(`/api/v1/calls/${priced.call_id}`);
  const { price } = call.attempts.at(-1);
  const sum = price.lines.reduce((total, line) => total + pico(line.cost_usd), 0n);
  assert.equal(sum, pico(price.total_usd));

  const page = await world.pageOf('admin');
  await world.open(page, `/calls/${priced.call_id}`);
  const figure = (label) => page.locator('.figures div', { hasText: label }).locator('dd');
  const kinds = page.getByRole('region', { name: 'Tokens' });
  const tokens = call.total.tokens.toLocaleString('en');
  assert.equal(await figure('Tokens').innerText(), tokens);
  assert.ok((await kinds.locator('tfoot').innerText()).includes(tokens));
  const lines = page.getByRole('region', { name: 'Lines of the price' });
  assert.equal(await lines.locator('tbody tr').count(), price.lines.length);
  const exact = await lines.locator('tfoot td').getAttribute('title');
  assert.equal(pico(exact.replace(/[$, USD]/g, '')), pico(price.total_usd));
  await page.getByRole('button', { name: 'Show JSON' }).click();
  const json = JSON.parse(await page.getByRole('region', { name: 'The call as JSON' }).innerText());
  assert.equal(json.call_id, priced.call_id);
});

test('who, task and session lead on', async () => {
  const filters = JSON.stringify([
    { dimension: 'person', op: 'is_not_null', values: [] },
    { dimension: 'task_id', op: 'is_not_null', values: [] },
  ]);
  const { items } = await world.api.get(
    `/api/v1/events?${PAST}&limit=1&filters=${encodeURIComponent(filters)}`,
  );
  const [event] = items;
  const page = await world.pageOf('admin');
  await world.open(page, `/calls/${event.call_id}`);
  await page.getByRole('link', { name: `Task ${event.task_id}` }).click();
  await page.waitForURL('**/calls?**task_id**');
  await settled(page);
  await page.locator('tbody tr').first().waitFor();
  await page.goBack();
  await page.getByRole('link', { name: event.person, exact: true }).click();
  await page.waitForURL(`**/people/${event.person}**`);
  await page.locator('.kpi .value').first().waitFor();
});

test('live: calls appear as they settle, hold still under the pointer, and stay bounded', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, '/calls');
  await page.getByRole('button', { name: 'Live', exact: true }).click();
  await page.waitForURL('**live=1');
  await page.locator('tbody tr').first().waitFor();
  await page.locator('tbody tr td').first().hover();
  await page.getByText('holding still while you read').waitFor();
  const before = await rowLinks(page);
  await page.getByRole('button', { name: /^\d+ new$/ }).waitFor();
  assert.deepEqual(await rowLinks(page), before, 'nothing moves under the pointer');
  await page.getByRole('button', { name: /^\d+ new$/ }).click();
  const count = before.length;
  await page.waitForFunction((n) => document.querySelectorAll('tbody tr').length > n, count);
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.waitForURL((url) => !url.searchParams.has('live'));
});
