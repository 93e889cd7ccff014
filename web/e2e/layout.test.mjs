import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, ask, overflowing, useBrowser } from "./harness.mjs";

const use = useBrowser();
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true };

// Waits for what moves to have moved.
const settled = (page) =>
  page.evaluate(() => Promise.allSettled(document.getAnimations().map(({ finished }) => finished)));

test("Arabic runs from right to left", async () => {
  const page = await use.open({ locale: "ar" });
  assert.deepEqual(
    await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]),
    ["ar", "rtl"],
  );
  const sidebar = await page.locator(".sidebar").boundingBox();
  assert.equal(sidebar.x + sidebar.width, 1280, "the list is at the right");
  await ask(page, "لماذا السماء زرقاء؟");
  await answered(page);
  const bubble = await page.locator(".bubble").boundingBox();
  const column = await page.locator(".messages > .column").boundingBox();
  assert.ok(bubble.x - column.x < 100, "one's own messages are at the left");
  const direction = (selector) =>
    page
      .locator(selector)
      .first()
      .evaluate((element) => getComputedStyle(element).direction);
  assert.equal(await direction(".bubble"), "rtl");
  assert.equal(await overflowing(page), "");
});

test("the language is chosen by the browser, changed by a person, and kept", async () => {
  const page = await use.open({ locale: "de-AT" });
  await page.getByLabel("Nachricht", { exact: true }).waitFor();
  await page.getByLabel("Sprache").selectOption("hi");
  assert.equal(await page.evaluate(() => document.documentElement.lang), "hi");
  await page.reload();
  await page.locator("#composer").waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "hi");
});

test("colours follow the system, or the choice", async () => {
  const page = await use.open({ colorScheme: "dark" });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await page.getByLabel("Colours").selectOption("light");
  const light = await ground();
  assert.notEqual(dark, light);
  await page.getByLabel("Colours").selectOption("dark");
  assert.equal(await ground(), dark);
});

for (const locale of ["en", "ar", "de", "hi"]) {
  test(`360 pixels are enough: ${locale}`, async () => {
    const page = await use.open({ ...PHONE, locale });
    assert.equal(await overflowing(page), "");
    await ask(page, "Show me markdown, with code and a table.");
    await answered(page);
    assert.equal(await overflowing(page), "");
    for (const dialog of [".model-chip", ".chat-tools > .icon-button:last-child"]) {
      await page.locator(dialog).click();
      await settled(page);
      const box = await page.locator("dialog").boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= 360, `${dialog} reaches over the edge`);
      await page.keyboard.press("Escape");
      await page.locator("dialog").waitFor({ state: "detached" });
    }
  });
}

test("on a phone the list is a drawer that holds the focus and gives it back", async () => {
  const page = await use.open(PHONE);
  const open = page.getByRole("button", { name: "Show conversations" });
  assert.equal(await page.locator(".sidebar").isVisible(), false);
  await open.click();
  await settled(page);
  assert.equal(await page.locator(".sidebar").isVisible(), true);
  assert.equal(await page.locator(".main").getAttribute("inert"), "");
  assert.equal(
    await page.evaluate(() => document.activeElement.closest(".sidebar") !== null),
    true,
  );
  await page.keyboard.press("Escape");
  await page.locator(".sidebar").waitFor({ state: "hidden" });
  assert.equal(await open.evaluate((element) => element === document.activeElement), true);
});

test("the keyboard is enough", async () => {
  const page = await use.open();
  // From the beginning of the page: the browser goes on from where the focus was last.
  await page.evaluate(() => {
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
  });
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip-link");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "composer");
  await page.keyboard.type("Why is the sky blue?");
  await page.keyboard.press("Enter");
  await answered(page);
  const settings = page.getByRole("button", { name: "Settings" });
  await settings.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  for (let count = 0; count < 25; count++) await page.keyboard.press("Tab");
  const within = await page.evaluate(
    () =>
      document.activeElement === document.body || document.activeElement.closest("dialog") !== null,
  );
  assert.ok(within, "the focus stays in the dialog");
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  assert.equal(await settings.evaluate((element) => element === document.activeElement), true);
});

test("who wants no motion gets none", async () => {
  const page = await use.open({ reducedMotion: "reduce" });
  await page.getByRole("button", { name: "Settings" }).click();
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
});
