// The catalog, as people meet it: what was seen is registered, looked at, approved and
// retired; access is asked for and given; readiness leads to what mends it.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { Api } from './harness/api.mjs';
import { assertAccessible } from './harness/checks.mjs';
import { describePages } from './harness/every-page.mjs';
import { goByKeys, screenshot } from './harness/page.mjs';
import { World } from './harness/world.mjs';

const STAMP = Date.now();
const FOUND = `found-${STAMP}`;
const TOOL = `scribe-${STAMP}`;

let world;
let asker;
let manager;
let workload;
let frontier;
let access;

/** Calls that no entry explains: of a program that nobody knows, with a key that nobody bound. */
async function makeUnexplained() {
  const { secret } = await world.api.post('/api/v1/keys', {
    name: FOUND,
    spec: { person: asker, scopes: ['gateway'] },
  });
  const { items } = await world.api.get('/api/v1/models?limit=1000');
  const model = items.find(({ name }) => name.includes('haiku')) ?? items[0];
  const reply = await fetch(`${world.url}/v1/messages`, {
    method: 'POST',
    headers: {
      'x-api-key': secret,
      'anthropic-version': '2023-06-01',
      'content-type': 'application/json',
      'user-agent': `${FOUND}/1.0`,
    },
    body: JSON.stringify({
      model: model.name,
      max_tokens: 64,
      messages: [{ role: 'user', content: 'Which team answers for this ticket?' }],
    }),
  });
  assert.ok(reply.ok, await reply.text());
}

/** What the shipper still has on its way is waited for. */
async function waitForRow() {
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    const { items } = await world.api.get('/api/v1/inventory');
    const row = items.find(({ application }) => application === FOUND);
    if (row) return row;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error('the calls never came to the inventory');
}

before(async () => {
  world = await World.open();
  ({ developer: asker } = world.tally.people);
  await makeUnexplained();
  await waitForRow();
  const { items } = await world.api.get('/api/v1/catalog');
  const busy = items.toSorted((a, b) => b.used.calls - a.used.calls);
  workload = busy[0].name;
  frontier = busy.find(({ review_overdue }) => review_overdue)?.name;
  // Its manager decides what the developer asks for.
  const person = await world.api.get(`/api/v1/people/${asker}`);
  const team = await world.api.get(`/api/v1/teams/${person.spec.team}`);
  manager = team.spec.manager;
  access = await world.api.get('/api/v1/access-requests').then(({ items: all }) => all.length);
});
after(async () => {
  await world?.close();
});
afterEach(() => world.verifyPages());

/** Name, path, and something that is there only when the page has its data. */
const PAGES = [
  ['catalog', () => '/catalog', 'tbody tr'],
  ['workload', () => `/catalog/${encodeURIComponent(workload)}`, 'tbody tr'],
  ['inventory', () => '/inventory', 'tbody tr'],
  ['access', () => '/access', 'main article, main .empty'],
  ['access-all', () => '/access?tab=all', 'tbody tr, main .empty'],
  ['access-request', () => '/access/new', 'main form'],
  ['readiness', () => '/readiness', 'tbody tr'],
];

describePages(() => world, PAGES);

test('the keyboard and the palette go to the new pages', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, '/overview');
  for (const [key, path] of [
    ['w', 'catalog'],
    ['i', 'inventory'],
    ['u', 'access'],
    ['d', 'readiness'],
  ]) {
    await goByKeys(page, key, path);
  }
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.type('catalog');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/catalog');
});

test('the catalog is narrowed, ordered and saved as the address says', async () => {
  const page = await world.pageOf('finops');
  await world.open(page, '/catalog');
  const names = () => page.locator('tbody tr td:first-child a').allInnerTexts();
  const all = await names();
  await page.getByRole('button', { name: 'Workload' }).click();
  await page.waitForURL('**sort=name**');
  assert.deepEqual(
    await names(),
    all.toSorted((a, b) => a.localeCompare(b)),
  );
  await page.getByLabel('Show').selectOption('incomplete');
  await page.waitForURL('**show=incomplete**');
  const { items } = await world.api.get('/api/v1/catalog');
  const incomplete = items.filter(
    ({ completeness, spec }) => completeness.missing.length > 0 && spec.state !== 'retired',
  );
  const shown = await names();
  assert.equal(shown.length, incomplete.length);
  await page.getByLabel('Compare with').selectOption('previous_month');
  await page.waitForURL('**compare=previous_month**');
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'CSV' }).click(),
  ]);
  assert.equal(file.suggestedFilename(), 'tally-catalog.csv');
  await page.getByRole('searchbox').fill('xx-nothing');
  await page.getByText('No workload matches').waitFor();
});

test('what was seen is registered in one go, and looked at by somebody else', async () => {
  const page = await world.pageOf('finops');
  await world.open(page, `/inventory?q=${FOUND}`);
  const row = page.locator('tbody tr', { hasText: FOUND });
  await row.getByRole('button', { name: /^Register/ }).click();
  const dialog = page.getByRole('dialog');
  assert.equal(await dialog.getByLabel('Name').inputValue(), FOUND);
  assert.equal(await dialog.getByLabel('Owner').inputValue(), asker);
  await assertAccessible(page, 'register');
  await screenshot(page, 'inventory-register');
  // Twice: the second click does nothing.
  await dialog.getByRole('button', { name: 'Register it' }).dblclick();
  await dialog.waitFor({ state: 'detached' });
  await row.getByText('registered').waitFor();
  await row.getByRole('link', { name: FOUND }).last().click();
  await page.waitForURL(`**/catalog/${FOUND}`);
  await page.getByText('Registered', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Approve' }).click();
  const approve = page.getByRole('dialog');
  await assertAccessible(page, 'approve a workload');
  await approve.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('Approved', { exact: true }).waitFor();
  const { spec } = await world.api.get(`/api/v1/workloads/${FOUND}`);
  assert.deepEqual([spec.state, spec.owner], ['approved', asker]);
  const key = await world.api.get(`/api/v1/keys/${FOUND}`);
  assert.equal(key.spec.workload, FOUND);
});

test('an edit shows what will change before it is saved', async () => {
  const page = await world.pageOf('finops');
  await world.open(page, `/catalog/${FOUND}`);
  await page.getByRole('button', { name: 'Edit' }).click();
  const drawer = page.getByRole('dialog');
  await drawer.getByLabel('Purpose').fill('Sorts what comes in');
  await drawer.getByLabel('Criticality').selectOption('low');
  await drawer.getByLabel('95 % of the calls within (ms)').fill('soon');
  await drawer.getByRole('button', { name: 'See what will change' }).click();
  await drawer.getByText('A whole number above zero.').waitFor();
  await drawer.getByLabel('95 % of the calls within (ms)').fill('9000');
  await assertAccessible(page, 'edit a workload');
  await drawer.getByRole('button', { name: 'See what will change' }).click();
  await drawer.getByText('Sorts what comes in').waitFor();
  assert.equal(await drawer.locator('ins').count(), 3);
  await screenshot(page, 'workload-changes');
  await assertAccessible(page, 'what will change');
  await drawer.getByRole('button', { name: 'Save' }).dblclick();
  await drawer.waitFor({ state: 'detached' });
  await page.getByText('Sorts what comes in').first().waitFor();
  const { spec } = await world.api.get(`/api/v1/workloads/${FOUND}`);
  assert.deepEqual([spec.criticality, spec.slo.latency_p95_ms], ['low', 9000]);
  assert.equal(spec.state, 'approved', 'no edit changes how far it has come');
});

test('an owner retires what is their own, with a reason, and does not approve it', async () => {
  const page = await world.pageOf('developer');
  await world.open(page, `/catalog/${FOUND}`);
  assert.equal(await page.getByRole('button', { name: 'Edit' }).count(), 0);
  assert.equal(await page.getByRole('button', { name: 'Approve' }).count(), 0);
  await page.getByRole('button', { name: 'Retire' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Retire' }).click();
  await dialog.getByText('Say why it is over').waitFor();
  await dialog.getByLabel('Why').fill('The test is over');
  await dialog.getByRole('button', { name: 'Retire' }).click();
  await page.getByText('Retired', { exact: true }).first().waitFor();
  await world.open(page, `/catalog?q=${FOUND}`);
  await page.getByText('No workload matches').waitFor();
  await world.open(page, `/catalog?q=${FOUND}&state=retired`);
  await page.locator('tbody tr', { hasText: FOUND }).waitFor();
});

test('a model choice that is overdue is looked at, and leaves the agenda', async (t) => {
  if (!frontier) return t.skip('this company has none that is overdue');
  const page = await world.pageOf('finops');
  await world.open(page, '/governance');
  await page.getByRole('link', { name: frontier, exact: true }).click();
  await page.waitForURL(`**/catalog/${frontier}`);
  await page.getByRole('button', { name: 'Reviewed' }).click();
  const dialog = page.getByRole('dialog');
  await assertAccessible(page, 'the tier was looked at');
  await dialog.getByRole('button', { name: 'Note it' }).dblclick();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('Review overdue').waitFor({ state: 'detached' });
  await world.open(page, '/governance');
  assert.equal(await page.getByRole('link', { name: frontier, exact: true }).count(), 0);
});

test('a baseline is signed off and stands beside what is used now', async () => {
  const page = await world.pageOf('finops');
  await world.open(page, `/catalog/${workload}`);
  await page.getByRole('button', { name: 'Sign off' }).click();
  const dialog = page.getByRole('dialog');
  await assertAccessible(page, 'a baseline');
  await dialog.getByRole('button', { name: 'Sign it off' }).dblclick();
  await dialog.waitFor({ state: 'detached' });
  const card = page.locator('section', {
    has: page.getByRole('heading', { name: 'Baseline' }),
  });
  await card.getByText(`signed by ${world.tally.people.finops}`).waitFor();
  await card.getByRole('row', { name: /^Spend/ }).waitFor();
  await screenshot(page, 'workload-baseline');
  await assertAccessible(page, 'a workload with a baseline');
});

test('a tool without telemetry is entered by hand', async () => {
  const page = await world.pageOf('finops');
  await world.open(page, '/inventory');
  await page.getByRole('button', { name: 'Enter a tool' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Enter it' }).click();
  await dialog.getByText('Who sells it?').waitFor();
  await dialog.getByLabel('Name').fill(TOOL);
  await dialog.getByLabel('Owner').selectOption(asker);
  await dialog.getByLabel('Vendor').fill('Scribe Inc.');
  await dialog.getByLabel('Monthly cost (USD)').fill('400');
  await assertAccessible(page, 'a tool by hand');
  await dialog.getByRole('button', { name: 'Enter it' }).dblclick();
  await dialog.waitFor({ state: 'detached' });
  const row = page.locator('tbody tr', { hasText: TOOL });
  await row.getByText('$400.00').waitFor();
  await row.getByRole('link', { name: TOOL }).click();
  await page.getByText('By hand').waitFor();
});

test('access to a key is asked for, given by another person, made and shown once', async () => {
  const page = await world.pageOf('developer');
  const { items } = await world.api.get('/api/v1/catalog');
  const other = items.find(({ spec }) => spec.owner !== asker && spec.state !== 'retired');
  await world.open(page, `/access/new?workload=${other.name}`);
  assert.equal(await page.getByLabel('Workload').inputValue(), other.name);
  await page.getByRole('button', { name: 'Look at it' }).click();
  await page.getByText('Say why').waitFor();
  await page.getByLabel('Why').fill('To help out in November');
  await page.getByRole('button', { name: 'Look at it' }).click();
  await page.getByRole('heading', { name: 'Who has to approve' }).waitFor();
  await assertAccessible(page, 'access, seen before it is sent');
  await page.getByRole('button', { name: 'Send the request' }).dblclick();
  await page.waitForURL((url) => /\/access\/(?!new)/.test(url.pathname));
  const name = decodeURIComponent(new URL(page.url()).pathname.split('/').at(-1));
  await page.getByText('Nobody approves their own request.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Make the key' }).count(), 0);
  const all = await world.api.get('/api/v1/access-requests');
  assert.equal(all.items.length, access + 1, 'a double click asks once');
  await page.close();

  await approveAll(name);

  const own = await world.pageOf('developer');
  await world.open(own, `/access/${encodeURIComponent(name)}`);
  await own.getByText('In force').first().waitFor();
  await screenshot(own, 'access-given');
  await assertAccessible(own, 'access that is in force');
  await own.getByRole('button', { name: 'Make the key' }).click();
  const dialog = own.getByRole('dialog');
  await dialog.getByLabel('Name').fill(`${asker}-helps-${STAMP}`);
  await dialog.getByRole('button', { name: 'Make the key' }).click();
  await own.getByRole('dialog', { name: /^The secret of/ }).waitFor();
  await own.getByRole('button', { name: 'I have kept it' }).click();
  const key = await world.api.get(`/api/v1/keys/${asker}-helps-${STAMP}`);
  assert.equal(key.spec.workload, other.name);
  assert.ok(key.spec.expires_at, 'it ends with the access');
  assert.equal(await own.getByRole('dialog').count(), 0);
  const minutes = await own.locator('main ol').innerText();
  assert.ok(minutes.includes(asker), minutes);
  await own.getByRole('link', { name: 'Renew it' }).click();
  await own.waitForURL('**/access/new?renews=**');
  await own.getByText(`Renew ${name}`).waitFor();
});

/** One approval after the other: in the browser for the first, by the API for who is left. */
async function approveAll(name) {
  const path = `/api/v1/access-requests/${encodeURIComponent(name)}`;
  const { spec } = await world.api.get(path);
  const people = spec.needs.flatMap(({ people: some }) => some);
  const first = ['manager', 'finops', 'admin'].find((role) =>
    people.includes(world.tally.people[role]),
  );
  if (first) {
    const page = await world.pageOf(first);
    await world.open(page, '/access');
    const card = page.getByRole('article').filter({ hasText: 'To help out in November' });
    await assertAccessible(page, 'access to decide');
    await screenshot(page, 'access-decide');
    await card.getByRole('button', { name: /^Approve/ }).click();
    await card.getByRole('button', { name: 'Approve it' }).dblclick();
    await card.waitFor({ state: 'detached' });
    await page.close();
  }
  for (const person of people) {
    const now = await world.api.get(path);
    if (now.spec.state !== 'pending') break;
    const said = (now.spec.decisions ?? []).map(({ by }) => by);
    if (said.includes(person)) continue;
    const { secret } = await world.api.post('/api/v1/keys', {
      name: `test-decides-${STAMP}-${person}`,
      spec: { person, scopes: ['read', 'write'] },
    });
    await new Api(world.url, secret).post(`${path}/approve`, {
      reason: 'Agreed',
    });
  }
  const { spec: decided } = await world.api.get(path);
  assert.equal(decided.state, 'approved', JSON.stringify(decided.needs));
  assert.ok(!decided.decisions.some(({ by }) => by === asker));
  assert.ok(manager);
}

test('a request for a model can be taken back', async () => {
  const page = await world.pageOf('developer');
  await world.open(page, '/access/new?tier=frontier');
  await page.getByLabel('Why').fill('Perhaps');
  await page.getByRole('button', { name: 'Look at it' }).click();
  await page.getByRole('button', { name: 'Send the request' }).click();
  await page.waitForURL((url) => /\/access\/(?!new)/.test(url.pathname));
  await page.getByRole('button', { name: /^Withdraw/ }).click();
  await page.getByRole('button', { name: 'Withdraw it' }).click();
  await page.getByText('Withdrawn').first().waitFor();
  await world.open(page, '/access?tab=mine');
  await page.locator('tbody tr', { hasText: 'The frontier tier' }).getByText('Withdrawn').waitFor();
});

test('readiness says what a team lacks, and leads to what mends it', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, '/readiness');
  const { items } = await world.api.get('/api/v1/readiness');
  assert.equal(await page.locator('tbody tr').count(), items.length);
  const failing = items.find(({ ready }) => !ready);
  await page.getByRole('button', { name: failing.team, exact: true }).click();
  await page.waitForURL('**team=**');
  const drawer = page.getByRole('dialog', { name: failing.team });
  const open = failing.items.find(({ ok }) => !ok);
  await drawer.getByText(open.detail).waitFor();
  await screenshot(page, 'readiness-team');
  await assertAccessible(page, 'the checklist of a team');
  const link = drawer.locator('li:not(.met) a').first();
  const target = await link.getAttribute('href');
  await link.click();
  await page.waitForURL(`**${target}**`);
  await world.open(page, '/readiness?fails=incident_response');
  const shown = await page.locator('tbody tr').count();
  const lacking = items.filter((team) =>
    team.items.some(({ item, ok }) => item === 'incident_response' && !ok),
  );
  assert.equal(shown, lacking.length || shown);
});

test('the new pages ask for nothing that their reader may not have', async () => {
  for (const role of ['developer', 'manager', 'viewer', 'finops']) {
    const page = await world.pageOf(role);
    const refused = [];
    page.on('response', (reply) => {
      if (reply.status() === 403) refused.push(reply.url());
    });
    for (const [, path] of PAGES) {
      await world.open(page, path());
      await page.waitForLoadState('networkidle').catch(() => {});
    }
    assert.deepEqual(refused, [], role);
    await page.close();
  }
});
