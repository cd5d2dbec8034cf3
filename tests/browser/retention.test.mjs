// Retention: periods and the purge among the settings, and a kept prompt that is read with
// a reason.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Api } from './harness/api.mjs';
import { assertAccessible, assertFitsWidth } from './harness/checks.mjs';
import { NARROW, screenshot } from './harness/page.mjs';
import { World } from './harness/world.mjs';

const DAY_MS = 24 * 3_600_000;
const PATIENCE_MS = 60_000;
const FIRST_RUN_MS = 35_000;
const SAID = `<b>recognisable ${Date.now()}</b>`;

let world;
let auditor;
let organization;

/** What somebody with this role may do by a key. */
async function apiOf(role) {
  const name = `test-${role}-${Date.now()}`;
  const { secret } = await world.api.post('/api/v1/keys', {
    name,
    spec: { roles: [role] },
  });
  return new Api(world.url, secret);
}

before(async () => {
  world = await World.open();
  await world.invite('security');
  auditor = await apiOf('auditor');
  [organization] = await world.api.all('organizations');
  await world.api.change('organizations', organization.name, {
    retention: {
      internal: { personal_days: 300, prompts_days: 30 },
      confidential: { personal_days: 300, prompts_days: 30 },
      public: { prompts_days: 30 },
    },
  });
  // The first run comes within 30 seconds of a start, the next an hour later.
  await reportOldCall();
  await until(async () => (await waiting()) === 0, FIRST_RUN_MS).catch(() => {});
});
after(async () => {
  try {
    await world.api.change('organizations', organization.name, { retention: {} });
  } finally {
    await world?.close();
  }
});
afterEach(() => world.verifyPages());

/** A call from long ago that names somebody. */
async function reportOldCall() {
  const before = await waiting();
  await world.api.post('/ingest/v1/events', {
    id: `old-${Date.now()}`,
    time: new Date(Date.now() - 400 * DAY_MS).toISOString(),
    model: 'an-old-model',
    person: world.tally.people.developer,
    session: 'a session of long ago',
    tokens: { input_uncached: 10, output: 5 },
  });
  await until(async () => (await waiting()) > before);
}

async function waiting() {
  const { classes } = await world.api.get('/api/v1/retention');
  return classes.find(({ data_class }) => data_class === 'internal').events_due;
}

async function until(isSo) {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(200)) {
    if (await isSo()) return;
  }
  throw new Error(`not within ${patience} ms`);
}

test('periods, what waits, and a purge that says what it will do', async () => {
  await reportOldCall();
  const page = await world.pageOf('security');
  await world.open(page, '/settings?tab=retention');
  const internal = page.getByRole('row', { name: /internal/ });
  await internal.getByText('300 days').waitFor();
  await internal.getByText('30 days').waitFor();
  await page
    .getByRole('row', { name: /restricted/ })
    .getByText('not kept')
    .waitFor();
  await assertAccessible(page, 'retention');
  await screenshot(page, 'retention');

  await page.getByRole('button', { name: 'Purge now…' }).click();
  const dialog = page.getByRole('dialog', {
    name: 'Purge what is older than its period',
  });
  await dialog.getByText(/\d+ calls? forgets? who made/).waitFor();
  await assertAccessible(page, 'the question before a purge');
  await dialog.getByRole('button', { name: 'Purge', exact: true }).click();
  await page.getByText(/^Purged: /).waitFor();
  await page.getByRole('row', { name: /Person.*internal: \d+ call/ }).waitFor();
  assert.equal(await waiting(), 0);
});

test('retention fits a small screen, in the dark, too', async () => {
  const page = await world.pageOf('security', {
    viewport: NARROW,
    theme: 'dark',
  });
  await world.open(page, '/settings?tab=retention');
  await page.getByText('Caller known for').first().waitFor();
  await assertFitsWidth(page, 'retention at 390 px');
  await assertAccessible(page, 'retention at 390 px, dark');
  await screenshot(page, 'retention-390-dark');
});

test('what is not theirs is not offered', async () => {
  for (const role of ['viewer', 'developer']) {
    const page = await world.pageOf(role);
    await world.open(page, '/settings');
    assert.equal(await page.getByRole('tab', { name: 'Retention' }).count(), 0, role);
  }
  const page = await world.pageOf('finops');
  await world.open(page, '/settings?tab=retention');
  assert.equal(await page.getByRole('button', { name: 'Purge now…' }).count(), 0);
});

/** A call whose prompt is kept; says its id. */
async function keptCall() {
  const workloads = await world.api.all('workloads');
  const { name } = workloads.find(({ spec }) => spec.data_class === 'internal');
  await world.api.change('workloads', name, { keep_prompts: true });
  const key = `test-kept-${Date.now()}`;
  const { secret } = await world.api.post('/api/v1/keys', {
    name: key,
    spec: { workload: name },
  });
  const bearer = { authorization: `Bearer ${secret}` };
  const models = await (await fetch(`${world.url}/v1/models`, { headers: bearer })).json();
  const model = models.data.find(({ id }) => id.startsWith('gpt')).id;
  const reply = await fetch(`${world.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { ...bearer, 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      messages: [{ role: 'user', content: SAID }],
    }),
  });
  assert.equal(reply.status, 200, await reply.clone().text());
  const call = reply.headers.get('x-tally-request-id');
  await until(async () => (await auditor.get(`/api/v1/events/${call}/prompt`)).prompt !== null);
  await until(async () =>
    world.api.get(`/api/v1/calls/${call}`).then(
      () => true,
      () => false,
    ),
  );
  return call;
}

test('a kept prompt is shown for a reason, as text, and the look is recorded', async () => {
  const call = await keptCall();
  const page = await world.pageOf('security');
  await world.open(page, `/calls/${call}`);
  const card = page.getByRole('region', { name: 'Kept prompt' });
  await card.getByText(/deleted/).waitFor();
  await card.getByRole('button', { name: 'Show the prompt' }).click();
  await card.getByText('at least 10 characters').waitFor();
  assert.equal((await auditor.get('/api/v1/audit?action=read_prompt')).items.length, 0);
  await assertAccessible(page, 'the reason for reading a prompt');

  await card.getByLabel('Why you need to read it').fill('incident 4711: what left');
  await card.getByRole('button', { name: 'Show the prompt' }).click();
  await card.getByText('is in the audit log').waitFor();
  const prompt = card.getByRole('region', { name: 'The prompt, as it left' });
  assert.ok((await prompt.innerText()).includes(SAID), 'text, not markup');
  assert.equal(await prompt.locator('b').count(), 0);
  await assertAccessible(page, 'a kept prompt');
  await screenshot(page, 'kept-prompt');
  const { items } = await auditor.get('/api/v1/audit?action=read_prompt');
  assert.equal(items.length, 1);
  assert.equal(items[0].after.reason, 'incident 4711: what left');
  assert.ok(!JSON.stringify(items).includes('recognisable'));
  await card.getByRole('button', { name: 'Close' }).click();
  assert.equal(await page.getByText('recognisable').count(), 0);

  const narrow = await world.pageOf('security', {
    viewport: NARROW,
    theme: 'dark',
  });
  await world.open(narrow, `/calls/${call}`);
  await narrow.getByLabel('Why you need to read it').waitFor();
  await assertFitsWidth(narrow, 'a call with a kept prompt at 390 px');
  await assertAccessible(narrow, 'a call with a kept prompt, dark');

  const admin = await world.pageOf('admin');
  await world.open(admin, `/calls/${call}`);
  await admin.getByText('Guardrails and budgets').waitFor();
  assert.equal(await admin.getByText('Kept prompt').count(), 0, 'not even for admins');
});
