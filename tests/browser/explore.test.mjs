// Explore: any question, as a chart, a table and a file.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, test } from 'node:test';

import { assertAccessible } from './harness/checks.mjs';
import { pastWeek, settled, World } from './harness/world.mjs';

let world;
before(async () => (world = await World.open()));
after(() => world?.close());
afterEach(() => world.verifyPages());

const { from, to } = pastWeek();
const PAST = `from=${from}&to=${to}`;

test('the CSV is what the table shows', async () => {
  const page = await world.pageOf('admin');
  await world.open(
    page,
    `/explore?${PAST}&measures=spend_usd,calls&by=team,model&chart=table&grain=none&compare=none`,
  );
  await page.locator('tbody tr').first().waitFor();
  const query = {
    measures: ['spend_usd', 'calls'],
    dimensions: ['team', 'model'],
    range: { from, to },
  };
  const { rows } = await world.api.query(query);
  assert.equal(await page.locator('tbody tr').count(), Math.min(100, rows.length));
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: /CSV/ }).click();
  const file = await readFile(await (await downloading).path(), 'utf8');
  const [, ...lines] = file
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(','));
  const shown = await page
    .locator('tbody tr')
    .evaluateAll((all) => all.map((row) => [...row.cells].map((cell) => cell.innerText.trim())));
  assert.deepEqual(
    shown.map(([team, model]) => `${team} ${model}`),
    lines.slice(0, shown.length).map(([team, model]) => `${team} ${model}`),
  );
});

test('two thousand series neither break the page nor vanish from its total', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, '/explore?range=last_30_days&measures=spend_usd&by=task_id&grain=day');
  await page.locator('tbody tr').first().waitFor();
  const answer = await world.api.query({
    measures: ['spend_usd'],
    dimensions: ['task_id'],
    range: 'last_30_days',
    limit: 1,
  });
  assert.ok(answer.groups >= 2_000, `${answer.groups} series`);
  const shown = await page.locator('main').innerText();
  assert.match(shown, /others/i, 'what is not drawn is told of');
  await assertAccessible(page, 'thousands of series');
  // Still alive: another question is answered.
  await page.goto(`${world.url}/explore?range=last_7_days&measures=calls&by=team`);
  await settled(page);
  await page.locator('tbody tr').first().waitFor();
});

test('measures and dimensions that nobody knows do not break it', async () => {
  const page = await world.pageOf('admin', { allow: [/Failed to load resource.*4(00|22)/] });
  await page.goto(`${world.url}/explore?measures=spend_usd%27--,<script>&by=nothing&grain=eon`);
  await page.locator('h1').waitFor();
  await page.waitForFunction(() => !document.querySelector('.skeleton'));
  assert.equal(await page.locator('h1').innerText(), 'Explore');
});
