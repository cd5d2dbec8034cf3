// Reconciliation, as FinOps meets it: a bill is pasted, looked at and imported; a second person
// approves and rejects; what is posted stands in the statement.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { pico } from './harness/api.mjs';
import { assertAccessible, assertFitsWidth, focused } from './harness/checks.mjs';
import { NARROW, goByKeys, screenshot } from './harness/page.mjs';
import { World } from './harness/world.mjs';

const HEAD = 'date,model,meter,quantity,cost,currency';
let world;
let bill;
let days;

/** A day that is over long since, in UTC. */
const dayBefore = (count) => new Date(Date.now() - count * 86_400_000).toISOString().slice(0, 10);

/**
 * A bill of three days as they were metered, but for three planted differences: one day has
 * lines that nobody metered, one line another price, one model is unknown.
 */
async function makeBill() {
  const { rows: spend } = await world.api.query({
    measures: ['spend_usd'],
    dimensions: ['provider'],
    range: 'last_30_days',
    limit: 5,
  });
  const provider = spend.map(([name]) => name).find((name) => name && name !== 'unattributed');
  // What was metered is what an empty bill of these days leaves over.
  // All of one month, so that one statement has what is posted.
  const isOneMonth = dayBefore(12).slice(0, 7) === dayBefore(10).slice(0, 7);
  days = (isOneMonth ? [12, 11, 10] : [16, 15, 14]).map(dayBefore);
  const lines = [];
  for (const [index, date] of days.entries()) {
    const probe = [HEAD, `${date},,tool:probe,1,1.00,USD`].join('\n');
    const { reconciliation } = await world.api.post('/api/v1/reconciliations', {
      provider,
      format: 'csv',
      text: probe,
      dry_run: true,
    });
    const metered = reconciliation.variances.filter(({ kind }) => kind === 'missing_in_bill');
    for (const { model, meter, metered_quantity: quantity, metered_usd: cost } of metered) {
      if (cost !== null) lines.push({ date, model, meter, quantity, cost, index });
    }
  }
  const [first] = lines.filter(({ quantity, index }) => index === 0 && quantity > 10_000);
  assert.ok(first, 'the company was busy that day');
  first.cost = usd(pico(first.cost) + 5_000_000_000_000n);
  const rows = lines.map(
    ({ date, model, meter, quantity, cost }) =>
      `${date},${model},${meter},${quantity},${cost},USD`,
  );
  rows.push(`${days[1]},claude-nova-${Date.now()},output,10000,7.77,USD`);
  rows.push(`${days[2]},,tool:support_plan,,42.00,USD`);
  return { provider, text: [HEAD, ...rows].join('\n') };
}

/** An amount as a bill has it. */
function usd(amount) {
  const digits = amount.toString().padStart(13, '0');
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`;
}

before(async () => {
  world = await World.open();
  bill = await makeBill();
});
after(() => world?.close());
afterEach(() => world.verifyPages());

/** Pastes the bill and looks at it. */
async function compare(page) {
  await world.open(page, '/reconciliation/new');
  await page.getByLabel('Provider').selectOption(bill.provider);
  await page.getByLabel('Or paste it').fill(bill.text);
  assert.equal(await page.getByLabel('Format').inputValue(), 'csv', 'it is recognised');
  await page.getByRole('button', { name: 'Compare' }).click();
  await page.getByRole('button', { name: 'Import it' }).waitFor();
}

const kinds = (page) => page.locator('tbody .why b').allInnerTexts();

test('a bill is looked at, imported, approved by a second person, and posted', async () => {
  const importer = await world.pageOf('finops');
  await compare(importer);
  const planted = ['Price change', 'Unknown model', 'Unmetered source'];
  assert.deepEqual((await kinds(importer)).sort(), planted, 'exactly the three planted ones');
  await screenshot(importer, 'reconciliation-new');
  await importer.getByRole('button', { name: 'Import it' }).click();
  await importer.waitForURL(/\/reconciliation\/[0-9a-f]{16}$/);
  const address = importer.url().slice(world.url.length);
  await importer.getByText('You imported this bill: a second person decides.').waitFor();
  assert.equal(await importer.getByRole('button', { name: /Approve/ }).count(), 0);
  assert.deepEqual((await kinds(importer)).sort(), planted);

  // The same bill again is the same reconciliation.
  await compare(importer);
  await importer.getByRole('button', { name: 'Import it' }).click();
  await importer.getByText('The same bill was imported before').waitFor();
  assert.equal(importer.url().slice(world.url.length), address);

  const second = await world.pageOf('admin');
  await world.open(second, address);
  await second.getByLabel('Why', { exact: true }).selectOption('unknown_model');
  await second.getByRole('checkbox').check();
  await second.getByRole('button', { name: 'Reject 1…' }).click();
  const dialog = second.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Reject' }).click();
  await dialog.getByText('Say why: it stays in the audit log.').waitFor();
  await dialog.getByLabel('Why').fill('A trial that the provider takes back');
  await dialog.getByRole('button', { name: 'Reject' }).click();
  await second.getByText('Rejected: one adjustment').waitFor();
  await second.getByLabel('Why', { exact: true }).selectOption('');

  await second.getByRole('button', { name: 'Approve 2…' }).click();
  const center = second.getByRole('dialog').getByLabel('Who answers for it');
  const name = await center.locator('option').nth(1).getAttribute('value');
  await center.selectOption(name);
  await second.getByRole('dialog').getByLabel('Why').fill('Agreed with the provider');
  await second.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
  await second.getByText('Approved: 2 adjustments').waitFor();
  await second.getByRole('button', { name: 'Post 2…' }).click();
  await second.getByRole('dialog').getByText('$47.00 USD').waitFor();
  await second.getByRole('dialog').getByRole('button', { name: 'Post', exact: true }).click();
  await second.getByText('The adjustments are posted').waitFor();
  await screenshot(second, 'reconciliation-posted');

  // What the page says stands in a statement does.
  const link = second.locator('tbody a').first();
  const statement = decodeURIComponent(await link.getAttribute('href')).split('/').pop();
  const { lines } = await world.api.get(`/api/v1/statements/${statement}`);
  const adjustments = lines.filter(({ line }) => line === 'adjustment');
  const sum = adjustments.reduce((total, { amount_usd: amount }) => total + pico(amount), 0n);
  assert.equal(sum, 47_000_000_000_000n);
  assert.ok(adjustments.some(({ aggregate }) => aggregate));
  await world.open(second, '/reconciliation');
  await second.getByText('2 posted').first().waitFor();
});

test('what is no bill is said with its place, and nothing is imported', async () => {
  const page = await world.pageOf('finops', { allow: [/Failed to load resource.*422/] });
  await world.open(page, '/reconciliation/new');
  await page.getByRole('button', { name: 'Compare' }).click();
  await page.getByText('Choose who bills.').waitFor();
  await page.getByLabel('Provider').selectOption(bill.provider);
  await page.getByLabel('Or paste it').fill(`${HEAD}\n2026-10-01,m,output,10,"1,50",USD\n`);
  await page.getByRole('button', { name: 'Compare' }).click();
  await page.getByText('line 2, column `cost`').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Import it' }).count(), 0);
});

test('an auditor reads, a developer does not', async () => {
  const { items } = await world.api.get('/api/v1/reconciliations');
  await world.invite('auditor');
  const auditor = await world.pageOf('auditor');
  await world.open(auditor, `/reconciliation/${items[0].id}`);
  await auditor.getByText('FinOps and admins decide.').waitFor();
  assert.equal(await auditor.getByRole('button', { name: /Approve|Reject|Post/ }).count(), 0);
  const developer = await world.pageOf('developer');
  await world.open(developer, '/overview');
  assert.equal(await developer.getByRole('link', { name: 'Reconciliation' }).count(), 0);
});

describe('every page of it', () => {
  const PAGES = [
    ['bills', async () => '/reconciliation'],
    ['bill-new', async () => '/reconciliation/new'],
    [
      'bill',
      async () => {
        const { items } = await world.api.get('/api/v1/reconciliations');
        return `/reconciliation/${items[0].id}`;
      },
    ],
  ];
  for (const [name, path] of PAGES) {
    for (const theme of ['light', 'dark']) {
      test(`${name}: axe finds nothing, ${theme}`, async () => {
        const page = await world.pageOf('admin', { theme });
        await world.open(page, await path());
        await page.locator('main table, main form').first().waitFor();
        await assertAccessible(page, name);
        await screenshot(page, `reconciliation-${name}-${theme}`);
      });
    }
    test(`${name}: it fits a phone`, async () => {
      const page = await world.pageOf('admin', { viewport: NARROW });
      await world.open(page, await path());
      await assertFitsWidth(page, name);
      await screenshot(page, `reconciliation-${name}-narrow`);
    });
  }

  test('a bill is reached and looked at by keyboard', async () => {
    const page = await world.pageOf('finops');
    await world.open(page, '/overview');
    await goByKeys(page, 'j', 'reconciliation');
    await page.getByRole('link', { name: 'Import a bill' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL('**/reconciliation/new');
    await page.getByLabel('Provider').focus();
    await page.keyboard.press('Tab');
    assert.match(await focused(page), /Format|select/i);
  });
});
