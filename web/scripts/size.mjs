// What the first load costs over the wire: the page and all that it names, compressed by gzip.
// Exits with 1 above the limit. Parts that are fetched when needed are listed, not counted.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 200_000;
const dist = new URL("../dist/", import.meta.url);

function compressed(name) {
  return gzipSync(readFileSync(new URL(name, dist)), { level: 9 }).length;
}

// Files that `text` loads without being asked: in HTML by src and href, in scripts by import.
function named(text, isHtml) {
  const rule = isHtml
    ? /(?:src|href)="\.\/([^"]+)"/g
    : /(?:^|[;}\s])(?:import|export)\s*(?:[^"'()]*?from\s*)?["']\.\/([^"']+)["']/g;
  return [...text.matchAll(rule)].map((match) => match[1]);
}

const first = new Set(["index.html"]);
for (const name of first) {
  if (!/\.(html|js)$/.test(name)) continue;
  const text = readFileSync(new URL(name, dist), "utf8");
  for (const other of named(text, name.endsWith(".html"))) first.add(other);
}

let total = 0;
for (const name of readdirSync(dist).sort()) {
  const bytes = compressed(name);
  if (first.has(name)) total += bytes;
  console.log(`${String(bytes).padStart(8)}  ${name}${first.has(name) ? "" : "  (when needed)"}`);
}
console.log(`${String(total).padStart(8)}  first load, of at most ${LIMIT}`);
process.exitCode = total > LIMIT ? 1 : 0;
