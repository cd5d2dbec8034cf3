// Keys by self-service, and what others see of them.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { assertAccessible } from './harness/checks.mjs';
import { World } from './harness/world.mjs';

let world;
before(async () => (world = await World.open()));
after(() => world?.close());
afterEach(() => world.verifyPages());

/** What the gateway says to a secret. */
async function gateway(secret) {
  const reply = await fetch(`${world.url}/v1/models`, {
    headers: { authorization: `Bearer ${secret}` },
  });
  return reply.status;
}

async function shownSecret(page) {
  const dialog = page.getByRole('dialog', { name: /^The secret of/ });
  await dialog.waitFor();
  return { dialog, secret: (await dialog.locator('pre').first().innerText()).trim() };
}

test('a developer makes a key, uses it, gives it another secret and revokes it', async () => {
  const page = await world.pageOf('developer');
  const me = world.tally.people.developer;
  const name = `${me}-test-${Date.now()}`;
  await world.open(page, '/keys');

  await page.getByRole('button', { name: 'New key' }).first().click();
  const form = page.getByRole('dialog', { name: 'New key' });
  await form.waitFor();
  await assertAccessible(page, 'new key');
  assert.equal(await form.getByLabel('Belongs to').count(), 0, 'only admins choose for whom');
  await form.getByLabel('Name').fill('no spaces allowed');
  await form.getByRole('button', { name: 'Make the key' }).click();
  await form.getByText('Letters, digits').waitFor();
  await form.getByLabel('Name').fill(name);
  // Twice: the second click does nothing.
  await form.getByRole('button', { name: 'Make the key' }).dblclick();

  const { dialog, secret } = await shownSecret(page);
  assert.match(secret, /^tally_\w{32}$/);
  await assertAccessible(page, 'a secret');
  for (const client of ['Claude Code', 'OpenAI SDK', 'Anthropic SDK', 'curl']) {
    await dialog.getByRole('radio', { name: client }).click();
    const lines = await dialog.locator('pre').nth(1).innerText();
    assert.ok(lines.includes(secret) && lines.includes(world.url), `${client}: ${lines}`);
  }
  assert.equal(await gateway(secret), 200);
  await dialog.getByRole('button', { name: 'I have kept it' }).click();
  assert.doesNotMatch(await page.locator('body').innerText(), new RegExp(secret), 'shown once');
  const mine = (await world.api.all('keys')).filter((key) => key.name === name);
  assert.equal(mine.length, 1);
  assert.deepEqual(mine[0].spec.scopes, ['gateway', 'ingest']);

  await page.getByRole('button', { name: `Rotate ${name}` }).click();
  await page.getByText('The old secret stops at once').waitFor();
  await page.getByRole('button', { name: 'Rotate', exact: true }).click();
  const fresh = await shownSecret(page);
  assert.notEqual(fresh.secret, secret);
  assert.deepEqual([await gateway(secret), await gateway(fresh.secret)], [401, 200]);
  await fresh.dialog.getByRole('button', { name: 'I have kept it' }).click();

  await page.getByRole('button', { name: `Revoke ${name}` }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await gateway(fresh.secret), 200, 'cancelled is not done');
  await page.getByRole('button', { name: `Revoke ${name}` }).click();
  await page.getByRole('button', { name: 'Revoke', exact: true }).click();
  await page.locator('tbody tr', { hasText: name }).getByText('revoked').waitFor();
  assert.equal(await gateway(fresh.secret), 401);
});

test('an admin sees all keys and finds one; its name leads to its calls', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, '/keys');
  await page.getByRole('radio', { name: 'All' }).click();
  const all = await world.api.all('keys');
  await page.waitForFunction(
    (count) => document.querySelectorAll('tbody tr').length === count,
    Math.min(100, all.length),
  );
  const { person, name } = {
    ...all.find((key) => key.spec.person).spec,
    name: all.find((key) => key.spec.person).name,
  };
  await page.getByRole('searchbox', { name: 'Search keys' }).fill(name);
  await page.waitForURL('**q=**');
  const row = page.locator('tbody tr', { hasText: person }).first();
  await row.waitFor();
  await row.getByRole('link', { name }).first().click();
  await page.waitForURL('**/calls?**key**');
});

test('a failure stays in the form, with what was typed', async () => {
  const page = await world.pageOf('admin', { allow: [/Failed to load resource.*4(09|22)/] });
  const [taken] = await world.api.all('keys');
  await world.open(page, '/keys');
  await page.getByRole('button', { name: 'New key' }).first().click();
  const form = page.getByRole('dialog', { name: 'New key' });
  await form.getByLabel('Name').fill(taken.name);
  await form.getByRole('button', { name: 'Make the key' }).click();
  await form.getByRole('alert').waitFor();
  assert.match(await form.getByRole('alert').innerText(), /Next step/);
  assert.equal(await form.getByLabel('Name').inputValue(), taken.name);
});
