// A burst: asked for by one person, decided by another, in force, ended; and its minutes.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Api, pico } from './harness/api.mjs';
import { counted, dropBudget, makeBudget } from './harness/budgets.mjs';
import { assertAccessible } from './harness/checks.mjs';
import { World } from './harness/world.mjs';

let world;
let budget;
let asker;
let approver;
before(async () => {
  world = await World.open();
  ({ developer: asker, finops: approver } = world.tally.people);
  budget = await makeBudget(world, { approvers: ['owner'] });
  await counted(world, budget);
});
after(async () => {
  try {
    await dropBudget(world, budget);
  } finally {
    await world?.close();
  }
});
afterEach(() => world.verifyPages());

const grantsOf = async () =>
  (await world.api.all('grants')).filter(({ spec }) => spec.counter.budget === budget);
const grant = (name) => world.api.get(`/api/v1/grants/${encodeURIComponent(name)}`);

/** Asks in the browser, as the developer; says the grant's name. */
async function ask(amount, reason) {
  const page = await world.pageOf('developer');
  await world.open(page, '/quota');
  await page.getByRole('button', { name: `Ask for more of ${budget}` }).click();
  const dialog = page.getByRole('dialog', { name: `More for ${budget}` });
  await dialog.getByLabel('How much more (USD)').fill(amount);
  await dialog.getByLabel('Why').fill(reason);
  await dialog.getByRole('button', { name: 'Look at it' }).click();
  await dialog.getByRole('heading', { name: 'Who has to approve' }).waitFor();
  // Twice: the second click does nothing.
  await dialog.getByRole('button', { name: 'Send the request' }).dblclick();
  await page.waitForURL('**/approvals/*');
  const name = decodeURIComponent(new URL(page.url()).pathname.split('/').at(-1));
  await page.close();
  return name;
}

test('before it is sent, a request shows who decides and what binds next', async () => {
  const page = await world.pageOf('developer');
  await world.open(page, '/quota');
  await page.getByRole('button', { name: `Ask for more of ${budget}` }).click();
  const dialog = page.getByRole('dialog', { name: `More for ${budget}` });
  await dialog.waitFor();
  await assertAccessible(page, 'ask for more');
  await dialog.getByLabel('How much more (USD)').fill('-5');
  await dialog.getByRole('button', { name: 'Look at it' }).click();
  await dialog.getByText('Dollars above zero').waitFor();
  await dialog.getByText('Say why').waitFor();
  await dialog.getByLabel('How much more (USD)').fill('250');
  await dialog.getByLabel('Why').fill('only looking');
  await dialog.getByRole('button', { name: 'Look at it' }).click();
  await dialog.getByRole('heading', { name: 'Who has to approve' }).waitFor();
  assert.match(await dialog.innerText(), new RegExp(approver.replaceAll('.', '\\.')));
  await dialog.getByRole('heading', { name: 'The next budget above' }).waitFor();
  await assertAccessible(page, 'ask for more, seen before');
  await page.keyboard.press('Escape');
  assert.deepEqual(await grantsOf(), [], 'looking stores nothing');
});

test('asked, approved by another person, in force, and told in the minutes', async () => {
  const name = await ask('250', 'The recall is real');
  assert.equal((await grantsOf()).length, 1, 'a double click asks once');

  const own = await world.pageOf('developer');
  await world.open(own, `/approvals/${encodeURIComponent(name)}`);
  await own.getByText('Nobody approves their own request.').waitFor();
  assert.equal(await own.getByRole('button', { name: /^Approve/ }).count(), 0);
  await own.close();

  const page = await world.pageOf('finops');
  await world.open(page, '/approvals');
  await page.getByRole('link', { name: /^Notifications, \d+ unread$/ }).waitFor();
  const card = page.getByRole('article', { name: `$250 more on ${budget}` });
  await card.waitFor();
  const said = await card.innerText();
  assert.ok(said.includes(asker) && said.includes('The recall is real'), said);
  await card.getByRole('heading', { name: 'The next budget above' }).waitFor();
  await assertAccessible(page, 'to decide');
  await card.getByRole('button', { name: /^Approve/ }).click();
  await card.getByRole('button', { name: 'Approve it' }).dblclick();
  await card.waitFor({ state: 'detached' });
  const { spec } = await grant(name);
  assert.equal(spec.state, 'approved');
  assert.deepEqual(
    spec.decisions.map(({ by, approved }) => [by, approved]),
    [[approver, true]],
  );

  await world.open(page, `/budgets/${budget}`);
  const limit = page.locator('dl > div').filter({ has: page.getByText('Limit', { exact: true }) });
  await limit.getByText('$250 granted').waitFor();
  const raised = await limit.locator('dd').first().getAttribute('data-exact');
  assert.equal(pico(raised), pico('1000250'));

  await world.open(page, `/approvals/${encodeURIComponent(name)}`);
  await page.getByText('In force').waitFor();
  const minutes = await page.locator('main ol').innerText();
  assert.ok(minutes.indexOf(asker) >= 0 && minutes.indexOf(asker) < minutes.indexOf(approver));
  assert.match(minutes, /asked for .* more on/);
  assert.match(minutes, /approved it as owner/);
  await assertAccessible(page, 'minutes');

  await page.getByRole('button', { name: /^Revoke/ }).click();
  await page.getByRole('button', { name: 'Revoke it' }).click();
  await page.getByText('Say why').waitFor();
  await page.getByLabel('Why').fill('The recall is over');
  await page.getByRole('button', { name: 'Revoke it' }).click();
  await page.locator('main ol').getByText('The recall is over').waitFor();
  assert.equal((await grant(name)).spec.state, 'revoked');
});

test('a burst ends by itself, in force and in the minutes', async () => {
  const key = await world.api.post('/api/v1/keys', {
    name: `test-burst-${Date.now()}`,
    spec: { person: asker, scopes: ['read', 'write'] },
  });
  const { name } = await new Api(world.tally.url, key.secret).post('/api/v1/grants', {
    counter: { budget },
    increase: { usd: '70' },
    until: new Date(Date.now() + 20_000).toISOString(),
    reason: 'Only for seconds',
  });
  const page = await world.pageOf('finops');
  await world.open(page, '/approvals');
  const card = page.getByRole('article', { name: `$70 more on ${budget}` });
  await card.getByRole('button', { name: /^Approve/ }).click();
  await card.getByRole('button', { name: 'Approve it' }).click();
  await card.waitFor({ state: 'detached' });
  assert.equal((await grant(name)).spec.state, 'approved');
  const granted = async () => (await world.api.get(`/api/v1/budgets/${budget}/use`)).granted.usd;
  assert.equal(await granted(), '70');

  const end = Date.now() + 60_000;
  while ((await grant(name)).spec.state !== 'expired' && Date.now() < end) await sleep(250);
  assert.equal(await granted(), '0');
  await world.open(page, `/approvals/${encodeURIComponent(name)}`);
  await page.getByText('Ended', { exact: true }).first().waitFor();
  const minutes = await page.locator('main ol').innerText();
  assert.ok(minutes.indexOf('Only for seconds') < minutes.lastIndexOf('ended'), minutes);
});

test('a denial needs a reason, which who asked reads', async () => {
  const name = await ask('300', 'Just in case');
  const page = await world.pageOf('finops');
  await world.open(page, '/approvals');
  const card = page.getByRole('article', { name: `$300 more on ${budget}` });
  await card.getByRole('button', { name: /^Deny/ }).click();
  await card.getByRole('button', { name: 'Deny it' }).click();
  await card.getByText('Say why').waitFor();
  assert.equal((await grant(name)).spec.state, 'pending');
  await card.getByLabel('Why').fill('A plan first, please');
  await card.getByRole('button', { name: 'Deny it' }).click();
  await card.waitFor({ state: 'detached' });
  await page.close();

  const own = await world.pageOf('developer');
  await world.open(own, '/approvals?tab=mine');
  const row = own.locator('tbody tr', { hasText: '$300 more' });
  await row.getByText('Denied').waitFor();
  await row.getByRole('link').click();
  await own.locator('main ol').getByText('A plan first, please').waitFor();
});

test('a request can be taken back', async () => {
  const name = await ask('400', 'Perhaps');
  const page = await world.pageOf('developer');
  await world.open(page, `/approvals/${encodeURIComponent(name)}`);
  await page.getByRole('button', { name: /^Withdraw/ }).click();
  await page.getByRole('button', { name: 'Withdraw it' }).click();
  await page.getByText('Withdrawn').first().waitFor();
  assert.equal((await grant(name)).spec.state, 'withdrawn');
});

test('the inbox counts what is unread and forgets it when it is read', async () => {
  const name = await ask('500', 'To be told of');
  const page = await world.pageOf('finops');
  await world.open(page, '/notifications');
  const row = page.locator('main li', { hasText: budget }).first();
  await row.waitFor();
  await row.getByRole('link').click();
  await page.waitForURL(`**/approvals/${encodeURIComponent(name)}`);
  await world.open(page, '/notifications?show=unread');
  await page.getByRole('button', { name: 'Mark all as read' }).click();
  await page.getByText('Nothing unread').waitFor();
  await page.getByRole('link', { name: 'Notifications', exact: true }).first().waitFor();
});
