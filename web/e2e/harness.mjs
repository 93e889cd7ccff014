// A browser, and a server to point it at: the real one at MINKE_URL, otherwise the fake one.
import { after, before } from "node:test";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { startFakeServer } from "./fake_server.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const REAL_URL = process.env.MINKE_URL;
// Real models take their time, and so do machines that build something else meanwhile: seconds at
// each step, $PATIENCE if they are too few.
const seconds = Number(process.env.PATIENCE ?? (REAL_URL ? 180 : 60));
export const PATIENCE = seconds * 1000;
// For tests that need a scripted answer or a failure.
export const needsFake = REAL_URL ? { skip: "the real server answers as it likes" } : {};

// Starts the browser (and the fake server) for the tests of a file. `open(options)` of what it
// returns gives a page in a context of its own; `options` are those of a context, and `url`.
export function useBrowser() {
  const use = { browser: null, server: null, url: REAL_URL };
  const contexts = new Set();
  before(async () => {
    const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
    use.browser = await chromium.launch({ executablePath, args: FLAGS });
    if (!REAL_URL) {
      use.server = await startFakeServer();
      use.url = use.server.url;
    }
  });
  after(async () => {
    await use.browser?.close();
    await use.server?.close();
  });
  use.open = async ({ url, ...options } = {}) => {
    const context = await use.browser.newContext({
      viewport: { width: 1280, height: 820 },
      locale: "en-GB",
      ...options,
    });
    contexts.add(context);
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const origin = new URL(url ?? use.url).origin;
    page.faults = watch(page, origin);
    await page.goto(url ?? use.url);
    await page.locator("#composer").waitFor();
    return page;
  };
  return use;
}

// What must never happen: requests elsewhere, breaches of the policy, exceptions.
function watch(page, origin) {
  const faults = [];
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith("blob:")) faults.push(`request: ${url}`);
  });
  page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
  page.on("console", (message) => {
    if (/Content Security Policy/u.test(message.text())) faults.push(message.text());
  });
  return faults;
}

// On a touch screen Enter starts a new line, so that the button has to be pressed.
export async function ask(page, text) {
  await page.locator("#composer").fill(text);
  const touch = await page.evaluate(
    () => window.matchMedia("(pointer: coarse) and (hover: none)").matches,
  );
  if (touch) await page.locator(".composer .send").tap();
  else await page.locator("#composer").press("Enter");
}

// Resolves when the last answer is no longer coming, with its state.
export async function answered(page) {
  const last = page.locator(".message-assistant").last();
  await last.waitFor();
  await page.locator('.message-assistant[data-state="running"]').waitFor({ state: "detached" });
  return last.getAttribute("data-state");
}

// Serious and critical findings of axe, as lines to read. Evaluated from outside the page's policy.
export async function seriousFindings(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, { resultTypes: ["violations"] }),
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html.slice(0, 200)}\n${node.failureSummary}`),
    );
}

// The first element that reaches beyond the window at its sides, "" if none does. Code, tables and
// formulas may: they scroll within their own box.
export function overflowing(page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    // A line that ends with an ellipsis is as wide as its words, whatever is seen of them.
    const ellipsized = (element) => getComputedStyle(element).textOverflow === "ellipsis";
    const apart = "pre, .table-scroll, .maths, .sidebar, .skip-link, .visually-hidden";
    for (const element of document.querySelectorAll("body, body *")) {
      const box = element.getBoundingClientRect();
      if (box.width === 0 || element.closest(apart)) continue;
      const wider = element.scrollWidth > width && !ellipsized(element);
      if (wider || box.left < -1 || box.right > width + 1) {
        return `${element.outerHTML.slice(0, 120)} from ${box.left} to ${box.right} of ${width}`;
      }
    }
    return "";
  });
}
