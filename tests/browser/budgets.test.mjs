// Budgets and my quota: what the pages show is what the API answered them.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, test } from 'node:test';

import { counted, dropBudget, makeBudget } from './harness/budgets.mjs';
import { World } from './harness/world.mjs';

let world;
let budget;
let eachTeam;
before(async () => {
  world = await World.open();
  budget = await makeBudget(world);
  eachTeam = await makeBudget(world, {
    scope: { each: 'team' },
    limit: { tokens: 1 },
    stages: [{ at: 50, notify: ['owner'] }],
  });
  await counted(world, budget);
  await counted(world, eachTeam, 2);
});
after(async () => {
  try {
    for (const name of [budget, eachTeam]) await dropBudget(world, name);
  } finally {
    await world?.close();
  }
});
afterEach(() => world.verifyPages());

const amountOf = (limit) => String(Object.values(limit)[0]);

/** Opens a page and what the API answered it on a path. */
async function openWith(page, path, asked) {
  const answers = [];
  page.on('response', (reply) => {
    const url = new URL(reply.url());
    if (reply.ok() && url.pathname === asked) answers.push(reply);
  });
  await world.open(page, path);
  // Live calls move the numbers: what counts is the answer that is shown.
  const last = async () => JSON.parse(await answers.at(-1).text());
  return { last };
}

test('the page of a budget has the numbers of the API', async () => {
  const page = await world.pageOf('finops');
  const { last } = await openWith(page, `/budgets/${budget}`, '/api/v1/budget-use');
  const figure = (label) =>
    page
      .locator('dl > div')
      .filter({ has: page.getByText(label, { exact: true }) })
      .locator('dd')
      .first();
  await figure('Used').waitFor();
  const [use] = (await last()).items.filter(({ counter }) => counter.budget === budget);
  for (const [label, limit] of [
    ['Limit', use.limit],
    ['Used', use.settled],
    ['Reserved', use.reserved],
  ]) {
    assert.equal(await figure(label).getAttribute('data-exact'), amountOf(limit), label);
  }
  const said = await page.getByRole('main').innerText();
  assert.match(said, /70 % The owner is told\./);
  assert.match(said, /80 % The owner and FinOps have to approve; calls go on meanwhile\./);
  assert.match(said, /100 % Calls go to the next cheaper model\./);
  assert.match(said, /OK/, 'the state is said in words');
});

test('the bar says in words what its colour and lengths say', async () => {
  const page = await world.pageOf('finops');
  await world.open(page, `/budgets/${budget}`);
  const bar = page.getByRole('img', { name: new RegExp(`^${budget}: .* used, .* reserved; `) });
  await bar.first().waitFor();
  assert.match(await bar.first().getAttribute('aria-label'), /1,000,000\.00 USD used/);
});

test('the list finds, filters and sorts; its address says how', async () => {
  const page = await world.pageOf('finops');
  await world.open(page, '/budgets');
  await page.getByRole('searchbox', { name: 'Search budgets' }).fill(budget);
  await page.waitForURL(`**q=${budget}**`);
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  await page.getByLabel('State', { exact: true }).selectOption('denied');
  await page.waitForURL('**state=denied**');
  await page.getByText('No budget matches').waitFor();
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.locator('tbody tr').nth(1).waitFor();
  await page.getByRole('columnheader', { name: 'Budget' }).getByRole('button').click();
  await page.waitForURL('**sort=name**');
  await page.reload();
  await page.locator('tbody tr').first().waitFor();
  assert.equal(
    await page.getByRole('columnheader', { name: 'Budget' }).getAttribute('aria-sort'),
    'ascending',
  );
});

test('a budget with one for each team is one row that opens', async () => {
  const page = await world.pageOf('finops');
  const { last } = await openWith(page, '/budgets', '/api/v1/budget-use');
  const own = (await last()).items.filter(({ counter }) => counter.budget === eachTeam);
  assert.ok(own.length > 1, `${own.length} teams`);
  const toggle = page.getByRole('button', { name: eachTeam });
  await toggle.click();
  await page.waitForURL(`**open=${eachTeam}**`);
  assert.equal(await toggle.getAttribute('aria-expanded'), 'true');
  for (const { counter } of own) {
    await page.getByRole('link', { name: `${eachTeam} · ${counter.each}` }).waitFor();
  }
  await page.getByRole('link', { name: `${eachTeam} · ${own[0].counter.each}` }).click();
  await page.waitForURL(`**/budgets/${eachTeam}?each=**`);
  await page
    .getByRole('heading', { level: 1, name: `${eachTeam} · ${own[0].counter.each}` })
    .waitFor();
});

test('the file has every counter with every digit', async () => {
  const page = await world.pageOf('finops');
  const { last } = await openWith(page, `/budgets?q=${eachTeam}`, '/api/v1/budget-use');
  await page.locator('tbody tr').first().waitFor();
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'CSV' }).click(),
  ]);
  const lines = (await readFile(await file.path(), 'utf8')).trim().split('\r\n');
  const head = lines.shift().split(',');
  const rows = lines.map((line) =>
    Object.fromEntries(line.split(',').map((cell, at) => [head[at], cell])),
  );
  const own = (await last()).items.filter(({ counter }) => counter.budget === eachTeam);
  assert.deepEqual(
    rows.map((row) => [row.each, row.settled, row.limit]).sort(),
    own.map((use) => [use.counter.each, amountOf(use.settled), amountOf(use.limit)]).sort(),
  );
});

test('a counter leads to its calls, and to those of who spends most', async () => {
  const [use] = await counted(world, eachTeam);
  const { each } = use.counter;
  const page = await world.pageOf('finops');
  await world.open(page, `/budgets/${eachTeam}?each=${encodeURIComponent(each)}`);
  await page.getByRole('link', { name: 'Calls', exact: true }).last().click();
  await page.waitForURL('**/calls?**');
  const address = new URL(page.url());
  assert.deepEqual(address.searchParams.getAll('f'), [`team:eq:${each}`]);
  assert.equal(Date.parse(address.searchParams.get('from')), Date.parse(use.window_start));
  await page.goBack();
  const people = page.getByRole('region', { name: 'Top people: table' });
  const first = people.locator('tbody tr a').first();
  const name = (await first.innerText()).trim();
  await first.click();
  await page.waitForURL('**/calls?**');
  const filters = new URL(page.url()).searchParams.getAll('f');
  assert.equal(filters.length, 2, filters.join(', '));
  assert.ok(
    filters[1].startsWith(name === 'unattributed' ? 'person:is_null' : `person:eq:${name}`),
  );
});

test('a developer sees the quota the API says, in plain words, and edits nothing', async () => {
  const page = await world.pageOf('developer');
  const { last } = await openWith(page, '/quota', '/api/v1/me/budgets');
  const { items } = await last();
  assert.equal(await page.locator('article').count(), items.length);
  const mine = page.getByRole('article', { name: budget });
  await mine.waitFor();
  assert.match(await mine.innerText(), /Your calls go on as they are\./);
  assert.match(await mine.innerText(), /At 70 % the owner is told\./);
  await mine.getByRole('link', { name: budget }).click();
  await page.waitForURL(`**/budgets/${budget}`);
  await page.locator('dl dd').first().waitFor();
  assert.doesNotMatch(await page.getByRole('main').innerText(), /tally apply/);
});

test('a budget that is not there says so', async () => {
  const page = await world.pageOf('finops', { allow: [/Failed to load resource.*404/] });
  await page.goto(`${world.url}/budgets/there-is-none`);
  await page.getByRole('alert').waitFor();
});
