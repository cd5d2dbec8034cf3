// Coming in and going out, and what others may try.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { assertAccessible } from './harness/checks.mjs';
import { World } from './harness/world.mjs';

let world;
before(async () => (world = await World.open()));
after(() => world?.close());
afterEach(() => world.verifyPages());

// The browser itself logs every answer that is an error.
const REFUSED = [
  /Failed to load resource.*40[0139]/,
  /Failed to load resource.*410/,
  /Failed to load resource.*422/,
];

async function signInPage(path = '/sign-in', options = {}) {
  const page = await world.page({ allow: REFUSED, ...options });
  await page.goto(world.url + path);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  return page;
}

test('with the name and password of the demo, then out again', async () => {
  const page = await signInPage();
  await world.signIn(page, world.tally.people.admin);
  await page.waitForURL('**/overview');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const [cookie] = await world.chromium.context.cookies();
  assert.deepEqual(
    { name: cookie.name, httpOnly: cookie.httpOnly, sameSite: cookie.sameSite },
    { name: 'tally_session', httpOnly: true, sameSite: 'Strict' },
  );
  const readable = await page.evaluate(() => document.cookie);
  assert.equal(readable, '', 'no script may read the session');

  await page
    .getByRole('button', { name: /Maya Chen|admin/i })
    .first()
    .click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.waitForURL('**/sign-in**');
  const reply = await page.request.get(`${world.url}/api/v1/me`);
  assert.equal(reply.status(), 401);
});

test('a wrong password is told, and nothing about which of the two is wrong', async () => {
  const page = await signInPage();
  await world.signIn(page, world.tally.people.viewer, 'not the password');
  const known = await page.getByRole('alert').innerText();
  await world.signIn(page, 'nobody.at.all', 'not the password');
  await page.getByRole('alert').waitFor();
  assert.equal(await page.getByRole('alert').innerText(), known);
  assert.match(known, /Next step/);
  assert.equal(new URL(page.url()).pathname, '/sign-in');
  await assertAccessible(page, 'sign-in with a problem');
});

test('by keyboard alone, with the password shown and hidden', async () => {
  const page = await signInPage();
  await page.getByLabel('Name or e-mail').focus();
  await page.keyboard.type(world.tally.people.finops);
  await page.keyboard.press('Tab');
  await page.keyboard.type(world.tally.password);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  const field = page.getByLabel('Password', { exact: true });
  assert.equal(await field.getAttribute('type'), 'text');
  await page.keyboard.press('Space');
  assert.equal(await field.getAttribute('type'), 'password');
  await field.focus();
  await page.keyboard.press('Enter');
  await page.waitForURL('**/overview');
});

test('password managers are told what is what', async () => {
  const page = await signInPage();
  const of = (label) => page.getByLabel(label, { exact: true }).getAttribute('autocomplete');
  assert.equal(await of('Name or e-mail'), 'username');
  assert.equal(await of('Password'), 'current-password');
});

test('comes back to where it was asked for, and never to another host', async () => {
  const wanted = '/calls?range=last_30_days&f=team:eq:checkout';
  const page = await signInPage(`/sign-in?next=${encodeURIComponent(wanted)}`);
  await world.signIn(page, world.tally.people.viewer);
  await page.waitForURL(`**${wanted}`);

  for (const next of [
    '//evil.test/x',
    'https://evil.test/',
    '/\\evil.test',
    'javascript:alert(1)',
  ]) {
    const other = await signInPage(`/sign-in?next=${encodeURIComponent(next)}`);
    await world.signIn(other, world.tally.people.viewer);
    await other.waitForURL(`${world.url}/overview`);
    await other.close();
  }
});

test('a forged cookie opens nothing', async () => {
  const page = await world.page({ allow: REFUSED });
  await world.chromium.context.addCookies([
    { name: 'tally_session', value: 'Zm9yZ2VkLXNlc3Npb24tdG9rZW4', url: world.url },
  ]);
  await page.goto(`${world.url}/people`);
  await page.waitForURL('**/sign-in?next=%2Fpeople');
  const shown = await page.locator('body').innerText();
  assert.doesNotMatch(shown, /checkout|platform/, 'nothing of the company is shown');
});

test('an expired session leads to the sign-in page and back to the same address', async () => {
  const page = await signInPage();
  await world.signIn(page, world.tally.people.manager);
  await page.waitForURL('**/overview');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  // Elsewhere, an admin ends all sessions of this person.
  await world.api.post(`/api/v1/accounts/${world.tally.people.manager}/sign-out`);

  // What the page asks for by itself may find out before the click does.
  const teams = page.getByRole('link', { name: 'Teams' });
  const clicked = teams.click({ timeout: 5_000 }).catch(() => null);
  await page.waitForURL('**/sign-in?next=**');
  await clicked;
  const next = new URL(page.url()).searchParams.get('next');
  await world.signIn(page, world.tally.people.manager);
  await page.waitForURL(world.url + next);
  assert.match(next, /^\/(teams|overview)/);
  await page.locator('h1').waitFor();
});

test('an invitation lets somebody in once, and its token leaves the address bar', async () => {
  const name = `ursula.${Date.now()}`;
  await world.api.post('/api/v1/people', {
    name,
    spec: { display_name: 'Ursula', roles: ['developer'] },
  });
  const { link } = await world.api.post('/api/v1/invitations', { person: name });
  const page = await world.page({ allow: REFUSED });
  await page.goto(world.url + link);
  await page.getByRole('heading', { name: 'Join' }).waitFor();
  await page.waitForFunction(() => location.hash === '');
  await assertAccessible(page, 'join');

  const password = page.getByLabel('Password', { exact: true });
  await password.fill('too short');
  await page.getByRole('button', { name: 'Join' }).click();
  await page.getByText('3 more characters are needed.').waitFor();
  await password.fill('seven horses under a bridge');
  await page.getByRole('button', { name: 'Join' }).click();
  await page.waitForURL('**/overview');

  const again = await world.page({ allow: REFUSED });
  await again.goto(world.url + link);
  await again.getByLabel('Password', { exact: true }).fill('seven horses under a bridge');
  await again.getByRole('button', { name: 'Join' }).click();
  await again.getByRole('alert').waitFor();
  assert.match(await again.getByRole('alert').innerText(), /link|used|invitation/i);
  await again.goto(`${world.url}/sign-in`);
  await world.signIn(again, name, 'seven horses under a bridge');
  await again.waitForURL('**/overview');
});

test('links without a token say so, and a set-up that is done is refused', async () => {
  const page = await world.page({ allow: REFUSED });
  for (const path of ['/join', '/set-up']) {
    await page.goto(world.url + path);
    await page.getByText('This link is not whole').waitFor();
    await assertAccessible(page, path);
  }
  await page.goto(`${world.url}/set-up#token=0123456789abcdef0123456789abcdef`);
  await page.getByLabel('Name', { exact: true }).fill('mallory');
  await page.getByLabel('Password', { exact: true }).fill('seven horses under a bridge');
  await page.getByRole('button', { name: 'Create the first admin' }).click();
  await page.getByRole('alert').waitFor();
  assert.equal((await page.request.get(`${world.url}/api/v1/me`)).status(), 401);
});
