// A browser, and pages that are watched: a test fails when its page logged an error,
// threw one, or asked another host for anything.

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium, ROOT } from './packages.mjs';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const SCREENSHOTS = join(ROOT, 'tests/browser/screenshots');

export const WIDE = { width: 1440, height: 900 };
export const NARROW = { width: 390, height: 844 };

function executable() {
  const found = process.env.CHROMIUM ?? CANDIDATES.find((path) => existsSync(path));
  if (!found) throw new Error('no Chromium found; name one with CHROMIUM=/path/to/chromium');
  return found;
}

/** One Chromium with a fresh profile; `close` ends it and removes the profile. */
export async function launch() {
  const profile = await mkdtemp(join(tmpdir(), 'tally-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: executable(),
    args: FLAGS,
    viewport: WIDE,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
    acceptDownloads: true,
  });
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  };
  return { browser: context.browser(), context, close };
}

/**
 * A watched page. `allow` lists patterns of console messages that the test provokes,
 * such as the browser's own line about a 401.
 */
export class Watched {
  #complaints = [];

  constructor(page, { origin, allow = [] }) {
    this.page = page;
    this.origin = origin;
    this.allow = [...allow];
    page.on('request', (request) => this.#request(request));
    page.on('pageerror', (error) => this.#complaints.push(`page error: ${error.stack ?? error}`));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) {
        const { url } = message.location();
        this.#complaints.push(`console ${message.type()}: ${message.text()} (${url})`);
      }
    });
  }

  #request(request) {
    const url = new URL(request.url());
    const isLocal = ['data:', 'blob:', 'about:'].includes(url.protocol);
    if (!isLocal && url.origin !== this.origin) {
      this.#complaints.push(`request to another host: ${request.url()}`);
    }
  }

  /** Complaints so far, without those that the test expects. */
  complaints() {
    return this.#complaints.filter((line) => !this.allow.some((pattern) => pattern.test(line)));
  }

  /** Fails when there was anything to complain about. */
  verify() {
    const found = this.complaints();
    if (found.length > 0) throw new Error(`the page complained:\n  ${found.join('\n  ')}`);
  }
}

/** Keeps what the page looks like, to be looked at. */
export async function screenshot(page, name) {
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
}

/**
 * Goes to a page by `g` and its key. The second key counts only soon after the first, which a
 * busy machine may miss: as a person would, both are pressed again then.
 */
export async function goByKeys(page, key, path) {
  for (let attempt = 1; ; attempt += 1) {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    try {
      await page.waitForURL(`**/${path}`, { timeout: 8_000 });
      return;
    } catch (error) {
      if (attempt === 4) throw error;
    }
  }
}
