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

/**
 * The season that goes on, or in its first days the one before: nobody has enough tasks of
 * the new one then, as it should be.
 */
async function seasonOfRanks(page) {
  const { season, seasons } = await read(page, '/api/v1/scoreboards');
  for (const name of [season.name, seasons[1].name]) {
    const path = `/api/v1/scoreboards/overall?of=people&season=${name}`;
    if ((await read(page, path)).mine?.rank) return name;
  }
  throw new Error('the developer of the company is ranked in neither season');
}

/** What the page's own session reads; standings may have to be computed first. */
async function read(page, path) {
  for (let attempt = 1; ; attempt += 1) {
    const reply = await page.request.get(world.url + path);
    if (reply.ok()) return reply.json();
    if (reply.status() !== 503 || attempt === 60) {
      throw new Error(`${path}: ${reply.status()}`);
    }
    await page.waitForTimeout(500);
  }
}

test('a developer finds out why they stand where they stand', async () => {
  const page = await world.pageOf('developer');
  await world.open(page, '/overview');
  await goByKeys(page, '1', 'scoreboards**');
  await page.getByRole('radio', { name: 'People' }).click();
  await page.locator('tr.selected').first().waitFor();
  const season = await seasonOfRanks(page);
  await world.open(page, `/scoreboards?of=people&season=${season}`);
  const mine = page.locator('tr.selected').first();
  await mine.waitFor();
  await screenshot(page, 'scoreboards-mine');
  await mine.getByRole('link').first().click();

  // Standings move while people work: what the page says is what holds now.
  const heading = page.locator('h1', {
    hasText: /^Why am I \d+(st|nd|rd|th)\?$/,
  });
  await heading.waitFor();
  const made = page.locator('section', {
    has: page.getByRole('heading', { name: 'What the score is made of' }),
  });
  const [, rank] = /(\d+\w\w) of \d+/.exec(await made.textContent());
  await page.locator('h1', { hasText: `Why am I ${rank}?` }).waitFor();
  for (const part of ['Efficiency', 'Knowledge', 'Compliance']) {
    await made.getByText(part, { exact: true }).waitFor();
  }
  const advice = page.locator('section', {
    has: page.getByRole('heading', { name: 'What would help most' }),
  });
  assert.equal(await advice.getByRole('listitem').count(), 2);
  assert.equal(await advice.getByRole('link').count(), 2, 'where to begin');
  for (const one of await advice.getByRole('listitem').allTextContents()) {
    assert.match(one, /\+\d+\.\d.*(\d(st|nd|rd|th) then|Still \d)/s, one);
  }
  await screenshot(page, 'scoreboards-why');
  await assertAccessible(page, 'a score that is taken apart');

  const counted = page.locator('summary', { hasText: 'Count' }).first();
  await counted.click();
  await page.locator('.tasks a').first().click();
  await page.waitForURL('**/calls?**');
  await page.locator('tbody tr').first().waitFor();
});

test('people are compared in one type of task', async () => {
  const page = await world.pageOf('developer');
  const season = await seasonOfRanks(page);
  const about = await read(page, `/api/v1/scoreboards?season=${season}`);
  const [{ task_type: type }] = about.task_types_of_people;
  assert.ok(type, 'the company names its types of task');
  await world.open(
    page,
    `/scoreboards?of=people&board=efficiency&season=${season}`,
  );
  await page.getByLabel('Task type').selectOption({ label: type });
  await page.getByText(`here of the type ${type} only`).waitFor();
  const board = await read(
    page,
    `/api/v1/scoreboards/efficiency?of=people&season=${season}&task_type=${type}`,
  );
  assert.ok(board.ranked > 0);
  await page.getByText(`${board.ranked} ranked`).waitFor();
  await page
    .locator('tbody tr', { hasText: board.rows[0].label })
    .first()
    .waitFor();
  await screenshot(page, 'scoreboards-type');
  await assertAccessible(page, 'a board of one type of task');

  await page.getByLabel('Task type').selectOption({ label: 'All types' });
  await page.waitForURL((url) => !url.searchParams.has('task_type'));
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
