// What holds for every page.

import assert from 'node:assert/strict';

import { AXE_SOURCE } from './packages.mjs';

/** No violation of axe's rules, whatever its impact. */
export async function assertAccessible(page, where) {
  await page.evaluate(AXE_SOURCE);
  const violations = await page.evaluate(async () => {
    const results = await window.axe.run(document, {
      // Its own requests would fail where a test has stopped the server.
      preload: false,
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return results.violations.map(({ id, impact, help, nodes }) => ({
      id,
      impact,
      help,
      nodes: nodes.slice(0, 4).map(({ html, failureSummary }) => ({ html, failureSummary })),
    }));
  });
  const text = violations.map(
    ({ id, impact, help, nodes }) =>
      `${id} (${impact}): ${help}\n${nodes
        .map(({ html, failureSummary }) => `    ${html.slice(0, 300)}\n    ${failureSummary}`)
        .join('\n')}`,
  );
  assert.equal(violations.length, 0, `axe on ${where}:\n${text.join('\n')}`);
}

/** The page itself never scrolls sideways; wide tables scroll in their own box. */
export async function assertFitsWidth(page, where) {
  const { content, view, culprits } = await page.evaluate(() => {
    const view = document.documentElement.clientWidth;
    const scrolls = (element) => {
      for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
        if (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(at).overflowX))
          return true;
      }
      return false;
    };
    const culprits = [...document.body.querySelectorAll('*')]
      .filter((element) => element.getBoundingClientRect().right > view + 1 && !scrolls(element))
      .slice(0, 5)
      .map((element) => element.outerHTML.slice(0, 160));
    return { content: document.documentElement.scrollWidth, view, culprits };
  });
  assert.ok(
    content <= view + 1,
    `${where} is ${content} px wide in ${view} px: ${culprits.join('\n')}`,
  );
}

/** What has the focus, in words that a failed test can show. */
export function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!element || element === document.body) return '';
    const label = element.labels?.[0]?.textContent;
    const name = element.getAttribute('aria-label') ?? label ?? element.textContent ?? '';
    return `${element.tagName.toLowerCase()} ${name.trim().replace(/\s+/g, ' ').slice(0, 60)}`;
  });
}
