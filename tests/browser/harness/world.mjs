// What a test file works with: a running company, a browser, and people who sign in
// through the page, as people do.

import { Api } from './api.mjs';
import { launch, Watched, WIDE } from './page.mjs';
import { COMPANY, Tally } from './tally.mjs';

/** Long enough for a debug binary on a busy machine. */
const PATIENCE_MS = 30_000;
export const PASSWORD = 'correct horse battery staple';

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
    if (!keepCookies) await this.chromium.context.clearCookies();
    const page = await this.chromium.context.newPage();
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    const watched = new Watched(page, { origin: this.url, allow });
    this.#watched.push(watched);
    return page;
  }

  /** A page of someone who is signed in. */
  async pageOf(person, options = {}) {
    await this.chromium.context.clearCookies();
    const cookies = await this.#session(person);
    await this.chromium.context.addCookies(cookies);
    return this.page({ ...options, keepCookies: true });
  }

  /** Signs in once per person; later tests use the same session. */
  async #session(person) {
    if (!this.#sessions.has(person)) {
      const page = await this.chromium.context.newPage();
      await this.join(page, person);
      this.#sessions.set(person, await this.chromium.context.cookies());
      await page.close();
    }
    return this.#sessions.get(person);
  }

  /** The session of a person is not to be used again. */
  forget(person) {
    this.#sessions.delete(person);
  }

  /** Someone sets their password by an invitation, which also signs them in. */
  async join(page, person, password = PASSWORD) {
    const { link } = await this.api.post('/api/v1/invitations', { person });
    await page.goto(this.url + link);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Join' }).click();
    await page.waitForURL('**/overview**');
  }

  async signIn(page, person, password = PASSWORD) {
    await page.getByLabel('Name or e-mail').fill(person);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  /** A person with a role, to sign in as. */
  async personWith(role) {
    const people = await this.api.all('people');
    const found = people.find(({ spec }) => spec.roles?.includes(role) && spec.roles.length === 1);
    const any = found ?? people.find(({ spec }) => spec.roles?.includes(role));
    if (!any) throw new Error(`nobody of the company is ${role}`);
    return any.name;
  }

  /** Fails when a page of the test complained; closes them all. */
  async verifyPages() {
    const watched = this.#watched.splice(0);
    const complaints = watched.flatMap((one) => one.complaints());
    await Promise.all(watched.map((one) => one.page.close()));
    if (complaints.length > 0) throw new Error(`pages complained:\n  ${complaints.join('\n  ')}`);
  }
}
