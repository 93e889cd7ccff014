import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { answered, ask, needsFake, useBrowser } from "./harness.mjs";

const use = useBrowser();

async function saved(page, press) {
  const [download] = await Promise.all([page.waitForEvent("download"), press()]);
  return {
    name: download.suggestedFilename(),
    text: await readFile(await download.path(), "utf8"),
  };
}

test("conversations are found, renamed and deleted", needsFake, async () => {
  const page = await use.open();
  await ask(page, "Why is the sky blue?");
  await answered(page);
  await page.getByRole("button", { name: "New conversation" }).click();
  await ask(page, "Show me markdown");
  await answered(page);
  const titles = page.locator(".item-title");
  assert.deepEqual(await titles.allInnerTexts(), ["Show me markdown", "Why is the sky blue?"]);

  await page.getByLabel("Search conversations").fill("sunlight");
  assert.deepEqual(await titles.allInnerTexts(), ["Why is the sky blue?"]);
  await page.getByLabel("Search conversations").fill("submarine");
  await page.getByText("No conversation has these words.").waitFor();
  await page.getByLabel("Search conversations").fill("");

  await page.getByRole("button", { name: "Rename “Show me markdown”" }).click();
  await page.getByLabel("Name of the conversation").fill("Typography");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Typography" }).waitFor();

  await page.getByRole("button", { name: "Delete “Typography”" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  assert.equal(await titles.count(), 2);
  await page.getByRole("button", { name: "Delete “Typography”" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  assert.deepEqual(await titles.allInnerTexts(), ["Why is the sky blue?"]);
  await page.reload();
  await titles.first().waitFor();
  assert.equal(await titles.count(), 1);
});

test("a conversation is saved as Markdown and as JSON, and read in again", needsFake, async () => {
  const page = await use.open();
  await ask(page, "Why is the sky blue?");
  await answered(page);
  const choose = async (name) => {
    await page.getByRole("button", { name: "Save the conversation" }).click();
    return saved(page, () => page.getByRole("button", { name }).click());
  };
  const markdown = await choose(/As Markdown/u);
  assert.equal(markdown.name, "Why-is-the-sky-blue.md");
  assert.match(markdown.text, /^# Why is the sky blue\?\n\n## You\n[\s\S]*The air scatters/u);
  const json = await choose(/As JSON/u);
  assert.equal(JSON.parse(json.text).format, "minke-conversations");

  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Delete all" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete all" }).click();
  await page.locator(".item").waitFor({ state: "detached" });

  await page.getByRole("button", { name: "Settings" }).click();
  const file = page.locator('input[type="file"]');
  const upload = (text) =>
    file.setInputFiles({ name: "c.json", mimeType: "application/json", buffer: Buffer.from(text) });
  await upload("{}");
  await page
    .getByText('The file could not be read: format: expected "minke-conversations"')
    .waitFor();
  await upload(json.text);
  await page.getByText("1 conversation was read.").waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".item-open").click();
  assert.match(await page.locator(".message-assistant").innerText(), /The air scatters/u);
  assert.deepEqual(page.faults, []);
});

test("the model and the server tell of themselves", async () => {
  const page = await use.open();
  await page.locator(".model-chip").click();
  await page.getByRole("dialog").getByRole("term").getByText("Architecture").waitFor();
  assert.match(await page.getByRole("dialog").innerText(), /Context\s+[\d,]+ tokens/u);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /Server status/u }).click();
  await page.getByRole("dialog").getByText("Waiting").waitFor();
  await page.getByRole("dialog").getByText("Pages in use").waitFor();
});

test("a fake model's card and figures", needsFake, async () => {
  const page = await use.open();
  await page.locator(".model-chip").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("cell", { name: "0.97" }).waitFor();
  // Browsers have different short words for a billion.
  assert.match(
    await dialog.innerText(),
    /15\.7 ?bn?\s[\s\S]*2\.4 ?bn?\s[\s\S]*4,096 tokens[\s\S]*9\.45 ?GB/iu,
  );
});
