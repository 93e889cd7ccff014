import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, ask, needsFake, PATIENCE, useBrowser } from "./harness.mjs";

const use = useBrowser();

test("an answer streams in, with a receipt, and the page keeps to itself", async () => {
  const page = await use.open();
  await ask(page, "Why is the sky blue?");
  assert.equal(await page.locator(".bubble").innerText(), "Why is the sky blue?");
  assert.equal(await answered(page), "done");
  const answer = page.locator(".message-assistant").last();
  assert.match(await answer.locator(".receipt").innerText(), /tokens? read[\s\S]*tokens? written/u);
  assert.match(await answer.innerText(), /\w/u);
  assert.equal(await page.locator("#composer").inputValue(), "");
  assert.deepEqual(page.faults, []);
});

test("Stop ends an answer and keeps what has come", async (t) => {
  const page = await use.open();
  await ask(page, "Count to a thousand, one number a line.");
  await page.locator(".message-assistant .prose, .thinking").first().waitFor();
  if ((await page.locator('[data-state="running"]').count()) === 0) {
    return t.skip("the model was done before anybody could stop it");
  }
  await page.getByRole("button", { name: "Stop" }).click();
  assert.equal(await answered(page), "stopped");
  const stopped = await page.locator(".message-assistant").innerText();
  assert.match(stopped, /Stopped by you/u);
  await page.waitForTimeout(500);
  assert.equal(await page.locator(".message-assistant").innerText(), stopped);
  if (use.server) assert.equal(use.server.cancelled, 1, "the server hears that nobody listens");
});

test("Escape stops as well, but not while a dialog is open", needsFake, async () => {
  const page = await use.open();
  await ask(page, "Count to a thousand, one number a line.");
  await page.locator(".message-assistant .prose").waitFor();
  await page.getByRole("button", { name: "Settings" }).click();
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  assert.equal(await page.locator('[data-state="running"]').count(), 1);
  await page.keyboard.press("Escape");
  assert.equal(await answered(page), "stopped");
});

test("a reload keeps conversations, and comes back to the one that was open", async () => {
  const page = await use.open();
  await ask(page, "Remember me.");
  await answered(page);
  const before = await page.locator(".message-assistant").innerText();
  await page.reload();
  await page.locator(".message-assistant").waitFor();
  assert.equal(await page.locator(".message-assistant").innerText(), before);
  assert.equal(await page.locator(".item-title").innerText(), "Remember me.");
});

test("a reload within an answer keeps what had come, and says so", needsFake, async () => {
  const page = await use.open();
  await ask(page, "Count to a thousand, one number a line.");
  await page.locator(".message-assistant .prose", { hasText: "1, 2," }).waitFor();
  await page.reload();
  const answer = page.locator('.message-assistant[data-state="broken"]');
  await answer.waitFor();
  assert.match(await answer.innerText(), /1, 2,[\s\S]*The page was closed/u);
});

test("another answer stands beside the first", async () => {
  const page = await use.open();
  await ask(page, "Why is the sky blue?");
  await answered(page);
  await page.getByRole("button", { name: "Another answer" }).click();
  await page.getByText("2 of 2").waitFor();
  assert.equal(await answered(page), "done");
  await page.getByRole("button", { name: "Version before" }).click();
  await page.getByText("1 of 2").waitFor();
  assert.equal(await page.locator(".message-assistant").count(), 1);
});

test("an edited message is sent again, and the first stays", async () => {
  const page = await use.open();
  await ask(page, "Why is the sky blue?");
  await answered(page);
  await page.getByRole("button", { name: "Edit", exact: true }).click();
  await page.getByLabel("Edit the message").fill("Why is the sky red?");
  await page.getByRole("button", { name: "Send again" }).click();
  await page.getByText("2 of 2").waitFor();
  assert.equal(await answered(page), "done");
  assert.equal(await page.locator(".bubble").innerText(), "Why is the sky red?");
  await page.getByRole("button", { name: "Version before" }).click();
  assert.equal(await page.locator(".bubble").innerText(), "Why is the sky blue?");
});

test("thinking is closed, counted, and opens", needsFake, async () => {
  const page = await use.open();
  await ask(page, "Hold on: why is the sky blue?");
  const thinking = page.locator(".thinking");
  await thinking.getByText("about 30 tokens").waitFor();
  assert.match(await thinking.innerText(), /^Thinking\s/u);
  use.server.release();
  await answered(page);
  assert.match(await thinking.innerText(), /^Thought\s+\d+ tokens$/u);
  await thinking.locator("summary").click();
  await page.getByText("scatters short waves").waitFor();
});

test("tokens per second are shown while an answer comes", needsFake, async () => {
  const page = await use.open();
  await ask(page, "Count to a thousand, one number a line.");
  const speed = page.getByTestId("live-speed");
  await speed.waitFor();
  assert.match(await speed.innerText(), /^[\d.]+ tokens\/s$/u);
});

test(
  "the conversation, its settings and the thinking switch reach the server",
  needsFake,
  async () => {
    const page = await use.open();
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByLabel("System message").fill("Be brief.");
    await page.getByLabel("Temperature").fill("0.5");
    await page.getByLabel("Top p").fill("7");
    await page.getByLabel("Seed").fill("42");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Thinking" }).click();
    await ask(page, "First");
    await answered(page);
    await ask(page, "Second");
    await page.locator(".message-assistant").nth(1).waitFor();
    await answered(page);
    const { messages, ...rest } = use.server.requests.at(-1);
    assert.deepEqual(
      messages.map(({ role }) => role),
      ["system", "user", "assistant", "user"],
    );
    assert.deepEqual(rest, {
      model: "fake-model",
      temperature: 0.5,
      seed: 42,
      thinking: { type: "disabled" },
      stream: true,
      stream_options: { include_usage: true },
    });
  },
);

test("Shift+Enter starts a line, and nothing is sent twice", needsFake, async () => {
  const page = await use.open();
  const before = use.server.requests.length;
  await page.locator("#composer").fill("one");
  await page.locator("#composer").press("Shift+Enter");
  await page.locator("#composer").pressSequentially("two");
  await page.locator("#composer").press("Enter");
  await page.locator("#composer").press("Enter");
  await answered(page);
  assert.equal(use.server.requests.length, before + 1);
  assert.equal(use.server.requests.at(-1).messages.at(-1).content, "one\ntwo");
});

test("Markdown, code and formulas are drawn, and what is hostile is text", needsFake, async () => {
  const page = await use.open();
  await ask(page, "Show me markdown");
  assert.equal(await answered(page), "done");
  const answer = page.locator(".message-assistant");
  await answer.locator(".maths-display math mfrac").waitFor({ state: "attached" });
  await answer.locator(".hljs-keyword").first().waitFor();
  assert.equal(await answer.locator("td").count(), 4);
  assert.equal(await answer.locator("img, script").count(), 0);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(await answer.locator(".maths").count(), 3);
  assert.deepEqual(page.faults, []);
});

test("code is copied", needsFake, async () => {
  const page = await use.open({ permissions: ["clipboard-read", "clipboard-write"] });
  await ask(page, "Show me markdown");
  await answered(page);
  await page.getByRole("button", { name: "Copy the code" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(copied, /^def is_palindrome[\s\S]*# a slice$/u);
});

test("two conversations may be answered at once", needsFake, async () => {
  const page = await use.open();
  await ask(page, "Count to a thousand, one number a line.");
  await page.locator(".message-assistant .prose").waitFor();
  await page.getByRole("button", { name: "New conversation" }).click();
  await ask(page, "Why is the sky blue?");
  assert.equal(await answered(page), "done");
  await page.locator(".item-open", { hasText: "Count" }).click();
  await page.locator('[data-state="running"]').waitFor({ timeout: PATIENCE });
  assert.equal(await page.locator(".message-user").count(), 1);
});

test("a second tab follows an answer, stops it, and outlives the first", needsFake, async () => {
  const first = await use.open();
  await ask(first, "Count to a thousand, one number a line.");
  await first.locator(".message-assistant .prose", { hasText: "1, 2," }).waitFor();
  const second = await first.context().newPage();
  await second.goto(first.url());
  const running = second.locator('.message-assistant[data-state="running"]');
  await running.filter({ hasText: "20, 21," }).waitFor();
  await second.getByRole("button", { name: "Stop" }).click();
  await second.locator('.message-assistant[data-state="stopped"]').waitFor();
  assert.equal(await answered(first), "stopped");

  await ask(first, "Count to a thousand again.");
  await running.filter({ hasText: "1, 2," }).waitFor();
  await first.close();
  await second.locator('.message-assistant[data-state="broken"]').waitFor();
  await ask(second, "Why is the sky blue?");
  await second.locator(".message-user").nth(2).waitFor();
  assert.equal(await answered(second), "done");
});
