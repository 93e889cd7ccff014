import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, ask, needsFake, useBrowser } from "./harness.mjs";
import { startFakeServer } from "./fake_server.mjs";

const use = useBrowser();

for (const [message, words] of [
  ["You are busy", /The server is busy\. Please wait 7 seconds\.[\s\S]*The queue is full/u],
  ["This is too long", /longer than the model can read/u],
  ["Give an error", /Something went wrong in the server[\s\S]*A worker failed/u],
  ["Be cut off", /connection ended before the answer was complete/u],
  ["Be garbled", /does not understand/u],
]) {
  test(`a problem in plain words: ${message}`, needsFake, async () => {
    const page = await use.open();
    await ask(page, message);
    assert.equal(await answered(page), "broken");
    assert.match(await page.locator(".message-assistant .notice").innerText(), words);
    const before = use.server.requests.length;
    await page.locator(".message-assistant").getByRole("button", { name: "Try again" }).click();
    await page.waitForFunction(() => document.querySelector('[data-state="running"]') === null);
    assert.equal(await answered(page), "broken");
    assert.equal(use.server.requests.length, before + 1);
  });
}

test("what had come before a fault stays", needsFake, async () => {
  const page = await use.open();
  await ask(page, "Be cut off");
  await answered(page);
  assert.match(await page.locator(".message-assistant .prose").innerText(), /The air scatters/u);
});

test("an answer of nothing but thinking is explained", needsFake, async () => {
  const page = await use.open();
  await ask(page, "Please only think");
  assert.equal(await answered(page), "done");
  assert.match(await page.locator(".ending").innerText(), /All tokens were used for thinking/u);
});

test("a server that goes and comes back", needsFake, async () => {
  const first = await startFakeServer();
  const page = await use.open({ url: first.url });
  await page.locator(".model-chip").waitFor();
  const port = Number(new URL(first.url).port);
  await first.close();
  await ask(page, "Anybody there?");
  await answered(page);
  await page.locator(".notices .notice-problem").waitFor();
  const second = await startFakeServer({ port });
  try {
    // Without a reload: the page asks until somebody answers.
    await page.locator(".notices .notice-problem").waitFor({ state: "detached" });
    await page.locator(".message-assistant").getByRole("button", { name: "Try again" }).click();
    await page.locator('.message-assistant[data-state="done"]').waitFor();
  } finally {
    await second.close();
  }
});

test("a key is asked for, kept for the tab only, and used", needsFake, async () => {
  const server = await startFakeServer({ key: "secret-key" });
  try {
    const page = await use.open({ url: server.url });
    await page.locator(".notices").getByRole("button", { name: "Enter a key" }).waitFor();
    await ask(page, "Why is the sky blue?");
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Key").fill("wrong");
    await dialog.getByRole("button", { name: "Use this key" }).click();
    // Refused, and asked for again.
    await dialog.getByLabel("Key").fill(" secret-key\n");
    await dialog.getByRole("button", { name: "Use this key" }).click();
    await page.locator('.message-assistant[data-state="done"]').waitFor();
    assert.equal(await page.locator(".message-assistant").count(), 1);
    await page.locator(".model-chip").waitFor();
    const kept = await page.evaluate(() => [
      JSON.stringify(localStorage),
      JSON.stringify(sessionStorage),
    ]);
    assert.doesNotMatch(kept[0], /secret-key/u);
    assert.match(kept[1], /secret-key/u);
  } finally {
    await server.close();
  }
});
