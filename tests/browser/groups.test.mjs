// People, teams and models: lists that reconcile.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, test } from 'node:test';

import { pico } from './harness/api.mjs';
import { pastWeek, World } from './harness/world.mjs';

let world;
before(async () => (world = await World.open()));
after(() => world?.close());
afterEach(() => world.verifyPages());

const { from, to } = pastWeek();
const PAST = `from=${from}&to=${to}`;

/** The exact amounts of a column, from the titles of its cells. */
async function amounts(page, column) {
  const titles = await page
    .locator(`tbody tr td:nth-child(${column})`)
    .evaluateAll((cells) => cells.map((cell) => cell.title));
  return titles.map((title) => pico(title.replace(/[$, USD]/g, '')));
}

for (const [path, dimension] of [
  ['/people', 'person'],
  ['/teams', 'team'],
]) {
  test(`${path}: the rows add up to the total, which is that of all calls`, async () => {
    const page = await world.pageOf('admin');
    await world.open(page, `${path}?${PAST}`);
    await page.locator('tfoot td').first().waitFor();
    const sum = (await amounts(page, 3)).reduce((total, amount) => total + amount, 0n);
    const total = await page.locator('tfoot td').nth(2).getAttribute('title');
    assert.equal(sum, pico(total.replace(/[$, USD]/g, '')));

    let events = 0n;
    for await (const event of world.api.events(PAST)) events += pico(event.cost_list_usd ?? '0');
    assert.equal(sum, events, 'the total is the sum of the calls');
    assert.equal(
      await page.locator('tr.unattributed').count(),
      1,
      'what nobody is known for is shown',
    );
    assert.doesNotMatch(await page.locator('thead').innerText(), /rank|#|place/i);
  });

  test(`${path}: the CSV is what the screen shows, in its order`, async () => {
    const page = await world.pageOf('admin');
    await world.open(page, `${path}?${PAST}&sort=calls:asc`);
    await page.locator('tfoot td').first().waitFor();
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'CSV' }).click();
    const file = await readFile(await (await downloading).path(), 'utf8');
    const [head, ...lines] = file
      .trimEnd()
      .split('\r\n')
      .map((line) => line.split(','));
    assert.deepEqual(head.slice(0, 4), [dimension, 'spend_usd', 'tokens', 'calls']);
    const known = lines.filter(([name]) => name !== 'unattributed');
    const screen = (await amounts(page, 3)).slice(0, known.length);
    assert.deepEqual(
      screen,
      known.map((line) => pico(line[1])),
    );
    const calls = await page
      .locator('tbody tr:not(.unattributed) td:nth-child(5)')
      .evaluateAll((cells) => cells.map((cell) => cell.textContent.trim().replaceAll(',', '')));
    assert.deepEqual(
      calls,
      known.map((line) => line[3]),
    );
  });
}

test('the search looks at names and what people are called, and stands in the address', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, `/people?${PAST}`);
  // What people are called comes after the numbers.
  const link = page.locator('tbody tr td:first-child a', { hasText: ' ' }).first();
  const called = await link.innerText();
  await page
    .getByRole('searchbox', { name: 'Search people' })
    .fill(called.split(' ').reverse().join(' '));
  await page.waitForURL('**q=**');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length < 3);
  assert.equal(await page.locator('tbody tr td:first-child a').first().innerText(), called);
});

test('a name leads to a page whose numbers are those of the row', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, `/teams?${PAST}`);
  await page.locator('tbody tr').first().waitFor();
  const spend = await page.locator('tbody tr').first().locator('td').nth(2).getAttribute('title');
  await page.locator('tbody tr td:first-child a').first().click();
  await page.waitForURL('**/teams/**');
  const value = page.locator('.kpi').filter({ hasText: 'Spend' }).locator('.value');
  await value.waitFor();
  assert.equal(await value.getAttribute('title'), spend);
  await page.locator('tfoot td').nth(2).waitFor();
  // Whatever it is split by, the parts reconcile with it.
  for (const region of await page.getByRole('region', { name: /^By .*: table$/ }).all()) {
    await region.locator('tfoot').waitFor();
    const total = await region.locator('tfoot td').nth(2).getAttribute('title');
    assert.equal(total, spend);
  }
});

test('a person of nobody and a team that is gone are told apart from a failure', async () => {
  const page = await world.pageOf('admin', { allow: [/Failed to load resource.*404/] });
  await world.open(page, '/people/nobody.at.all');
  await page.getByText('is not registered any more').waitFor();
  await page.getByText('No usage in this range').waitFor();
});

test('models without a price are called out, with the command that adds one', async () => {
  const { rows } = await world.api.query({
    measures: ['calls_unpriced'],
    dimensions: ['model'],
    range: 'last_30_days',
  });
  const unpriced = rows.filter(([, calls]) => calls > 0).map(([name]) => name);
  assert.ok(unpriced.length > 0, 'the company has a model without a price');
  const page = await world.pageOf('finops');
  await world.open(page, '/models?range=last_30_days');
  const note = page.getByRole('region', { name: /no known price/ });
  for (const name of unpriced) {
    await note.locator('summary', { hasText: name }).click();
    await note.getByText(`model: "${name}"`).waitFor();
  }
  const row = page.locator('tbody tr', { hasText: unpriced[0] });
  assert.doesNotMatch(await row.innerText(), /\$0/, 'an unknown price is never shown as zero');
});

test('prices are found by provider and model', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, '/models?tab=prices');
  await page.getByRole('searchbox', { name: 'Search prices' }).fill('haiku anthropic');
  await page.waitForURL('**q=haiku**');
  await page.waitForFunction(() =>
    [...document.querySelectorAll('tbody tr')].every((row) => row.textContent.includes('haiku')),
  );
  assert.ok((await page.locator('tbody tr').count()) > 0);
});
