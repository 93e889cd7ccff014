import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, ask, needsFake, seriousFindings, useBrowser } from "./harness.mjs";

const use = useBrowser();

// Nothing moves, so that colours are judged as they will stay.
const still = { reducedMotion: "reduce" };

async function expectNone(page, where) {
  assert.deepEqual(await seriousFindings(page), [], where);
}

for (const [name, options] of [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["Arabic", { locale: "ar", colorScheme: "light" }],
  ["phone", { viewport: { width: 360, height: 740 } }],
]) {
  test(`axe finds nothing serious: ${name}`, async () => {
    const page = await use.open({ ...still, ...options });
    await expectNone(page, "before the first message");
    await ask(page, "Show me markdown");
    await answered(page);
    await page.locator(".actions .icon-button").last().hover();
    await expectNone(page, "with an answer");
  });

  test(`axe finds nothing serious with dialogs open: ${name}`, async () => {
    const page = await use.open({ ...still, ...options });
    await ask(page, "Why is the sky blue?");
    await answered(page);
    const tools = page.locator(".chat-tools > button");
    for (let index = 0; index < (await tools.count()); index++) {
      await tools.nth(index).click();
      await page.getByRole("dialog").waitFor();
      await expectNone(page, `dialog ${index}`);
      await page.keyboard.press("Escape");
      await page.locator("dialog").waitFor({ state: "detached" });
    }
  });
}

for (const colorScheme of ["light", "dark"]) {
  test(
    `axe finds nothing serious while an answer comes, and when it fails: ${colorScheme}`,
    needsFake,
    async () => {
      const page = await use.open({ ...still, colorScheme });
      await ask(page, "Count to a thousand, one number a line.");
      await page.locator(".message-assistant .prose").waitFor();
      await expectNone(page, "running");
      await page.keyboard.press("Escape");
      await answered(page);
      await ask(page, "You are busy");
      await page.locator(".notice-problem").waitFor();
      await expectNone(page, "failed");
      await page.locator(".item-actions button").last().click();
      await page.getByRole("dialog").waitFor();
      await expectNone(page, "delete?");
    },
  );
}

test("an answer is read out in sentences, and its end is said", needsFake, async () => {
  const page = await use.open();
  const heard = [];
  await page.exposeFunction("hear", (text) => heard.push(text));
  await page.evaluate(() => {
    const log = document.querySelector('[role="log"]');
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes)
        for (const node of addedNodes) window.hear(node.textContent);
    }).observe(log, { childList: true });
  });
  await ask(page, "Why is the sky blue?");
  await answered(page);
  await page.getByText("The answer is complete.").waitFor({ state: "attached" });
  assert.match(heard.join(" "), /blue light reaches your eye\. The answer is complete\.$/u);
  assert.ok(heard.length < 8, `${heard.length} pieces are too many`);
});
