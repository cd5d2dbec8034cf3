// Scoreboards as people meet them: boards that move by themselves, why one stands where one
// stands, and the choice of how to appear.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { assertAccessible, assertFitsWidth } from './harness/checks.mjs';
import { NARROW, goByKeys, screenshot } from './harness/page.mjs';
import { World } from './harness/world.mjs';

let world;

before(async () => {
  world = await World.open();
});
after(() => world?.close());
afterEach(() => world.verifyPages());

/** Name, path, and something that is there only when the page has its data. */
const PAGES = [
  ['scoreboards-teams', '/scoreboards', 'tbody tr'],
  ['scoreboards-people', '/scoreboards?of=people', 'tbody tr'],
  ['scoreboards-me', '/scoreboards/me', 'form fieldset'],
  ['scoreboards-award', '/scoreboards/award', 'main section'],
  ['scoreboards-formula', '/scoreboards/formula', 'main dl'],
];

for (const [name, path, sign] of PAGES) {
  describe(name, () => {
    for (const theme of ['light', 'dark']) {
      test(`${name} is accessible in ${theme}`, async () => {
        const page = await world.pageOf('developer', { theme });
        await world.open(page, path);
        await page.locator(sign).first().waitFor();
        await screenshot(page, `${name}-${theme}`);
        await assertAccessible(page, `${name} in ${theme}`);
      });
    }

    test(`${name} fits a phone`, async () => {
      const page = await world.pageOf('developer', { viewport: NARROW });
      await world.open(page, path);
      await page.locator(sign).first().waitFor();
      await screenshot(page, `${name}-narrow`);
      await assertFitsWidth(page, name);
    });
  });
}

test('a developer finds out why they stand where they stand', async () => {
  const page = await world.pageOf('developer');
  await world.open(page, '/overview');
  await goByKeys(page, '1', 'scoreboards**');
  await page.getByRole('radio', { name: 'People' }).click();
  const mine = page.locator('tr.selected');
  await mine.first().waitFor();
  const rank = (await mine.first().locator('td').first().textContent())
    .replace('=', '')
    .trim();
  await mine.first().getByRole('link').first().click();

  await page.locator('h1', { hasText: /Why am I|My standing/ }).waitFor();
  if (rank !== '–') {
    const heading = await page.locator('h1').textContent();
    assert.match(
      heading,
      new RegExp(`Why am I ${rank}(st|nd|rd|th)\\?`),
      'as on the board',
    );
    await page.getByRole('heading', { name: 'What would help most' }).waitFor();
  } else {
    // In a small company nobody may do enough of the same: it says so.
    await page.getByText('not ranked:').waitFor();
  }
  await page
    .getByRole('heading', { name: 'What the score is made of' })
    .waitFor();
  const counted = page.locator('summary', { hasText: 'Count' }).first();
  await counted.click();
  await page.locator('.tasks a').first().click();
  await page.waitForURL('**/calls?**');
  await page.locator('tbody tr').first().waitFor();
});

test('a developer opts for a pseudonym, and others see nothing else', async () => {
  const developer = world.tally.people.developer;
  const page = await world.pageOf('developer', {
    allow: [/Failed to load resource.*422/],
  });
  await world.open(page, '/scoreboards/me');
  await page.getByLabel('By a pseudonym').check();
  const field = page.getByLabel('Pseudonym', { exact: true });
  await field.fill(developer.replace('.', ' '));
  await page.getByRole('button', { name: 'Save my choice' }).click();
  await page.getByText('is taken, or somebody').waitFor();
  await assertAccessible(page, 'a choice that is refused');

  const proposal = page.locator('.proposals button').first();
  const pseudonym = (await proposal.textContent()).trim();
  await proposal.click();
  await page.getByRole('button', { name: 'Save my choice' }).click();
  await page.getByText(`You appear as ${pseudonym}`).waitFor();

  const viewer = await world.pageOf('viewer');
  await world.open(
    viewer,
    `/scoreboards?of=people&q=${encodeURIComponent(pseudonym)}`,
  );
  const row = viewer.locator('tbody tr', { hasText: pseudonym });
  await row.waitFor();
  assert.equal(
    await row.locator('a').count(),
    0,
    'nothing leads to the person',
  );
  assert.ok(!(await row.textContent()).includes(developer));
  await world.open(
    viewer,
    `/scoreboards?of=people&q=${encodeURIComponent(developer)}`,
  );
  await viewer.getByText('No row matches').waitFor();
});
