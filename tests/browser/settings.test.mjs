// Settings: mine, and those of the company.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { assertAccessible } from './harness/checks.mjs';
import { World } from './harness/world.mjs';

let world;
before(async () => (world = await World.open()));
after(() => world?.close());
afterEach(() => world.verifyPages());

const REFUSED = [/Failed to load resource.*4(01|22)/];

test('an invitation for somebody new, its link, and its withdrawal', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, '/settings?tab=people');
  const name = `viktor.${Date.now()}`;
  await page.getByRole('button', { name: 'Invite', exact: true }).click();
  const form = page.getByRole('dialog', { name: 'Invite' });
  await form.getByLabel('Whom').selectOption({ label: 'Somebody new…' });
  await form.getByLabel('Name', { exact: true }).fill(name);
  await form.getByLabel('Display name').fill('Viktor');
  await assertAccessible(page, 'invite');
  await form.getByRole('button', { name: 'Make a link' }).click();
  const dialog = page.getByRole('dialog', { name: `The link for ${name}` });
  const link = (await dialog.locator('pre').innerText()).trim();
  assert.ok(link.startsWith(`${world.url}/join#token=`), link);
  await dialog.getByRole('button', { name: 'Done' }).click();

  const open = page.getByRole('region', { name: 'Open invitations' });
  await open.getByText('Viktor').waitFor();
  await open.getByRole('button', { name: `Withdraw the invitation of ${name}` }).click();
  await page.getByText('opens nothing any more').waitFor();
  const reply = await page.request.post(`${world.url}/api/v1/invitations/accept`, {
    data: { token: link.split('token=')[1], password: 'seven horses under a bridge' },
  });
  assert.equal(reply.status(), 410);
});

test('an account is disabled and enabled again', async () => {
  const name = `wanda.${Date.now()}`;
  await world.api.post('/api/v1/people', { name, spec: { roles: ['viewer'] } });
  const { link } = await world.api.post('/api/v1/invitations', { person: name });
  const password = 'seven horses under a bridge';
  const accept = { token: link.split('token=')[1], password };
  await fetch(`${world.url}/api/v1/invitations/accept`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(accept),
  });
  const signIn = async () => {
    const reply = await fetch(`${world.url}/api/v1/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, password }),
    });
    return reply.status;
  };
  assert.equal(await signIn(), 200);

  const page = await world.pageOf('admin');
  await world.open(page, `/settings?tab=people&q=${name}`);
  const row = page.locator('tbody tr', { hasText: name });
  await page.getByRole('button', { name: `Disable ${name}` }).click();
  await page.getByRole('button', { name: 'Disable', exact: true }).click();
  await row.getByText('disabled', { exact: true }).waitFor();
  assert.notEqual(await signIn(), 200);
  await page.getByRole('button', { name: `Enable ${name}` }).click();
  await page.getByRole('button', { name: 'Enable', exact: true }).click();
  await row.getByText('joined', { exact: true }).waitFor();
  assert.equal(await signIn(), 200);
});

test('my sessions: another browser is signed out from here', async () => {
  const other = await fetch(`${world.url}/api/v1/sign-in`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Mozilla/5.0 (Windows NT 10.0) Firefox/140.0',
    },
    body: JSON.stringify({ name: world.tally.people.viewer, password: world.tally.password }),
  });
  const cookie = other.headers.get('set-cookie').split(';')[0];
  const status = async () =>
    (await fetch(`${world.url}/api/v1/me`, { headers: { cookie } })).status;
  assert.equal(await status(), 200);

  const page = await world.pageOf('viewer');
  await world.open(page, '/settings');
  await page.getByText('this one').waitFor();
  await page.getByRole('button', { name: 'Sign out Firefox 140 on Windows' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.getByText('is signed out', { exact: false }).waitFor();
  assert.equal(await status(), 401);
});

test('a password is changed only with the current one', async () => {
  const page = await world.pageOf('finops', { allow: REFUSED });
  await world.open(page, '/settings');
  await page.getByLabel('Current password', { exact: true }).fill('not the current one');
  await page.getByLabel('New password', { exact: true }).fill('seven horses under a bridge');
  await page.getByRole('button', { name: 'Change the password' }).click();
  await page.getByText('the current password is another one').waitFor();
  assert.equal(new URL(page.url()).pathname, '/settings', 'still signed in');
  await assertAccessible(page, 'a refused password');
});

test('the theme is chosen and kept', async () => {
  const page = await world.pageOf('admin');
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  await world.open(page, '/settings?tab=appearance');
  assert.equal(await theme(), 'light');
  await page.getByRole('main').getByRole('radio', { name: 'Dark' }).click();
  assert.equal(await theme(), 'dark');
  await page.reload();
  await page.locator('h1').waitFor();
  assert.equal(await theme(), 'dark');
  await page.getByRole('main').getByRole('radio', { name: 'As the system says' }).click();
  assert.equal(await theme(), 'light');
});

test('the system tab says what operators look for', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, '/settings?tab=system');
  const status = await world.api.get('/api/v1/status');
  await page.getByText(status.node).waitFor();
  const shown = await page.getByRole('main').innerText();
  assert.ok(shown.includes(status.version));
  assert.match(shown, /Warehouse\s+open/);
});
