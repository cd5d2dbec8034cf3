// What holds for every page: it shows its data, axe finds nothing, it fits a phone, and it
// can be used without a mouse.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";

import { counted, dropBudget, makeBudget } from "./harness/budgets.mjs";
import {
  assertAccessible,
  assertFitsWidth,
  focused,
} from "./harness/checks.mjs";
import { NARROW, screenshot } from "./harness/page.mjs";
import { World } from "./harness/world.mjs";

const RANGE = "range=last_30_days";
let world;
let names;

before(async () => {
  world = await World.open();
  const first = async (dimension, filters = []) => {
    const measures = ["spend_usd"];
    const query = {
      measures,
      dimensions: [dimension],
      filters,
      range: "last_30_days",
      limit: 3,
    };
    const { rows } = await world.api.query(query);
    return rows.map(([name]) => name).find((name) => name !== "unattributed");
  };
  const [event] = (await world.api.get(`/api/v1/events?${RANGE}&limit=1`))
    .items;
  // Without one the page of the log is told so by a 404.
  await world.api.post("/api/v1/audit/checkpoints");
  const budget = await makeBudget(world);
  await counted(world, budget);
  names = {
    budget,
    person: await first("person"),
    team: await first("team"),
    call: event.call_id,
  };
});
after(async () => {
  try {
    await dropBudget(world, names?.budget);
  } finally {
    await world?.close();
  }
});
afterEach(() => world.verifyPages());

/** Name, path, and something that is there only when the page has its data. */
const PAGES = [
  ["overview", () => `/overview?${RANGE}`, ".kpi .value"],
  ["explore", () => `/explore?${RANGE}&measures=spend_usd&by=team`, "tbody tr"],
  ["calls", () => `/calls?${RANGE}`, "tbody tr:nth-child(20)"],
  ["call-drawer", () => `/calls?${RANGE}&call=${names.call}`, ".figures dd"],
  ["call", () => `/calls/${names.call}`, ".figures dd"],
  ["budgets", () => "/budgets", "tbody tr"],
  ["budget", () => `/budgets/${names.budget}`, "dd[data-exact]"],
  ["quota", () => "/quota", "main article, main .empty"],
  ["approvals", () => "/approvals", "main article, main .empty"],
  ["approvals-all", () => "/approvals?tab=all", "tbody tr, main .empty"],
  ["notifications", () => "/notifications", "main li, main .empty"],
  ["people", () => `/people?${RANGE}`, "tfoot td"],
  ["person", () => `/people/${names.person}?${RANGE}`, ".kpi .value"],
  ["teams", () => `/teams?${RANGE}`, "tfoot td"],
  ["team", () => `/teams/${names.team}?${RANGE}`, ".kpi .value"],
  ["models", () => `/models?${RANGE}`, "tfoot td"],
  ["prices", () => "/models?tab=prices", "tbody tr"],
  ["policies", () => "/policies", "main li .says"],
  [
    "policies-explain",
    () => `/policies?tab=explain&person=${names.person}&data_class=restricted`,
    "tbody tr",
  ],
  ["violations", () => "/violations", "tbody tr, main .empty"],
  ["exceptions", () => "/exceptions", "main article, main .empty"],
  ["exceptions-all", () => "/exceptions?tab=all", "tbody tr, main .empty"],
  ["exception-request", () => "/exceptions/new", "main form"],
  ["governance", () => "/governance", "main section h2"],
  ["audit", () => "/audit", "tbody tr"],
  ["keys", () => "/keys?of=all", "tbody tr"],
  ["settings", () => "/settings", "dl dd"],
  ["settings-organization", () => "/settings?tab=organization", "form"],
  ["settings-people", () => "/settings?tab=people", "tbody tr"],
  ["settings-providers", () => "/settings?tab=providers", "tbody tr"],
  [
    "settings-deliveries",
    () => "/settings?tab=deliveries",
    "tbody tr, main .empty",
  ],
  ["settings-system", () => "/settings?tab=system", "dl dd"],
  ["settings-appearance", () => "/settings?tab=appearance", "kbd"],
];

for (const [name, path, sign] of PAGES) {
  describe(name, () => {
    for (const theme of ["light", "dark"]) {
      test(`shows its data and satisfies axe, ${theme}`, async () => {
        const page = await world.pageOf("admin", { theme });
        await world.open(page, path());
        await page.locator(sign).first().waitFor();
        assert.equal(await page.locator("h1").count(), 1);
        assert.match(await page.title(), /· Tally$/);
        assert.equal(
          await page.evaluate(() => document.documentElement.dataset.theme),
          theme,
        );
        await screenshot(page, `${name}-${theme}`);
        await assertAccessible(page, `${name}, ${theme}`);
      });
    }

    test("fits a phone", async () => {
      const page = await world.pageOf("admin", { viewport: NARROW });
      await world.open(page, path());
      await page.locator(sign).first().waitFor();
      await screenshot(page, `${name}-narrow`);
      await assertFitsWidth(page, name);
      await assertAccessible(page, `${name}, narrow`);
    });

    test("every stop of the tab key can be seen and has a name", async () => {
      const page = await world.pageOf("admin");
      await world.open(page, path());
      await page.locator(sign).first().waitFor();
      const stops = [];
      for (let stop = 0; stop < 25; stop += 1) {
        await page.keyboard.press("Tab");
        const at = await focused(page);
        if (at === "") break;
        stops.push(at);
        assert.match(
          at,
          /^\S+ \S/,
          `${name}: a stop without a name after ${stops.at(-2)}`,
        );
        const seen = await page.evaluate(() => {
          const box = document.activeElement.getBoundingClientRect();
          return box.width > 0 && box.height > 0;
        });
        assert.ok(seen, `${name}: ${at} cannot be seen`);
      }
      assert.ok(new Set(stops).size > 3, `${name}: ${stops.join(", ")}`);
    });
  });
}

test("the keyboard goes anywhere: places, periods, search, help, palette", async () => {
  const page = await world.pageOf("admin");
  await world.open(page, "/overview");
  await page.keyboard.press("g");
  await page.keyboard.press("p");
  await page.waitForURL("**/people**");
  await page.keyboard.press("m");
  await page.waitForURL("**/people?range=last_30_days");
  await page.locator("tbody tr").first().waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("xx-nobody");
  await page.getByText("Nothing matches").waitFor();
  assert.match(
    page.url(),
    /range=last_30_days/,
    "letters typed into a field are no shortcuts",
  );
  await page.keyboard.press("Escape");
  await page.locator("tbody tr").first().waitFor();
  await page.locator("h1").click();
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await assertAccessible(page, "help");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").waitFor();
  await assertAccessible(page, "palette");
  await page.keyboard.type("settings");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/settings**");
});

test("a key means the same in a page that has just been opened", async () => {
  const page = await world.pageOf("admin");
  await page.goto(`${world.url}/people`);
  await page.locator("h1").waitFor();
  await page.keyboard.press("m");
  await page.waitForURL("**/people?range=last_30_days");
});

test("an address of nothing says so", async () => {
  const page = await world.pageOf("admin", {
    allow: [/Failed to load resource.*40[04]/],
  });
  await page.goto(`${world.url}/nowhere`);
  await page.getByRole("heading").first().waitFor();
  await assertAccessible(page, "nowhere");
  await page.goto(`${world.url}/calls/01a20000-0000-7000-8000-000000000000`);
  await page.getByRole("alert").waitFor();
  await assertAccessible(page, "a call that is not there");
});
