// What each role sees: controls that would be refused are not there, and neither are
// numbers of others.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { pastWeek, World } from './harness/world.mjs';

let world;
before(async () => (world = await World.open()));
after(() => world?.close());
afterEach(() => world.verifyPages());

const { from, to } = pastWeek();
const PAST = `from=${from}&to=${to}`;
const firstColumn = (page) =>
  page
    .locator('tbody tr td:first-child')
    .evaluateAll((cells) => cells.map((cell) => cell.textContent));

test('a developer sees own usage only, in lists, numbers and the API of the page', async () => {
  const me = world.tally.people.developer;
  const page = await world.pageOf('developer');
  await world.open(page, `/people?${PAST}`);
  await page.locator('tfoot td').first().waitFor();
  const people = await firstColumn(page);
  assert.equal(people.length, 1, people.join(', '));
  assert.ok(people[0].includes(me));

  await world.open(page, `/overview?${PAST}`);
  const spend = page.locator('.kpi').filter({ hasText: 'Spend' }).locator('.value').first();
  await spend.waitFor();
  const filters = [{ dimension: 'person', op: 'eq', values: [me] }];
  const range = { from, to };
  const own = await world.api.query({ measures: ['spend_usd'], filters, range });
  assert.equal(await spend.getAttribute('data-exact'), own.total[0]);

  // Filters only ever narrow: asking for somebody else shows nothing of them.
  const other = world.tally.people.admin;
  await world.open(page, `/calls?${PAST}&f=person:eq:${other}`);
  await page.getByText('No call matches').waitFor();
});

test('a call of somebody else is not there for a developer', async () => {
  const others = JSON.stringify([
    { dimension: 'person', op: 'ne', values: [world.tally.people.developer] },
  ]);
  const { items } = await world.api.get(
    `/api/v1/events?${PAST}&limit=1&filters=${encodeURIComponent(others)}`,
  );
  const page = await world.pageOf('developer', { allow: [/Failed to load resource.*40[34]/] });
  await page.goto(`${world.url}/calls/${items[0].call_id}`);
  await page.getByRole('alert').waitFor();
  assert.doesNotMatch(await page.getByRole('main').innerText(), /\$\d/);
});

test('a developer has no control of an admin', async () => {
  const page = await world.pageOf('developer');
  await world.open(page, '/settings');
  const tabs = await page.getByRole('main').getByRole('radio').allInnerTexts();
  for (const tab of ['People', 'System', 'Providers']) {
    assert.ok(!tabs.includes(tab), `${tab} among ${tabs.join(', ')}`);
  }
  for (const tab of ['people', 'system', 'providers']) {
    await world.open(page, `/settings?tab=${tab}`);
    await page.getByRole('heading', { name: 'Who I am' }).waitFor();
  }
  await world.open(page, '/keys');
  assert.equal(await page.getByRole('radio', { name: 'All' }).count(), 0);
  await world.open(page, '/audit');
  await page.getByText('not for your roles').waitFor();
  assert.equal(await page.getByRole('link', { name: 'Audit log' }).count(), 0);
});

test('a manager sees the team and nobody else', async () => {
  const me = await world.api.get(`/api/v1/people/${world.tally.people.manager}`);
  const page = await world.pageOf('manager');
  await world.open(page, `/teams?${PAST}`);
  await page.locator('tfoot td').first().waitFor();
  const teams = await firstColumn(page);
  assert.deepEqual(
    teams.map((name) => name.trim()),
    [me.spec.team],
  );
});

test('a viewer reads everything and changes nothing', async () => {
  const page = await world.pageOf('viewer');
  await world.open(page, `/people?${PAST}`);
  await page.locator('tfoot td').first().waitFor();
  assert.ok((await firstColumn(page)).length > 3);
  await world.open(page, '/settings?tab=organization');
  await page.getByRole('heading', { name: 'Organization' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Save' }).count(), 0);
});

test('no page asks for what its reader may not have', async () => {
  for (const role of ['developer', 'manager', 'viewer', 'finops']) {
    const page = await world.pageOf(role);
    const refused = [];
    page.on('response', (reply) => {
      if (reply.status() === 403) refused.push(reply.url());
    });
    for (const path of [
      '/overview',
      '/explore',
      '/calls',
      '/people',
      '/teams',
      '/models',
      '/keys',
      '/budgets',
      '/quota',
      '/approvals',
      '/approvals?tab=all',
      '/notifications',
      '/policies',
      '/policies?tab=explain',
      '/violations',
      '/exceptions',
      '/exceptions?tab=all',
      '/exceptions/new',
      '/governance',
      '/audit',
      '/settings',
    ]) {
      await world.open(page, path);
      await page.waitForLoadState('networkidle').catch(() => {});
    }
    assert.deepEqual(refused, [], role);
    await page.close();
  }
});
