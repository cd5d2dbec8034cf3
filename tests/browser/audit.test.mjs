// The audit log: what changed, and what proves that nobody rewrote it.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, test } from 'node:test';

import { assertAccessible } from './harness/checks.mjs';
import { World } from './harness/world.mjs';

let world;
before(async () => (world = await World.open()));
after(() => world?.close());
afterEach(() => world.verifyPages());

/** What the browser saves when a button is pressed. */
async function saved(page, button) {
  const [file] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') };
}

test('a change shows up in the audit log, with what was before and after', async () => {
  const name = `audited-${Date.now()}`;
  const { version } = await world.api.post('/api/v1/teams', {
    name,
    spec: { department: 'before' },
  });
  await world.api.put(`/api/v1/teams/${name}`, { version, spec: { department: 'after' } });
  const page = await world.pageOf('admin');
  await world.open(page, `/audit?q=${name}&kind=Team`);
  await page.locator('tbody tr').nth(1).waitFor();
  assert.equal(await page.locator('tbody tr').count(), 2);
  await page.locator('tbody tr').first().getByRole('button').click();
  const drawer = page.getByRole('dialog', { name: `Team ${name}` });
  await drawer.waitFor();
  assert.match(await drawer.locator('del').innerText(), /before/);
  assert.match(await drawer.locator('ins').innerText(), /after/);
  await assertAccessible(page, 'an entry of the audit log');
  await page.keyboard.press('Escape');
  await drawer.waitFor({ state: 'hidden' });
});

test('the audit log is read page by page', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, '/audit');
  await page.locator('tbody tr').nth(49).waitFor();
  const first = await page.locator('tbody').innerText();
  await page.getByRole('button', { name: 'Older' }).click();
  await page.waitForURL('**after=**');
  await page.waitForFunction((text) => document.querySelector('tbody').innerText !== text, first);
  await page.getByRole('button', { name: 'Newer' }).click();
  await page.waitForURL((url) => !url.searchParams.has('after'));
});

test('the latest checkpoint is shown whole, and saved as it is', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, '/audit');
  await page.getByRole('button', { name: 'Sign now' }).click();
  const card = page.locator('section', { hasText: 'Latest checkpoint' });
  const button = card.getByRole('button', { name: 'Download' });
  await button.waitFor();
  const { size, checkpoint } = await world.api.get('/api/v1/audit/checkpoint');
  const file = await saved(page, button);
  // Signed by the page before it was asked for, so that both are of one time.
  assert.equal(file.text, await card.locator('pre').textContent());
  assert.match(file.name, /^tally-checkpoint-\d+\.txt$/);
  assert.ok(checkpoint.includes(`\n${size}\n`), 'a signed note says its size');
});

test('an entry is saved with what proves it', async () => {
  const page = await world.pageOf('admin');
  const [entry] = (await world.api.get('/api/v1/audit?limit=1')).items;
  await world.open(page, `/audit?entry=${entry.sequence}`);
  const button = page.getByRole('dialog').getByRole('button', { name: 'Proof of this entry' });
  const file = await saved(page, button);
  assert.equal(file.name, `tally-audit-proof-${entry.sequence}.json`);
  const proof = JSON.parse(file.text);
  assert.equal(proof.entry.sequence, entry.sequence);
  assert.ok(proof.checkpoint && Array.isArray(proof.inclusion));
});

test('the whole log is saved as it stands', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, '/audit');
  const file = await saved(page, page.getByRole('link', { name: 'The whole log' }));
  assert.equal(file.name, 'tally-audit.ndjson');
  const lines = file.text.trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.ok(lines.length > 1);
});
