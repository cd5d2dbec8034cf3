// Cost centers on their way to being charged, the month's sprint, the quarter's review: as
// FinOps meets them.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, describe, test } from 'node:test';

import { Api } from './harness/api.mjs';
import { assertAccessible, assertFitsWidth, focused } from './harness/checks.mjs';
import { NARROW, goByKeys, screenshot } from './harness/page.mjs';
import { World } from './harness/world.mjs';

let world;
/** A cost center of the test's own, which nobody else moves. */
const CENTER = `cc-test-${Date.now()}`;

before(async () => {
  world = await World.open();
  const { manager } = world.tally.people;
  const spec = { owner: manager, chargeback: { model: 'showback' } };
  await world.api.post('/api/v1/cost-centers', { name: CENTER, spec });
});
after(() => world?.close());
afterEach(() => world.verifyPages());

/** Name, path, and something that is there only when the page has its data. */
const PAGES = [
  ['rollout', () => '/rollout', 'tbody tr'],
  ['rollout-center', () => `/rollout?cost_center=${CENTER}`, '[role=dialog] h3'],
  ['rollout-sprint', () => '/rollout/sprint', 'main section'],
  ['rollout-review', () => '/rollout/review', 'main section'],
];

for (const [name, path, sign] of PAGES) {
  describe(name, () => {
    for (const theme of ['light', 'dark']) {
      test(`${name} is accessible in ${theme}`, async () => {
        const page = await world.pageOf('finops', { theme });
        await world.open(page, path());
        await page.locator(sign).first().waitFor();
        await screenshot(page, `${name}-${theme}`);
        await assertAccessible(page, `${name} in ${theme}`);
      });
    }

    test(`${name} fits a phone`, async () => {
      const page = await world.pageOf('finops', { viewport: NARROW });
      await world.open(page, path());
      await page.locator(sign).first().waitFor();
      await screenshot(page, `${name}-narrow`);
      await assertFitsWidth(page, name);
    });
  });
}

test('a cost center goes on by override, with a reason, and back; both are told', async () => {
  const page = await world.pageOf('finops');
  await world.open(page, `/rollout?cost_center=${CENTER}`);
  const drawer = page.getByRole('dialog', { name: CENTER });
  await drawer.getByText('not measured yet').first().waitFor();
  await drawer.getByRole('button', { name: 'On to showback' }).click();
  const dialog = page.getByRole('dialog', { name: /on to showback/ });
  const go = dialog.getByRole('button', { name: 'Override and move on' });
  await go.click();
  await dialog.getByText('Say why: it stays in the audit log.').waitFor();
  await assertAccessible(page, 'the question whether a cost center moves on');
  await dialog.getByLabel('Why').fill('It begins in December');
  await go.click();
  await drawer.getByText('“It begins in December”').waitFor();
  await drawer.getByText('by override', { exact: true }).first().waitFor();
  const { items } = await world.api.get('/api/v1/audit?kind=rollouts&limit=1');
  assert.equal(items[0].action, 'override_stage');

  // No override makes a model charge that does not.
  await drawer.getByRole('button', { name: 'On to chargeback' }).click();
  const further = page.getByRole('dialog', { name: /on to chargeback/ });
  await further.getByLabel('Why').fill('Now');
  await further.getByRole('button', { name: 'Override and move on' }).click();
  await further.getByText('It needs another chargeback model first').waitFor();
  await further.getByRole('button', { name: 'Cancel' }).click();

  await drawer.getByRole('button', { name: 'Back to inventory' }).click();
  const back = page.getByRole('dialog', { name: /back to inventory/ });
  await back.getByLabel('Why').fill('Not yet');
  await back.getByRole('button', { name: 'Move back' }).click();
  await drawer.getByText('“Not yet”').waitFor();
});

test('who answers for a cost center sees it, and decides nothing', async () => {
  const page = await world.pageOf('manager');
  await world.open(page, `/rollout?cost_center=${CENTER}`);
  const drawer = page.getByRole('dialog', { name: CENTER });
  await drawer.getByRole('heading', { name: /Before showback/ }).waitFor();
  assert.equal(await drawer.getByRole('button', { name: /^(On|Back) to/ }).count(), 0);
  assert.equal(await page.getByRole('radio', { name: 'Sprint' }).count(), 0);
});

test('a row is opened by keyboard, and the pages are a key away', async () => {
  const page = await world.pageOf('finops');
  await world.open(page, '/overview');
  await goByKeys(page, 'h', 'rollout');
  const first = page.locator('tbody tr button').first();
  await first.focus();
  await page.keyboard.press('ArrowDown');
  assert.match(await focused(page), /^button cc-/);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.waitForURL((url) => !url.searchParams.has('cost_center'));
});

test('a target is made of what stands out, and withdrawn with a reason', async () => {
  const month = new Date().toISOString().slice(0, 7);
  const page = await world.pageOf('finops');
  await world.open(page, '/rollout/sprint');
  await page.getByRole('button', { name: 'Set a target' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Set the target' }).click();
  await dialog.getByText('Choose a workload.').waitFor();
  await assertAccessible(page, 'the form of a target');
  await page.keyboard.press('Escape');

  // The test's company is too young for the month before: the baseline is of last week.
  const day = (days) => new Date(Date.now() - days * 86_400_000).toISOString();
  const { items } = await world.api.get('/api/v1/catalog');
  const [busy] = items.toSorted((a, b) => b.used.calls - a.used.calls);
  // Targets are set by people: a key of nobody's sets none.
  const { secret } = await world.api.post('/api/v1/keys', {
    name: `${CENTER}-key`,
    spec: { person: world.tally.people.finops, scopes: ['read', 'write'] },
  });
  const sprint = await new Api(world.url, secret).post(`/api/v1/sprints/${month}/targets`, {
    scope: { workload: busy.name },
    measure: 'spend_usd',
    reduce_percent: '10',
    baseline: { from: day(8), to: day(1) },
    note: `Of the test ${CENTER}`,
  });
  const { number } = sprint.spec.targets.at(-1);
  await world.open(page, '/rollout/sprint');
  const target = page.locator('li', { hasText: `Of the test ${CENTER}` });
  await target.getByText('Baseline').waitFor();
  await target.getByRole('button', { name: /^Withdraw/ }).click();
  const why = page.getByRole('dialog', { name: `Withdraw target ${number}?` });
  await why.getByLabel('Why').fill('It was a test');
  await why.getByRole('button', { name: 'Withdraw' }).click();
  await page.getByText('“It was a test”').waitFor();
});

test('a decision is recorded, and stands in the minutes', async () => {
  const page = await world.pageOf('finops');
  await world.open(page, '/rollout/review');
  await page.getByRole('button', { name: 'Record a decision' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('What was decided').fill(`Looked at ${CENTER}`);
  await assertAccessible(page, 'the form of a decision');
  await dialog.getByRole('button', { name: 'Record', exact: true }).click();
  await page.getByText(`Looked at ${CENTER}`).waitFor();
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Minutes' }).click(),
  ]);
  assert.match(file.suggestedFilename(), /^review-\d{4}-Q[1-4]\.md$/);
  const text = await readFile(await file.path(), 'utf8');
  assert.ok(text.includes(`Looked at ${CENTER}`), text);
});
