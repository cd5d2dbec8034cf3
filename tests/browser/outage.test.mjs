// A server that goes away and comes back, and a browser that waits for it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertAccessible } from './harness/checks.mjs';
import { World } from './harness/world.mjs';

let world;
before(
  async () =>
    (world = await World.open({
      own: true,
      company: { people: 10, days: 3, seed: 7, rate: 1 },
    })),
);
after(() => world?.close());

test('a killed server is told of, and the page recovers without a reload', async () => {
  const page = await world.pageOf('admin', {
    allow: [/net::ERR_/, /Failed to load resource/, /EventSource/],
  });
  // The code of a page that was seen is there; that of the others is fetched ahead.
  await world.open(page, '/people?range=last_7_days');
  await page.locator('tbody tr').first().waitFor();
  await page.getByRole('link', { name: 'Teams' }).click();
  await page.waitForURL('**/teams**');
  await page.locator('tbody tr').first().waitFor();
  await page.evaluate(() => (window.sameDocument = true));

  await world.tally.kill();
  // Whatever is done next finds out.
  await page.getByRole('link', { name: 'People' }).click();
  await page.getByText('Tally does not answer.').waitFor();
  await assertAccessible(page, 'while the server is away');

  await world.tally.serve();
  await page
    .getByRole('button', { name: 'Try now' })
    .click({ timeout: 5_000 })
    .catch(() => {});
  await page.getByText('Tally does not answer.').waitFor({ state: 'hidden' });
  await page.locator('tbody tr').first().waitFor();
  assert.equal(
    await page.evaluate(() => window.sameDocument),
    true,
    'it was not loaded again',
  );
  assert.equal(new URL(page.url()).pathname, '/people');
  await world.verifyPages();
});

test('a page whose code is not there yet waits for the server, too', async () => {
  await world.tally.stop();
  await world.tally.run();
  const page = await world.page({
    allow: [/net::ERR_/, /Failed to (load resource|fetch)/, /EventSource/],
  });
  // As if the connection broke before anything was fetched ahead.
  await page.route('**/_app/immutable/nodes/**', async (route) => {
    const wanted = isAway ? route.abort('connectionfailed') : route.continue();
    await wanted;
  });
  let isAway = false;
  await page.goto(`${world.url}/sign-in`);
  await world.signIn(page, world.tally.people.admin);
  await page.waitForURL('**/overview');
  isAway = true;
  await world.tally.kill();
  await page.getByRole('link', { name: 'Models' }).click();
  await page.getByText('Waiting for Tally').first().waitFor();
  await assertAccessible(page, 'a page that waits');
  await world.tally.serve();
  isAway = false;
  await page.getByRole('heading', { name: 'Models', level: 1 }).waitFor();
  await world.verifyPages();
});

test('a page left open over night finds its session over and comes back', async () => {
  await world.tally.stop();
  await world.tally.run();
  const page = await world.page({ allow: [/Failed to load resource.*401/] });
  await page.goto(`${world.url}/sign-in`);
  await world.signIn(page, world.tally.people.admin);
  await page.waitForURL('**/overview');
  const path = '/people?range=last_7_days';
  await world.open(page, path);
  await world.api.post(`/api/v1/accounts/${world.tally.people.admin}/sign-out`);
  // The page asks for new numbers by itself, too: whichever is told first goes to sign in.
  const click = page
    .getByRole('link', { name: 'Teams' })
    .click({ timeout: 5_000 });
  await Promise.any([click, page.waitForURL('**/sign-in?next=**')]);
  await click.catch(() => {});
  await page.waitForURL('**/sign-in?next=**');
  const next = new URL(page.url()).searchParams.get('next');
  assert.match(next, /^\/(teams|people)/);
  await world.signIn(page, world.tally.people.admin);
  await page.waitForURL(`**${next}`);
  await page.locator('tbody tr').first().waitFor();
  await world.verifyPages();
});
