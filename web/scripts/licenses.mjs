// Writes dist/licenses.txt: the licences of the packages that the page is made of, theirs included.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

const web = new URL("../", import.meta.url);
// Of katex, what its command line needs; the page has none of it.
const NOT_IN_THE_PAGE = new Set(["commander"]);

function manifest(folder) {
  return JSON.parse(readFileSync(new URL("package.json", folder), "utf8"));
}

const names = new Set(Object.keys(manifest(web).dependencies));
const texts = [];
for (const name of names) {
  const folder = new URL(`node_modules/${name}/`, web);
  const { version, license, dependencies = {} } = manifest(folder);
  for (const other of Object.keys(dependencies)) {
    if (!NOT_IN_THE_PAGE.has(other)) names.add(other);
  }
  const files = readdirSync(folder).filter((file) => /^licen[cs]e/iu.test(file)).sort();
  if (files.length === 0) throw new Error(`${name}: expected a file LICENSE, found none`);
  const bodies = files.map((file) => readFileSync(new URL(file, folder), "utf8").trim());
  texts.push(`${name} ${version} (${license})\n\n${bodies.join("\n\n")}\n`);
}
const rule = `\n${"-".repeat(80)}\n\n`;
writeFileSync(new URL("dist/licenses.txt", web), texts.sort().join(rule).replaceAll("\r\n", "\n"));
