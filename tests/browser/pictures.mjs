// Takes the pictures of the README from a demo that runs: `node tests/browser/pictures.mjs URL PASSWORD`.

import { join } from 'node:path';

import { ROOT } from './harness/packages.mjs';
import { launch } from './harness/page.mjs';
import { settled } from './harness/world.mjs';

const VIEWPORT = { width: 1440, height: 960 };
const ADMIN = 'maya.chen';
const DEVELOPER = 'luca.rossi';

/** Who looks at what; `show` does what it takes until the page shows it. */
const PICTURES = [
  { name: 'overview', who: ADMIN, path: '/overview?range=last_30_days' },
  {
    name: 'explore',
    who: ADMIN,
    path: '/explore?by=department&range=last_90_days&grain=week&chart=area',
  },
  { name: 'call', who: ADMIN, path: '/calls', show: openOne },
  { name: 'budgets', who: ADMIN, path: '/budgets' },
  { name: 'statements', who: ADMIN, path: '/statements' },
  { name: 'scoreboards', who: DEVELOPER, path: '/scoreboards?of=people' },
];

async function openOne(page) {
  const assisted = page.locator('tbody tr', { hasText: 'code-assistant' });
  await assisted.filter({ hasText: '$' }).first().locator('a').first().click();
  await settled(page);
}

async function signIn(page, url, name, password) {
  await page.goto(`${url}/sign-in`);
  await page.getByLabel('Name or e-mail').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/overview**');
}

const [url, password] = process.argv.slice(2);
if (!url || !password) {
  throw new Error(
    'expected the address and the password that the demo has printed',
  );
}
const chromium = await launch();
try {
  for (const { name, who, path, show } of PICTURES) {
    await chromium.context.clearCookies();
    const page = await chromium.context.newPage();
    await page.setViewportSize(VIEWPORT);
    await signIn(page, url, who, password);
    await page.goto(url + path);
    await settled(page);
    await show?.(page);
    // Numbers that come one after the other, and a chart that is drawn.
    await page.waitForTimeout(3_000);
    const file = join(ROOT, 'docs/images', `${name}.png`);
    await page.screenshot({ path: file });
    process.stdout.write(`${file}\n`);
    await page.close();
  }
} finally {
  await chromium.close();
}
