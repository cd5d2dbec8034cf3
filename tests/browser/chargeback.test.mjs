// Chargeback, as people meet it: FinOps tries a rate card before it holds, answers an owner's
// dispute, closes a month and exports it; the owner and the auditor see what is theirs to see.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, test } from 'node:test';

import { pico } from './harness/api.mjs';
import { assertAccessible } from './harness/checks.mjs';
import { describePages } from './harness/every-page.mjs';
import { goByKeys, screenshot } from './harness/page.mjs';
import { settled, World } from './harness/world.mjs';

const DAY_MS = 24 * 3_600_000;
/** The demo's biggest cost center; its owner is the manager who signs in. */
const CENTER = 'cc-100-platform';

let world;
let month;
let earlier;
let statement;

/** Such as 2026-10, so many months ago. */
function monthsAgo(count) {
  const [year, number] = new Intl.DateTimeFormat('en-CA', {
    timeZone: 'Europe/Berlin',
  })
    .format(new Date())
    .split('-');
  return new Date(Date.UTC(year, number - 1 - count, 1)).toISOString().slice(0, 7);
}

before(async () => {
  // The two months before this one are whole: one is closed, the other open for review.
  [earlier, month] = [monthsAgo(2), monthsAgo(1)];
  const days = Math.ceil((Date.now() - new Date(`${earlier}-01T00:00:00Z`)) / DAY_MS) + 1;
  world = await World.open({
    own: true,
    company: { people: 20, days, seed: 7, rate: 0.2 },
  });
  statement = `${month}:${CENTER}`;
});
after(() => world?.close());
afterEach(() => world.verifyPages());

describePages(
  () => world,
  [
    ['cost-centers', () => '/cost-centers', 'tfoot td'],
    ['cost-center', () => `/cost-centers/${CENTER}`, 'tbody tr'],
    ['statements', () => `/statements?period=${month}`, 'tfoot td'],
    ['statements-closed', () => `/statements?period=${earlier}`, 'tfoot td'],
    ['statements-teams', () => `/statements?period=${month}&team=platform`, 'tfoot td'],
    ['statement', () => `/statements/${encodeURIComponent(statement)}`, 'tfoot td'],
    ['rate-cards', () => '/rate-cards', 'tbody tr'],
    ['rate-card', () => '/rate-cards/rates', 'tbody tr'],
    ['rate-card-edit', () => '/rate-cards/rates?edit=1', 'form'],
    ['rate-card-new', () => '/rate-cards/new?of=rates', 'form'],
  ],
  'finops',
);

const button = (page, name) => page.getByRole('button', { name, exact: true });
const headOf = async () => {
  const { items } = await world.api.get(`/api/v1/statements?period=${month}`);
  return items.find(({ cost_center: center }) => center === CENTER);
};
const sumOf = (items, field) => items.reduce((sum, { totals }) => sum + pico(totals[field]), 0n);

test('the keyboard goes to the books', async () => {
  const page = await world.pageOf('finops');
  await world.open(page, '/overview');
  for (const [key, path] of [
    ['y', 'cost-centers'],
    ['f', 'statements'],
    ['z', 'rate-cards'],
  ]) {
    await goByKeys(page, key, path);
  }
});

test('a line of a statement leads to its calls, which are as many', async () => {
  const page = await world.pageOf('finops');
  await world.open(page, `/statements/${encodeURIComponent(statement)}`);
  const link = page.getByRole('link', { name: /calls of/ }).first();
  const calls = Number((await link.innerText()).replaceAll(',', ''));
  await link.click();
  await page.waitForURL('**/calls?**');
  await page.locator('tbody tr').first().waitFor();
  const query = new URL(page.url()).searchParams;
  const filters = query.getAll('f').map((text) => {
    const [dimension, op, list] = text.split(':');
    return { dimension, op, values: list ? list.split(',') : [] };
  });
  const range = { from: query.get('from'), to: query.get('to') };
  const { total } = await world.api.query({
    measures: ['calls'],
    filters,
    range,
  });
  assert.equal(total[0], calls);
});

test('FinOps sees the effect of a rate card before it holds', async () => {
  const before = await world.api.get('/api/v1/rate-cards/rates');
  const page = await world.pageOf('finops');
  await world.open(page, '/rate-cards/rates?edit=1');
  await page.getByLabel('Markup (percent)').nth(1).fill('20');
  await button(page, 'Preview the effect').click();
  const effect = page.getByRole('region', { name: 'Effect by cost center' });
  await effect.locator('tfoot td').first().waitFor();
  const [rate] = before.spec.negotiated;
  const spec = { ...before.spec, negotiated: [{ ...rate, markup_percent: '20' }] };
  const preview = await world.api.post('/api/v1/rate-cards/preview', {
    spec,
    period: month,
  });
  const dollars = (text) =>
    Number(text).toLocaleString('en-US', {
      minimumFractionDigits: 2,
      maximumFractionDigits: 2,
    });
  assert.ok(pico(preview.total.charged_after_usd) > pico(preview.total.charged_before_usd));
  assert.match(
    await effect.locator('tfoot').innerText(),
    new RegExp(dollars(preview.total.charged_after_usd).replace('.', '\\.')),
  );
  await screenshot(page, 'rate-card-preview');
  await assertAccessible(page, 'the preview of a rate card');
  assert.deepEqual(await world.api.get('/api/v1/rate-cards/rates'), before, 'nothing is stored');

  // The same as YAML, with what is wrong said where it is.
  await page.getByRole('radio', { name: 'YAML' }).click();
  const yaml = page.getByLabel('The card as YAML');
  assert.match(await yaml.inputValue(), /markup_percent: '20'/);
  await yaml.fill('from: 2027-01-01\n  markup_percent: 5');
  await button(page, 'Preview the effect').click();
  await page.getByText(/Line 2/).waitFor();
  await yaml.fill(JSON.stringify({ ...spec, markup_percent: '4.25' }));
  await button(page, 'Apply…').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('would have been charged').waitFor();
  await assertAccessible(page, 'a rate card, seen before it is applied');
  await button(dialog, 'Apply').click();
  await page.getByText('rates holds from').waitFor();
  const now = await world.api.get('/api/v1/rate-cards/rates');
  assert.deepEqual([now.version, now.spec.markup_percent], [before.version + 1, '4.25']);
});

test('another chargeback model shows what it would have made of last month', async () => {
  const center = 'cc-300-customer-care';
  const page = await world.pageOf('finops');
  await world.open(page, `/cost-centers/${center}`);
  await button(page, 'Edit').click();
  const drawer = page.getByRole('dialog');
  await drawer.getByLabel('Chargeback model').selectOption('quota');
  await button(drawer, 'See what will change').click();
  await drawer.getByText('What it has bought.').waitFor();
  await drawer.getByLabel('Quota a month (USD)').fill('1');
  await button(drawer, 'See what will change').click();
  await drawer
    .getByRole('region', { name: /Effect on/ })
    .locator('tbody tr')
    .first()
    .waitFor();
  await screenshot(page, 'cost-center-effect');
  await assertAccessible(page, 'the effect of another chargeback model');
  await button(drawer, 'Save').click();
  await page.getByText(`${center} is changed`).waitFor();
  const { spec } = await world.api.get(`/api/v1/cost-centers/${center}`);
  assert.deepEqual([spec.chargeback.model, spec.chargeback.quota_usd], ['quota', '1']);
  assert.equal(spec.chargeback.history.length, 2, 'what held before stays');
  await page.getByText('quota $1.00 a month').waitFor();
});

test('an owner sees their own statement only, and comments', async () => {
  const page = await world.pageOf('manager');
  await world.open(page, `/statements?period=${month}`);
  await page.getByRole('link', { name: CENTER }).waitFor();
  const rows = page.getByRole('region', { name: 'Statements' }).locator('tbody tr');
  assert.equal(await rows.count(), 1);
  for (const name of ['Close the month', 'Open for review', 'FOCUS']) {
    assert.equal(await button(page, name).count(), 0, name);
  }
  await page.getByRole('link', { name: CENTER }).click();
  await page.getByLabel('Comment', { exact: true }).fill('We moved the batch to the night.');
  await page.getByRole('main').getByRole('button', { name: 'Comment', exact: true }).click();
  await page.getByText('Your comment is there').waitFor();
  await page.getByText('We moved the batch to the night.').waitFor();
  assert.equal(await page.getByLabel(/^Answer to/).count(), 0, 'FinOps answers');
});

test('nobody else finds statements', async () => {
  const page = await world.pageOf('developer', {
    allow: [/Failed to load resource.*404/],
  });
  await world.open(page, '/statements');
  await page.getByText('No statement is yours').waitFor();
  assert.equal(await page.getByRole('link', { name: 'Statements' }).count(), 0);
  await world.open(page, `/statements/${encodeURIComponent(statement)}`);
  await page.getByText('no such statement').waitFor();
});

test('FinOps answers a dispute and closes the month, which then verifies', async () => {
  const page = await world.pageOf('finops');
  await world.open(page, `/statements?period=${month}`);
  assert.ok(await button(page, 'Close the month').isDisabled());
  await page.getByText('1 dispute is not settled').waitFor();
  await page.getByRole('link', { name: CENTER, exact: true }).click();
  const dispute = page.getByRole('article', { name: 'Dispute 1' });
  await dispute.getByLabel('Answer to dispute 1').fill('The key is yours; a credit follows.');
  await button(dispute, 'Answer').click();
  await dispute.getByText('Answered').waitFor();
  await screenshot(page, 'statement-answered');
  await assertAccessible(page, 'an answered dispute');
  await button(dispute, 'Settle').click();
  await dispute.getByText('Settled').waitFor();
  assert.equal((await headOf()).open_disputes, 0);

  await page.getByRole('link', { name: 'The month' }).click();
  const close = button(page, 'Close the month');
  await close.click({ timeout: 60_000 });
  const dialog = page.getByRole('dialog');
  await dialog.getByText('sealed for good').waitFor();
  const { items } = await world.api.get(`/api/v1/statements?period=${month}`);
  assert.match(await dialog.innerText(), new RegExp(`Statements\\s+${items.length}`));
  await screenshot(page, 'month-close');
  await assertAccessible(page, 'what closing will seal');
  await button(dialog, 'Seal and close').click();
  await page.getByText('Sealed: it never changes again').waitFor();
  await button(page, 'Verify the seal').click();
  await page.getByText('are as they were sealed').waitFor();
  await settled(page);
  await screenshot(page, 'month-closed');
  await assertAccessible(page, 'a closed month');

  const { items: months } = await world.api.get('/api/v1/statement-months');
  const { sealed } = months.find(({ period }) => period === month);
  assert.equal(pico(sealed.charged_usd), sumOf(items, 'charged_usd'));
});

/** The cells of a CSV, whose texts may hold commas and quotes. */
function cellsOf(line) {
  const cells = [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell]) => cell);
  return cells.map((cell) =>
    cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell,
  );
}

test('FinOps downloads FOCUS, which is what the statements charge', async () => {
  const page = await world.pageOf('finops');
  await world.open(page, `/statements?period=${month}`);
  await button(page, 'FOCUS').click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'FOCUS 1.2, CSV' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), `tally-focus-1.2-${month}.csv`);
  const [head, ...lines] = (await readFile(await download.path(), 'utf8')).trim().split(/\r?\n/);
  const columns = cellsOf(head);
  const [billed, invoice] = [columns.indexOf('BilledCost'), columns.indexOf('InvoiceId')];
  const ours = lines.map(cellsOf).filter((cells) => cells[invoice] === `${month}/${CENTER}`);
  const sum = ours.reduce((all, cells) => all + pico(cells[billed]), 0n);
  assert.equal(sum, pico((await headOf()).totals.charged_usd));
});

test('an auditor verifies and changes nothing', async () => {
  await world.invite('auditor');
  const page = await world.pageOf('auditor');
  await world.open(page, `/statements?period=${earlier}`);
  await button(page, 'Verify the seal').click();
  await page.getByText('are as they were sealed').waitFor();
  await world.open(page, `/statements?period=${monthsAgo(0)}`);
  for (const name of ['Close the month', 'Open for review']) {
    assert.equal(await button(page, name).count(), 0, name);
  }
  await world.open(page, '/rate-cards/rates');
  assert.equal(await button(page, 'Edit and preview').count(), 0);
});
