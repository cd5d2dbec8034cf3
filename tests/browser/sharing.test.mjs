// Templates, savings stories and what else people share: as a developer meets them.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { Api } from './harness/api.mjs';
import { assertAccessible, assertFitsWidth } from './harness/checks.mjs';
import { NARROW, goByKeys, screenshot } from './harness/page.mjs';
import { World } from './harness/world.mjs';

let world;

before(async () => {
  world = await World.open();
  const people = await world.api.all('people');
  const steward = people.find(({ spec }) => spec.roles?.includes('finops'));
  const { secret } = await world.api.post('/api/v1/keys', {
    name: `test-steward-${Date.now()}`,
    spec: { person: steward.name },
  });
  await new Api(world.url, secret).post('/api/v1/library/starter', {});
});
after(() => world?.close());
afterEach(() => world.verifyPages());

/** Name, path, and something that is there only when the page has its data. */
const PAGES = [
  ['templates', '/templates', 'main h2 a'],
  ['template', '/templates/safe-summary', 'main pre'],
  ['stories', '/stories', 'main section'],
  ['contributions', '/stories?tab=shared', 'main section'],
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

test('a developer finds a template, copies it, fills it in and sees what it saves', async () => {
  // What is missing is said by Tally, too.
  const page = await world.pageOf('developer', {
    allow: [/Failed to load resource.*422/],
  });
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await world.open(page, '/overview');
  await goByKeys(page, '2', 'templates');
  await page
    .getByRole('searchbox', { name: 'Search templates' })
    .fill('wrong in a diff');
  await page.getByRole('link', { name: 'Review of a change' }).click();
  const effect = page.locator('section', {
    has: page.getByRole('heading', { name: 'What it did' }),
  });
  const all = effect.getByRole('region').first();
  await all.getByText('Saves', { exact: true }).waitFor();
  // Beyond chance: the whole interval is a saving.
  await all
    .getByRole('img', { name: /^Cost: −\d+ %, between −\d+ % and −\d+ %$/ })
    .waitFor();
  assert.match(
    await all.textContent(),
    /\$\d[\d.,]* saved in 90 days/,
    'what it came to',
  );
  await screenshot(page, 'template-saves');
  const copied = async (name) => {
    await page.getByRole('button', { name }).click();
    await page.getByText('Copied').first().waitFor();
    return page.evaluate(() => navigator.clipboard.readText());
  };
  assert.match(
    await copied('Copy the text'),
    /^You review changes to code\.[\s\S]*\{\{diff\}\}/,
  );
  assert.equal(
    await copied('Copy the header'),
    'x-tally-template: code-review',
  );
  await page.getByRole('button', { name: 'Fill in' }).click();
  await page.getByText(/missing `diff`/).waitFor();
  await page
    .getByLabel('diff', { exact: true })
    .fill('The card was charged twice.');
  await page.getByRole('button', { name: 'Fill in' }).click();
  await page
    .getByText(/The card was charged twice\./)
    .last()
    .waitFor();
});

test('a version is written by one and approved by another', async () => {
  const page = await world.pageOf('developer');
  const title = `Ticket in a line ${Date.now()}`;
  await world.open(page, '/templates');
  await page.getByRole('button', { name: 'Write a template' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Title').fill(title);
  await dialog.getByLabel('What it does').fill('Says what a customer wants');
  await dialog
    .getByLabel('What it is asked')
    .fill('What is wanted? {{ticket}}');
  await dialog.getByText('Filled in: ticket.').waitFor();
  await assertAccessible(page, 'the form of a template');
  await dialog.getByRole('button', { name: 'Keep the draft' }).click();
  await page.getByRole('link', { name: title }).click();
  await page.getByRole('button', { name: 'Submit version 1' }).click();
  await page.getByText('Waits for a review').first().waitFor();
  assert.equal(await page.getByRole('button', { name: /^Approve/ }).count(), 0);
  const path = new URL(page.url()).pathname;
  const other = await world.pageOf('finops');
  await world.open(other, path);
  await other.getByRole('button', { name: 'Approve version 1' }).click();
  await other.getByText('Approved', { exact: true }).first().waitFor();
});

test('stories of the company are confirmed, unclear and refuted', async () => {
  const page = await world.pageOf('developer');
  await world.open(page, '/stories');
  for (const [title, verdict, ground] of [
    ['Invoices on a smaller model', 'Confirmed', 'Cheaper than the comparison'],
    ['Longer articles for better replies', 'Refuted', 'Dearer than the'],
    ['Fewer rounds on suppliers', 'Unclear', 'A group has fewer than 20'],
  ]) {
    const story = page.locator('section', {
      has: page.getByRole('heading', { name: title }),
    });
    await story.getByText(verdict, { exact: true }).waitFor();
    await story.getByText(ground).waitFor();
  }
});

test('a story is previewed with what is measured', async () => {
  const page = await world.pageOf('developer');
  await world.open(page, '/stories');
  await page.getByRole('button', { name: 'Tell a story' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Preview the result' }).click();
  await dialog
    .getByText(/Confirmed|Unclear|Refuted/)
    .first()
    .waitFor();
  await assertAccessible(page, 'the preview of a story');
  await screenshot(page, 'story-preview');
});
