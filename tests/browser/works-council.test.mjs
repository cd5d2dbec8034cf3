// Works-council mode: what the organization does not want shown is told as its rule, not as a failure.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { assertAccessible } from './harness/checks.mjs';
import { screenshot } from './harness/page.mjs';
import { World } from './harness/world.mjs';

/** More than any team of the company has. */
const MINIMUM_GROUP = 1000;
const HIDDEN = [/Failed to load resource.*403/];

let world;
let organization;

before(async () => {
  world = await World.open();
  [organization] = await world.api.all('organizations');
  const { scoreboards } = organization.spec;
  await world.api.change('organizations', organization.name, {
    scoreboards: { ...scoreboards, minimum_group: MINIMUM_GROUP },
  });
});
after(async () => {
  try {
    const { scoreboards } = organization.spec;
    await world.api.change('organizations', organization.name, { scoreboards });
  } finally {
    await world?.close();
  }
});
afterEach(() => world.verifyPages());

for (const path of ['/people', '/overview']) {
  test(`${path} tells a manager of too few that their numbers are not shown`, async () => {
    const page = await world.pageOf('manager', { allow: HIDDEN });
    await world.open(page, path);
    await page
      .getByRole('note')
      .filter({ hasText: 'Not shown here' })
      .first()
      .waitFor();
    assert.equal(
      await page.getByRole('alert').count(),
      0,
      'nothing has failed',
    );
    assert.equal(
      await page.getByRole('button', { name: 'Try again' }).count(),
      0,
    );
    await screenshot(page, `works-council${path.replace('/', '-')}`);
    await assertAccessible(page, `${path} of a group of too few`);
  });
}

test('the live feed of too few people is not tried again and again', async () => {
  const page = await world.pageOf('manager', { allow: HIDDEN });
  await world.open(page, '/overview');
  await page.getByText('Not live').waitFor();
  let asked = 0;
  page.on(
    'request',
    (request) => (asked += request.url().includes('/api/v1/live') ? 1 : 0),
  );
  await page.waitForTimeout(4_000);
  assert.equal(asked, 0);
});

test('my own page is mine', async () => {
  const page = await world.pageOf('manager');
  await world.open(page, `/people/${world.tally.people.manager}`);
  await page
    .locator('.kpi')
    .filter({ hasText: 'Spend' })
    .getByText('$')
    .first()
    .waitFor();
});
