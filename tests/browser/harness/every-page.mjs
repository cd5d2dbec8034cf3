// What every page of a list has to do: show its data, satisfy axe in both themes, fit a phone,
// and be reachable by keyboard.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { assertAccessible, assertFitsWidth, focused } from './checks.mjs';
import { NARROW, screenshot } from './page.mjs';

/**
 * `pages` have a name, a path, and something that is there only when the page has its data;
 * `world` gives the world once it is open.
 */
export function describePages(world, pages, role = 'admin') {
  for (const [name, path, sign] of pages) {
    describe(name, () => {
      for (const theme of ['light', 'dark']) {
        test(`shows its data and satisfies axe, ${theme}`, async () => {
          const page = await world().pageOf(role, { theme });
          await world().open(page, path());
          await page.locator(sign).first().waitFor();
          assert.equal(await page.locator('h1').count(), 1);
          await screenshot(page, `${name}-${theme}`);
          await assertAccessible(page, `${name}, ${theme}`);
        });
      }

      test('fits a phone', async () => {
        const page = await world().pageOf(role, { viewport: NARROW });
        await world().open(page, path());
        await page.locator(sign).first().waitFor();
        await screenshot(page, `${name}-narrow`);
        await assertFitsWidth(page, name);
        await assertAccessible(page, `${name}, narrow`);
      });

      test('every stop of the tab key has a name', async () => {
        const page = await world().pageOf(role);
        await world().open(page, path());
        await page.locator(sign).first().waitFor();
        const stops = [];
        for (let stop = 0; stop < 45; stop += 1) {
          await page.keyboard.press('Tab');
          const at = await focused(page);
          if (at === '') break;
          stops.push(at);
          assert.match(at, /^\S+ \S/, `${name}: a stop without a name after ${stops.at(-2)}`);
        }
        assert.ok(new Set(stops).size > 3, `${name}: ${stops.join(', ')}`);
      });
    });
  }
}
