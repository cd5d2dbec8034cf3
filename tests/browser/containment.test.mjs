// A severe rule suspends a key: seen among the violations, acknowledged, and given back.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { assertAccessible, assertFitsWidth } from './harness/checks.mjs';
import { NARROW, screenshot } from './harness/page.mjs';
import { World, settled } from './harness/world.mjs';

const POLICY = `contain-${Date.now()}`;
const RULE = `${POLICY}/never`;
const SAYS = 'Restricted data never leaves, says this test.';

let world;
let owner;
let keeper;
let key;
before(async () => {
  world = await World.open();
  owner = world.tally.people.developer;
  keeper = await world.invite('security');
  const name = `${owner}-contained-${Date.now()}`;
  const { secret } = await world.api.post('/api/v1/keys', {
    name,
    spec: { person: owner },
  });
  key = { name, secret };
  const rule = {
    id: 'never',
    when: `key == "${name}" && data_class == "restricted"`,
    then: 'deny',
    severity: 'severe',
    contain: 'suspend_key',
    says: SAYS,
  };
  await world.api.post('/api/v1/policies', {
    name: POLICY,
    spec: { rules: [rule] },
  });
});
after(async () => {
  try {
    const { version } = await world.api.get(`/api/v1/policies/${POLICY}`);
    await world.api.delete(`/api/v1/policies/${POLICY}?version=${version}`);
  } finally {
    await world?.close();
  }
});
afterEach(() => world.verifyPages());

/** One call with the key, and what came of it. */
async function call(dataClass) {
  const models = await world.api.all('models');
  const model = models.find(({ spec }) => spec.provider === 'openai' && spec.tier === 'economy');
  const reply = await fetch(`${world.url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key.secret}`,
      'content-type': 'application/json',
      'x-tally-data-class': dataClass,
    },
    body: JSON.stringify({
      model: model.name,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  });
  const body = await reply.json();
  return {
    status: reply.status,
    code: body.tally?.code,
    step: body.tally?.next_step,
  };
}

const violations = async () =>
  (await world.api.get(`/api/v1/violations?rule=${encodeURIComponent(RULE)}`)).items;

/** Waits until what the API says of the key is so. */
async function keyWhen(holds) {
  for (let turn = 0; turn < 100; turn += 1) {
    const found = await world.api.get(`/api/v1/keys/${encodeURIComponent(key.name)}`);
    if (holds(found.spec)) return found.spec;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the key ${key.name} never came to be so`);
}

test('from a severe violation to an acknowledged one', async () => {
  const first = await call('restricted');
  assert.deepEqual([first.status, first.code], [403, 'policy_denied']);
  const next = await call('public');
  assert.deepEqual([next.status, next.code], [403, 'key_suspended']);
  assert.ok(next.step.includes(`/keys?q=${key.name}`), next.step);
  const { suspended } = await keyWhen((spec) => spec.suspended);
  assert.deepEqual([suspended.rule, suspended.reason], [RULE, SAYS]);
  for (let turn = 0; (await violations()).length === 0 && turn < 100; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }

  const page = await world.pageOf('security');
  await world.open(page, '/overview');
  const attention = page.locator('section', {
    hasText: 'Severe violations nobody has acknowledged',
  });
  await attention.getByRole('link', { name: SAYS }).first().waitFor();
  await attention.getByRole('link', { name: 'All of them' }).click();
  await page.waitForURL('**/violations?severity=severe&acknowledged=false');
  await settled(page);
  assert.equal(await page.getByLabel('Acknowledged').inputValue(), 'false');
  const row = page.locator('tbody tr', { hasText: RULE });
  await row.getByRole('link', { name: 'Key suspended' }).waitFor();
  await assertAccessible(page, 'violations to acknowledge');
  await screenshot(page, 'violations-open');

  await row.getByRole('button', { name: `Acknowledge: ${RULE}` }).click();
  const dialog = page.getByRole('dialog', {
    name: 'Acknowledge this violation?',
  });
  await dialog.getByRole('button', { name: 'Acknowledge' }).click();
  await dialog.getByText('Say what was found').waitFor();
  await assertAccessible(page, 'acknowledging');
  await dialog.getByLabel('What was found').fill('A test of ours; the team knows');
  // Twice: the second click does nothing.
  await dialog.getByRole('button', { name: 'Acknowledge' }).dblclick();
  await row.waitFor({ state: 'detached' });

  await page.getByLabel('Acknowledged').selectOption('true');
  await page.waitForURL('**acknowledged=true**');
  await row.getByText('A test of ours; the team knows').waitFor();
  await row.getByText(keeper, { exact: true }).waitFor();
  const [{ acknowledged }] = await violations();
  assert.equal(acknowledged.by, keeper);
  const { items } = await world.api.get('/api/v1/audit?limit=50');
  const said = items.filter(
    ({ action, note }) => action === 'acknowledge_violation' && note === acknowledged.note,
  );
  assert.equal(said.length, 1, 'a double click acknowledges once');
});

test('from a suspended key to a reinstated one', async () => {
  const mine = await world.pageOf('developer');
  await world.open(mine, '/keys');
  const own = mine.locator('tbody tr', { hasText: key.name });
  await own.getByText(SAYS).waitFor();
  assert.equal(await own.getByRole('button', { name: /Reinstate/ }).count(), 0, 'not by its owner');
  await mine.close();

  const page = await world.pageOf('security');
  await world.open(page, `/violations?severity=severe&rule=${encodeURIComponent(RULE)}`);
  await page.getByRole('link', { name: 'Key suspended' }).click();
  await page.waitForURL('**/keys?q=**');
  const row = page.locator('tbody tr', { hasText: key.name });
  await row.getByText('suspended', { exact: true }).waitFor();
  await row.getByText(SAYS).waitFor();
  await assertAccessible(page, 'a suspended key');
  await screenshot(page, 'key-suspended');
  await row.getByRole('button', { name: `Reinstate ${key.name}` }).click();
  const dialog = page.getByRole('dialog', { name: `Reinstate ${key.name}?` });
  await assertAccessible(page, 'reinstating');
  await dialog.getByRole('button', { name: 'Reinstate', exact: true }).click();
  await dialog.getByText('Say what was found').waitFor();
  await dialog.getByLabel('What was found').fill('Looked at with the team');
  await screenshot(page, 'key-reinstating');
  await dialog.getByRole('button', { name: 'Reinstate', exact: true }).dblclick();
  await row.getByText('works', { exact: true }).waitFor();
  const passes = await call('public');
  assert.equal(passes.status, 200, passes.code);
  const spec = await keyWhen((known) => known.reinstated);
  assert.equal(spec.reinstated.note, 'Looked at with the team');
  await world.open(page, `/violations?rule=${encodeURIComponent(RULE)}`);
  await page.getByRole('link', { name: 'Key reinstated' }).waitFor();
});

test('its owner suspends a key by hand, by keyboard, on a phone and in the dark', async () => {
  const page = await world.pageOf('developer', {
    viewport: NARROW,
    theme: 'dark',
  });
  await world.open(page, '/keys');
  await assertFitsWidth(page, 'keys at 390 px');
  const row = page.locator('tbody tr', { hasText: key.name });
  await row.getByRole('button', { name: `Suspend ${key.name}` }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: `Suspend ${key.name}?` });
  await dialog.getByLabel('Why').fill('My laptop is lost');
  await assertAccessible(page, 'suspending in the dark');
  await screenshot(page, 'key-suspending-390');
  await dialog.getByRole('button', { name: 'Suspend', exact: true }).focus();
  await page.keyboard.press('Enter');
  await row.getByText('My laptop is lost').waitFor();
  await assertFitsWidth(page, 'a suspended key at 390 px');
  await assertAccessible(page, 'a suspended key in the dark');
  assert.equal((await call('public')).code, 'key_suspended');
  await page.close();

  const phone = await world.pageOf('security', {
    viewport: NARROW,
    theme: 'dark',
  });
  await world.open(phone, '/violations');
  await assertFitsWidth(phone, 'violations at 390 px');
  await assertAccessible(phone, 'violations in the dark');
  await screenshot(phone, 'violations-390');
  await world.open(phone, '/overview');
  await assertFitsWidth(phone, 'the overview at 390 px');
});

test('who may not acknowledge has no button for it', async () => {
  const page = await world.pageOf('finops');
  await world.open(page, '/violations?severity=severe');
  await page.getByText(SAYS).first().waitFor();
  assert.equal(await page.getByRole('button', { name: /^Acknowledge/ }).count(), 0);
});
