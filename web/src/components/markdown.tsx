import type { MarkedToken, Token, Tokens } from "marked";
import type { ComponentChildren, VNode } from "preact";
import { Component } from "preact";
import type { MathsToken } from "../markdown/lexer";
import { decodeEntities, readMarkdown, safeAddress } from "../markdown/lexer";
import { CodeBlock } from "./code_block";
import { Maths } from "./maths";

// Elements are made from the parsed text directly: there is no HTML in between that could carry
// more than was meant. HTML within the text is shown as text.

// Deeper nesting is shown as its source.
const MAX_DEPTH = 24;

// Outermost blocks take their direction from their own words. What is within follows, so that the
// marks of a list stand on the side where its lines begin.
function direction(depth: number): "auto" | undefined {
  return depth === 0 ? "auto" : undefined;
}

function renderAll(tokens: Token[] | undefined, depth: number): ComponentChildren {
  return tokens?.map((token) => renderToken(token, depth + 1));
}

function renderLink(token: Tokens.Link | Tokens.Image, label: ComponentChildren) {
  const href = safeAddress(token.href);
  if (href === null) return label;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {label}
    </a>
  );
}

function renderList(token: Tokens.List, depth: number): VNode {
  const items = token.items.map((item, index) => (
    <li key={index} class={item.task ? "task" : undefined}>
      {renderAll(item.tokens, depth)}
    </li>
  ));
  if (!token.ordered) return <ul dir={direction(depth)}>{items}</ul>;
  return (
    <ol dir={direction(depth)} start={token.start === "" ? 1 : token.start}>
      {items}
    </ol>
  );
}

function renderTable(token: Tokens.Table, depth: number): VNode {
  const align = (column: number) => `align-${token.align[column] ?? "auto"}`;
  return (
    <div class="table-scroll" tabindex={0} role="group" aria-label={token.header[0]?.text ?? ""}>
      <table dir={direction(depth)}>
        <thead>
          <tr>
            {token.header.map((cell, column) => (
              <th key={column} scope="col" class={align(column)}>
                {renderAll(cell.tokens, depth)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {token.rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column} class={align(column)}>
                  {renderAll(cell.tokens, depth)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function renderCode(token: Tokens.Code): VNode {
  const language = (token.lang ?? "").split(/\s/u, 1)[0]!.toLowerCase().slice(0, 20);
  const complete =
    token.codeBlockStyle === "indented" || /\n\s*(?:`{3,}|~{3,})\s*$/u.test(token.raw);
  return <CodeBlock code={token.text} language={language} complete={complete} />;
}

// A message has its own heading of level 2, so that those within begin at 3.
function renderHeading(token: Tokens.Heading, depth: number): VNode {
  const Heading = `h${Math.min(token.depth + 2, 6)}` as "h3" | "h4" | "h5" | "h6";
  return <Heading dir={direction(depth)}>{renderAll(token.tokens, depth)}</Heading>;
}

function renderToken(generic: Token, depth: number): ComponentChildren {
  if (depth > MAX_DEPTH) return generic.raw;
  const token = generic as MarkedToken | MathsToken;
  switch (token.type) {
    case "paragraph":
      return <p dir={direction(depth)}>{renderAll(token.tokens, depth)}</p>;
    case "text":
      return token.tokens ? renderAll(token.tokens, depth) : decodeEntities(token.text);
    case "escape":
      return token.text;
    case "strong":
      return <strong>{renderAll(token.tokens, depth)}</strong>;
    case "em":
      return <em>{renderAll(token.tokens, depth)}</em>;
    case "del":
      return <del>{renderAll(token.tokens, depth)}</del>;
    case "codespan":
      return <code dir="ltr">{token.text}</code>;
    case "br":
      return <br />;
    case "hr":
      return <hr />;
    case "heading":
      return renderHeading(token, depth);
    case "blockquote":
      return <blockquote dir={direction(depth)}>{renderAll(token.tokens, depth)}</blockquote>;
    case "list":
      return renderList(token, depth);
    case "table":
      return renderTable(token, depth);
    case "code":
      return renderCode(token);
    case "link":
      return renderLink(token, renderAll(token.tokens, depth));
    case "image":
      // A picture from elsewhere would tell its server who reads this.
      return renderLink(token, token.text || token.href);
    case "checkbox":
      return token.checked ? "☑ " : "☐ ";
    case "maths":
      return <Maths tex={token.text} display={token.display} />;
    case "html":
      return /^<br\s*\/?>$/iu.test(token.raw.trim()) ? <br /> : token.raw;
    case "space":
    case "def":
      return null;
    default:
      return generic.raw;
  }
}

// Drawn again only if its source has changed: while an answer comes, all blocks but the last stay.
class Block extends Component<{ token: Token }> {
  override shouldComponentUpdate(next: { token: Token }): boolean {
    return next.token.raw !== this.props.token.raw || next.token.type !== this.props.token.type;
  }
  override render() {
    const drawn = renderToken(this.props.token, 0);
    return typeof drawn === "string" ? <p dir="auto">{drawn}</p> : drawn;
  }
}

export function Markdown(props: { text: string }) {
  return (
    <div class="prose">
      {readMarkdown(props.text).map((token, index) => (
        <Block key={index} token={token} />
      ))}
    </div>
  );
}
