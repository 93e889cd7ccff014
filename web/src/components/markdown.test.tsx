// @vitest-environment jsdom
import { render } from "preact";
import { afterEach, describe, expect, it } from "vitest";
import { maths } from "../markdown/lazy";
import { renderMaths } from "../markdown/maths";
import { highlightCode } from "../markdown/highlight";
import { decodeEntities, safeAddress } from "../markdown/lexer";
import { Markdown } from "./markdown";

function show(text: string): HTMLElement {
  render(<Markdown text={text} />, document.body);
  return document.body;
}

afterEach(() => {
  render(null, document.body);
  maths.module.value = null;
});

// Elements and attributes that may come of Markdown; nothing else may.
const ELEMENTS =
  "div p strong em del code pre figure figcaption button svg path br hr h3 h4 h5 h6 blockquote " +
  "ul ol li table thead tbody tr th td a span";
const ATTRIBUTES =
  "class dir tabindex role aria-label aria-hidden focusable title type viewBox width height d " +
  "href target rel start scope";

function expectTame(body: HTMLElement): void {
  for (const element of body.querySelectorAll("*")) {
    expect(ELEMENTS.split(" ")).toContain(element.localName);
    for (const { name } of element.attributes) expect(ATTRIBUTES.split(" ")).toContain(name);
    if (element instanceof HTMLAnchorElement) {
      expect(element.href).toMatch(/^(https?|mailto):/u);
      expect(element.rel).toBe("noopener noreferrer");
    }
  }
}

const HOSTILE = [
  "<script>alert(1)</script>",
  '<img src=x onerror="alert(1)">',
  "text <svg/onload=alert(1)> text",
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
  '<style>@import "https://example.org"</style>',
  "<details open ontoggle=alert(1)>",
  "[a](javascript:alert(1))",
  "[a](JaVaScRiPt:alert(1))",
  "[a](&#106;avascript:alert(1))",
  "[a](java&#10;script:alert(1))",
  "[a](data:text/html,<script>alert(1)</script>)",
  "[a](vbscript:x)",
  "[a](blob:https://example.org/1)",
  "<javascript:alert(1)>",
  "![a](https://example.org/pixel.png)",
  '![a](x" onerror="alert(1))',
  '[a](https://example.org "\\" onmouseover=alert(1)")',
  '```x" onload=alert(1)\n</code><script>alert(1)</script>\n```',
  "`</code><script>alert(1)</script>`",
  "| <img src=x onerror=alert(1)> |\n| - |\n| <script>x</script> |",
  "$\\href{javascript:alert(1)}{x}$ $\\includegraphics{https://example.org/x.png}$",
  "$</span><script>alert(1)</script>$",
  `${">".repeat(500)} deep`,
  `${"- ".repeat(300)}deep`,
  "[".repeat(2000),
  "$".repeat(2000),
];

describe("Markdown", () => {
  it.each(HOSTILE.map((text) => [text.slice(0, 60), text]))(
    "makes nothing dangerous of %j",
    (_, text) => expectTame(show(text!)),
  );

  it("shows HTML as text", () => {
    expect(show("a <b>c</b>\n\n<script>d</script>").textContent).toContain("<b>c</b>");
    expect(document.body.textContent).toContain("<script>d</script>");
  });

  it("shows pictures as links, so that nothing is fetched", () => {
    const link = show("![whale](https://example.org/w.png)").querySelector("a");
    expect(link?.textContent).toBe("whale");
    expect(document.querySelector("img")).toBeNull();
  });

  it("reads what people expect of it", () => {
    const body = show(
      "# T\n\n**b** *i* ~~d~~ `c`  \nx\n\n1. a\n   - [x] n\n\n> q\n\n---\n\n|h|\n|:-:|\n|d|",
    );
    for (const name of [
      "h3",
      "strong",
      "em",
      "del",
      "code",
      "br",
      "ol",
      "ul",
      "blockquote",
      "hr",
    ]) {
      expect(body.querySelector(name), name).not.toBeNull();
    }
    expect(body.querySelector("td.align-center")?.textContent).toBe("d");
    expect(body.textContent).toContain("☑");
  });

  it("decodes entities once", () => {
    expect(show("5 &lt; 6 &amp;amp; &#8364; &bogus;").textContent).toBe("5 < 6 &amp; € &bogus;");
  });

  it("gives each block its own direction, and code always that of code", () => {
    const body = show("مرحبا\n\nhello `x`\n\n```\ny\n```");
    expect([...body.querySelectorAll("p")].map(({ dir }) => dir)).toEqual(["auto", "auto"]);
    expect(body.querySelector("p code")?.getAttribute("dir")).toBe("ltr");
    expect(body.querySelector("figure")?.dir).toBe("ltr");
    // `auto` does not look into elements with a direction of their own.
    const list = show("- قائمة\n\n  > اقتباس").querySelector("ul");
    expect(list?.dir).toBe("auto");
    expect(list?.querySelectorAll("[dir]")).toHaveLength(0);
  });

  it("tells formulas from prices", () => {
    const sources = (text: string) =>
      [...show(text).querySelectorAll(".maths")].map(({ textContent }) => textContent);
    expect(sources("It costs $5 and $10, or $5-$10.")).toEqual([]);
    expect(sources("Let $a_1 b_1$ and \\(x*y*z\\).")).toEqual(["a_1 b_1", "x*y*z"]);
    expect(sources("$$\nx\n$$")).toEqual(["x"]);
    expect(sources("text\n\\[\ny\n\\]\nmore")).toEqual(["y"]);
    expect(sources("`$a$`")).toEqual([]);
    expect(document.querySelectorAll(".maths-display")).toHaveLength(0);
    expect(show("a $$z$$").querySelectorAll(".maths-display")).toHaveLength(1);
  });

  it("sets formulas once the typesetter is there", () => {
    maths.module.value = { renderMaths };
    expect(show("$x^2$").querySelector("math msup")).not.toBeNull();
  });

  it("keeps blocks that did not change while more comes", () => {
    const first = show("one\n\ntwo").querySelector("p");
    show("one\n\ntwo three");
    expect(document.querySelector("p")).toBe(first);
    expect(document.body.textContent).toContain("two three");
  });
});

describe("renderMaths", () => {
  const html = (tex: string) => {
    const holder = document.createElement("div");
    holder.append(renderMaths(tex, false));
    return holder;
  };

  it("gives MathML without styles or links", () => {
    const body = html("\\color{red}{\\frac{1}{2}} \\href{javascript:alert(1)}{x}");
    expect(body.querySelector("mfrac")).not.toBeNull();
    for (const element of body.querySelectorAll("*")) {
      expect(element.hasAttribute("style")).toBe(false);
      expect(element.hasAttribute("href")).toBe(false);
    }
  });

  it("bears TeX that is wrong, or never ends", () => {
    expect(html("\\frac{").textContent).toContain("\\frac{");
    expect(() => html("\\def\\x{\\x\\x}\\x")).not.toThrow();
  });
});

describe("highlightCode", () => {
  it("makes spans with classes, and nothing of what the code says", () => {
    const holder = document.createElement("div");
    holder.append(highlightCode('x = "<img onerror=1>" # <b>', "python")!);
    expect(holder.textContent).toBe('x = "<img onerror=1>" # <b>');
    expect(holder.querySelector(".hljs-string")).not.toBeNull();
    expect(holder.querySelectorAll(":not(span)")).toHaveLength(0);
  });

  it("knows its languages by their short names, and leaves others alone", () => {
    expect(highlightCode("let x;", "ts")).not.toBeNull();
    expect(highlightCode("x", "klingon")).toBeNull();
    expect(highlightCode("x".repeat(50_001), "json")).toBeNull();
  });
});

describe("addresses and entities", () => {
  it("lets only the web and mail through", () => {
    expect(safeAddress("https://example.org/?a&amp;b")).toBe("https://example.org/?a&b");
    expect(safeAddress("mailto:a@example.org")).toBe("mailto:a@example.org");
    expect(safeAddress("relative/path")).toBeNull();
    expect(safeAddress("file:///etc/passwd")).toBeNull();
  });

  it("does not choke on numbers beyond Unicode", () => {
    expect(decodeEntities("&#0; &#9999999; &#xffffff; &#x41;")).toBe(
      "&#0; &#9999999; &#xffffff; A",
    );
  });
});
