// What a test file works with: a running company, a browser, and people who sign in
// through the page, as people do.

import { Api } from './api.mjs';
import { launch, Watched, WIDE } from './page.mjs';
import { COMPANY, Tally } from './tally.mjs';

/** Long enough for a debug binary on a busy machine. */
const PATIENCE_MS = 30_000;
const DAY_MS = 24 * 3_600_000;

/** A week in the past, as addresses and queries have it: live traffic does not move it. */
export function pastWeek() {
  const to = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS - 2 * DAY_MS);
  const from = new Date(to.getTime() - 7 * DAY_MS);
  return { from: from.toISOString(), to: to.toISOString() };
}

export class World {
  #watched = [];
  #sessions = new Map();

  constructor(tally, chromium, api, ownsTally) {
    this.tally = tally;
    this.chromium = chromium;
    this.api = api;
    this.url = tally.url;
    this.ownsTally = ownsTally;
  }

  /**
   * Opens the company that all files share, or, with `own`, one that a test may break.
   */
  static async open({ own = false, company = COMPANY } = {}) {
    const shared = !own && process.env.TALLY_BROWSER_SHARED;
    const tally = shared ? new Tally(JSON.parse(shared)) : await Tally.start(company);
    const chromium = await launch();
    chromium.context.setDefaultTimeout(PATIENCE_MS);
    const api = new Api(tally.url, await tally.adminKey());
    return new World(tally, chromium, api, !shared);
  }

  async close() {
    await this.chromium.close();
    if (this.ownsTally) await this.tally.close();
  }

  /** A watched page that is at no address yet; cookies of earlier tests are gone. */
  async page({ viewport = WIDE, theme = 'light', allow = [], keepCookies = false } = {}) {
    if (!keepCookies) await this.#leave();
    const page = await this.chromium.context.newPage();
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    const watched = new Watched(page, { origin: this.url, allow });
    this.#watched.push(watched);
    return page;
  }

  /** A page of someone of the company who has signed in: an admin, a developer… */
  async pageOf(role, options = {}) {
    await this.#leave();
    await this.chromium.context.addCookies(await this.#cookies(role));
    return this.page({ ...options, keepCookies: true });
  }

  /**
   * Whoever was there closes their pages before the cookies go: a page that reads again by
   * itself in between would be told, rightly, that nobody is signed in.
   */
  async #leave() {
    await Promise.all(this.#watched.map(({ page }) => page.close()));
    await this.chromium.context.clearCookies();
  }

  /** Signs in once per role, through the page; later tests use the same session. */
  async #cookies(role) {
    if (!this.#sessions.has(role)) {
      const page = await this.chromium.context.newPage();
      await page.goto(`${this.url}/sign-in`);
      await this.signIn(page, this.tally.people[role]);
      await page.waitForURL('**/overview**');
      this.#sessions.set(role, await this.chromium.context.cookies());
      await page.close();
    }
    return this.#sessions.get(role);
  }

  /** Gives somebody who has a role an account with the password of the others. */
  async invite(role) {
    const people = await this.api.all('people');
    const { name } = people.find(({ spec }) => spec.roles.includes(role));
    const { link } = await this.api.post('/api/v1/invitations', { person: name });
    const token = link.split('token=')[1];
    const { password } = this.tally;
    await this.api.post('/api/v1/invitations/accept', { token, password });
    this.tally.people[role] = name;
    return name;
  }

  async signIn(page, name, password = this.tally.password) {
    await page.getByLabel('Name or e-mail').fill(name);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  /** Opens a path and waits until its heading is there and nothing is loading. */
  async open(page, path) {
    await page.goto(this.url + path);
    await settled(page);
  }

  /** Closes the pages of a test; fails when one of them complained. */
  async verifyPages() {
    const watched = this.#watched.splice(0);
    const complaints = watched.flatMap((one) => one.complaints());
    await Promise.all(watched.map((one) => one.page.close()));
    if (complaints.length > 0) throw new Error(`pages complained:\n  ${complaints.join('\n  ')}`);
  }
}

/** The page has its heading, and nothing on it is waited for. */
export async function settled(page) {
  await page.locator('h1').first().waitFor();
  await page.waitForFunction(() => !document.querySelector('.skeleton'));
}
