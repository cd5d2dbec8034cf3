// The overview: its numbers are those of the calls they lead to, and it moves.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { pico } from './harness/api.mjs';
import { pastWeek, settled, World } from './harness/world.mjs';

let world;
before(async () => (world = await World.open()));
after(() => world?.close());
afterEach(() => world.verifyPages());

const { from, to } = pastWeek();
const PAST = `from=${from}&to=${to}`;
const KINDS = ['input_uncached', 'cache_read', 'cache_write_5m', 'cache_write_1h', 'output'];

/** The parameters of the list of events that an address of the calls page stands for. */
function eventsSearch(href) {
  const page = new URL(href, world.url);
  const search = new URLSearchParams();
  for (const name of ['range', 'from', 'to']) {
    if (page.searchParams.has(name)) search.set(name, page.searchParams.get(name));
  }
  const filters = page.searchParams.getAll('f').map((text) => {
    const [dimension, op, values = ''] = text.split(':');
    const list = values === '' ? [] : values.split(',').map(decodeURIComponent);
    return { dimension: decodeURIComponent(dimension), op, values: list };
  });
  if (filters.length > 0) search.set('filters', JSON.stringify(filters));
  return search;
}

/** What the calls behind a link add up to, one by one and exactly. */
async function sums(href) {
  const sum = { spend_usd: 0n, tokens: 0, calls: 0, failed: 0, priced: 0, fallbacks: 0 };
  for await (const event of world.api.events(eventsSearch(href))) {
    if (event.status === 'refused') continue;
    sum.calls += 1;
    sum.fallbacks += event.fallback ? 1 : 0;
    sum.tokens += KINDS.reduce((total, kind) => total + (event.tokens[kind] ?? 0), 0);
    if (event.cost_list_usd === undefined) continue;
    sum.priced += 1;
    sum.spend_usd += pico(event.cost_list_usd);
  }
  return sum;
}

const kpi = (page, label) =>
  page.locator('a.kpi', { has: page.locator('.label', { hasText: new RegExp(`^${label}$`) }) });
const exactOf = (page, label) => kpi(page, label).locator('.value').getAttribute('data-exact');

for (const filter of ['', '&f=environment:eq:production', '&f=model_family:in:claude-opus,gpt-5']) {
  test(`each number is the sum of the calls it leads to${filter && `, with ${filter.slice(3)}`}`, async () => {
    const page = await world.pageOf('admin');
    await world.open(page, `/overview?${PAST}${filter}`);
    await kpi(page, 'Spend').locator('.value').waitFor();
    const hrefs = {};
    for (const label of ['Spend', 'Tokens', 'Calls']) {
      hrefs[label] = await kpi(page, label).getAttribute('href');
      assert.match(hrefs[label], /^\/calls\?/, label);
    }
    const sum = await sums(hrefs.Spend);
    assert.ok(sum.calls > 0);
    assert.equal(pico(await exactOf(page, 'Spend')), sum.spend_usd);
    assert.equal(Number(await exactOf(page, 'Tokens')), sum.tokens);
    assert.equal(Number(await exactOf(page, 'Calls')), sum.calls);
    // Rounded half up to a whole picodollar.
    const priced = BigInt(sum.priced);
    const mean = (sum.spend_usd * 2n + priced) / (priced * 2n);
    assert.equal(pico(await exactOf(page, 'Cost per call')), mean);
    const rate = Number(await exactOf(page, 'Fallback rate'));
    assert.ok(Math.abs(rate - sum.fallbacks / sum.calls) < 1e-9);
  });
}

test('the link of a number really shows these calls', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, `/overview?${PAST}&f=environment:eq:production`);
  await kpi(page, 'Calls').click();
  await page.waitForURL('**/calls?**');
  await settled(page);
  await page.locator('tbody tr').first().waitFor();
  const search = eventsSearch(page.url());
  assert.equal(search.get('from'), from);
  const { items } = await world.api.get(`/api/v1/events?${search}&limit=50`);
  const shown = await page
    .locator('tbody tr td:first-child a')
    .evaluateAll((links) => links.map((a) => a.getAttribute('href')));
  assert.deepEqual(
    shown,
    items.map((event) => `/calls/${event.call_id}`),
  );
});

test('whatever is on the overview leads on: to calls, to explore, to the page of what it names', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, `/overview?${PAST}`);
  await page.locator('main table tbody tr').first().waitFor();
  const links = await page
    .locator('main a')
    .evaluateAll((all) => all.map((a) => a.getAttribute('href')));
  assert.ok(links.length > 10);
  for (const href of links) {
    const pages = /^\/(calls|catalog|explore|inventory|models|people|teams|violations)\b/;
    assert.match(href, pages, href);
  }
});

test('it moves while one looks', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, '/overview?range=last_hour');
  await kpi(page, 'Calls').locator('.value').waitFor();
  const before = Number(await exactOf(page, 'Calls'));
  await page.waitForFunction((count) => {
    const cards = [...document.querySelectorAll('a.kpi')];
    const card = cards.find((one) => one.querySelector('.label')?.textContent.trim() === 'Calls');
    return Number(card?.querySelector('.value')?.dataset.exact) > count;
  }, before);
});

test('first paint, measured', async (context) => {
  const page = await world.pageOf('admin');
  await world.open(page, '/overview');
  await kpi(page, 'Spend').locator('.value').waitFor();
  const timing = await page.evaluate(() => {
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    const scripts = performance
      .getEntriesByType('resource')
      .filter((one) => one.name.endsWith('.js'));
    return {
      paint: Math.round(paint.startTime),
      scripts: scripts.length,
      kilobytes: Math.round(scripts.reduce((sum, one) => sum + one.encodedBodySize, 0) / 1024),
    };
  });
  const line = `first contentful paint ${timing.paint} ms; ${timing.scripts} scripts, ${timing.kilobytes} KB as sent`;
  context.diagnostic(line);
  console.log(line);
  assert.ok(timing.scripts > 0);
});
