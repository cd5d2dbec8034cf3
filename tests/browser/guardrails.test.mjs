// Guardrails, as people meet them: a rule stands in the way, an exception is asked for,
// decided and seen; a repeated one waits for an architecture review.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { assertAccessible } from './harness/checks.mjs';
import { World } from './harness/world.mjs';

const POLICY = `test-${Date.now()}`;
const RULE = `${POLICY}/no-restricted`;
const SAYS = 'Restricted data stays at home, says this test.';

let world;
let asker;
let approver;
before(async () => {
  world = await World.open();
  asker = world.tally.people.developer;
  approver = await world.invite('security');
  await world.api.post('/api/v1/policies', {
    name: POLICY,
    spec: {
      about: 'Only for a test.',
      rules: [
        {
          id: 'no-restricted',
          when: `data_class == "restricted" && person == "${asker}"`,
          then: 'review',
          severity: 'high',
          says: SAYS,
        },
        { id: 'large', when: 'token_estimate > 900000', then: 'log', says: 'Large, says this test.' },
      ],
      overrides: [{ for: { role: 'finops' }, rules: [{ id: 'no-restricted', off: true }] }],
    },
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

const exceptions = async () =>
  (await world.api.all('exceptions')).filter(({ spec }) => spec.rule === RULE);

/** Asks in the browser, as the developer; says the exception's name. */
async function ask(reason) {
  const page = await world.pageOf('developer');
  await world.open(page, `/exceptions/new?rule=${encodeURIComponent(RULE)}&person=${asker}`);
  await page.getByLabel('Why').fill(reason);
  await page.getByRole('button', { name: 'Look at it' }).click();
  await page.getByRole('heading', { name: 'Who has to approve' }).waitFor();
  // Twice: the second click does nothing.
  await page.getByRole('button', { name: 'Send the request' }).dblclick();
  await page.waitForURL((url) => !url.pathname.endsWith('/new'));
  const name = decodeURIComponent(new URL(page.url()).pathname.split('/').at(-1));
  await page.getByText('Nobody approves their own request.').waitFor();
  await page.close();
  return name;
}

const explained = `/policies?tab=explain&data_class=restricted&person=`;

test('a policy shows its rules as sentences, and who has it otherwise', async () => {
  const page = await world.pageOf('developer');
  await world.open(page, `/policies?q=${encodeURIComponent(RULE)}`);
  const card = page.locator('section', { has: page.getByRole('heading', { name: POLICY }) });
  await card.getByText(SAYS).waitFor();
  const text = await card.innerText();
  for (const part of ['Review', 'High', 'In force', RULE, 'role finops', 'does not apply']) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
  assert.ok(!text.includes('Large, says this test.'), 'the search leaves other rules out');
  await card.getByRole('link', { name: `Ask for an exception from ${RULE}` }).click();
  await page.waitForURL('**/exceptions/new?rule=*');
  assert.equal(await page.getByLabel('Rule', { exact: true }).inputValue(), RULE);
});

test('what would happen is told rule by rule, and its address can be sent', async () => {
  const page = await world.pageOf('developer');
  await world.open(page, '/policies?tab=explain');
  assert.equal(await page.getByLabel('Who calls').inputValue(), asker, 'one asks about oneself');
  await page.getByLabel('Data class').selectOption('restricted');
  await page.getByRole('button', { name: 'Explain' }).click();
  await page.waitForURL(`**data_class=restricted**`);
  const row = page.locator('tbody tr', { hasText: RULE });
  await row.getByText('Acts').waitFor();
  await assertAccessible(page, 'explain');
  const address = new URL(page.url());
  await world.open(page, address.pathname + address.search);
  await row.getByText(SAYS).waitFor();
});

test('asked, approved by security, and seen: in the list, in the rules, in the agenda', async () => {
  const page = await world.pageOf('developer');
  await world.open(page, '/exceptions/new');
  await page.getByRole('button', { name: 'Look at it' }).click();
  await page.getByText('Choose the rule that is to be waived.').waitFor();
  await page.getByText('Say why').waitFor();
  await assertAccessible(page, 'a request with flaws');
  await page.close();

  const name = await ask('The recall needs it');
  assert.equal((await exceptions()).length, 1, 'a double click asks once');

  const decider = await world.pageOf('security');
  await world.open(decider, '/exceptions');
  const card = decider.getByRole('article', { name: RULE });
  await card.getByText('The recall needs it').waitFor();
  await card.getByText(SAYS).waitFor();
  await assertAccessible(decider, 'exceptions to decide');
  await card.getByRole('button', { name: /^Approve/ }).click();
  await card.getByRole('button', { name: 'Approve it' }).dblclick();
  await card.waitFor({ state: 'detached' });
  const [{ spec }] = await exceptions();
  assert.equal(spec.state, 'approved');
  assert.deepEqual(
    spec.decisions.map(({ by, approved }) => [by, approved]),
    [[approver, true]],
  );

  await world.open(decider, `/exceptions/${encodeURIComponent(name)}`);
  await decider.getByText('In force').first().waitFor();
  const minutes = await decider.locator('main ol').innerText();
  assert.ok(minutes.indexOf(asker) >= 0 && minutes.indexOf(asker) < minutes.indexOf(approver));
  await assertAccessible(decider, 'an exception');

  await world.open(decider, explained + asker);
  const row = decider.locator('tbody tr', { hasText: RULE });
  await row.getByText('Waived', { exact: true }).waitFor();
  await row.getByRole('link', { name: 'An exception' }).click();
  await decider.waitForURL(`**/exceptions/${encodeURIComponent(name)}`);

  await world.open(decider, '/governance');
  const open = decider.locator('section', { hasText: 'Open exceptions' });
  await open.getByRole('link', { name: RULE }).waitFor();
  assert.ok((await decider.getByRole('main').innerText()).includes(POLICY), 'a changed policy');
});

test('a repeated one is approved only after an architecture review', async () => {
  const name = await ask('Once more');
  const page = await world.pageOf('security');
  await world.open(page, '/exceptions');
  const card = page.getByRole('article', { name: RULE });
  await card.getByText('It repeats').waitFor();
  assert.equal(await card.getByRole('button', { name: /^Approve/ }).count(), 0);
  await card.getByRole('button', { name: 'Record the review' }).click();
  await card.getByText('Say what came of it').waitFor();
  await card.getByLabel('What the architecture review found').fill('The route is rebuilt in May');
  await card.getByRole('button', { name: 'Record the review' }).dblclick();
  await card.getByText('The route is rebuilt in May').waitFor();
  await card.getByRole('button', { name: /^Approve/ }).click();
  await card.getByRole('button', { name: 'Approve it' }).click();
  await card.waitFor({ state: 'detached' });
  const { spec } = await world.api.get(`/api/v1/exceptions/${encodeURIComponent(name)}`);
  assert.equal(spec.state, 'approved');
  assert.equal(spec.architecture_review.by, approver);
});

test('a request that lasts too long is refused in words, and nothing is stored', async () => {
  const before = (await exceptions()).length;
  const page = await world.pageOf('developer', { allow: [/Failed to load resource.*422/] });
  await world.open(page, `/exceptions/new?rule=${encodeURIComponent(RULE)}`);
  await page.getByLabel('Until').selectOption('day');
  const far = new Date(Date.now() + 45 * 24 * 3_600_000).toISOString().slice(0, 10);
  await page.getByLabel('To the end of').fill(far);
  await page.getByLabel('Why').fill('For as long as possible');
  await page.getByRole('button', { name: 'Look at it' }).click();
  await page.getByText('at most 30 days;').first().waitFor();
  await page.getByRole('alert').waitFor();
  assert.equal((await exceptions()).length, before);
});

test('the agenda goes from month to month, and is saved as a document', async () => {
  const page = await world.pageOf('security');
  await world.open(page, '/governance');
  await page.getByRole('button', { name: 'The month before' }).click();
  await page.waitForURL('**month=**');
  const month = new URL(page.url()).searchParams.get('month');
  await page.locator('section h2').first().waitFor();
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Markdown' }).click(),
  ]);
  assert.equal(file.suggestedFilename(), `governance-${month}.md`);
});

test('violations are narrowed in the address, and lead to their calls', async () => {
  const page = await world.pageOf('admin');
  await world.open(page, '/violations');
  await page.getByLabel('Severity').selectOption('severe');
  await page.waitForURL('**severity=severe**');
  await page.getByLabel('Rule').selectOption(RULE);
  await page.waitForURL('**rule=**');
  await page.getByText('No violation matches').waitFor();
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.waitForURL((url) => !url.searchParams.has('rule'));
});
