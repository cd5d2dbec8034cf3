// Fails when what the overview needs before its first paint is over budget.
// Counted: the page, and every script and style that it, the entry and the overview's
// route load statically. Not counted: what is imported when it is drawn.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET_KB = 150;
const manifest = JSON.parse(readFileSync('.svelte-kit/output/client/.vite/manifest.json', 'utf8'));
const routes = readFileSync('.svelte-kit/generated/client-optimized/app.js', 'utf8');

/** The nodes of a route: its layout, its error page and itself. */
function nodesOf(route) {
  const found = new RegExp(`"${route}": \\[(\\d+)`).exec(routes);
  if (!found) throw new Error(`no route ${route}`);
  return [0, 1, Number(found[1])];
}

const files = new Set();
function collect(name) {
  const chunk = manifest[name];
  if (!chunk) throw new Error(`the manifest has no ${name}`);
  if (files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const style of chunk.css ?? []) files.add(style);
  for (const further of chunk.imports ?? []) collect(further);
}

const entries = Object.keys(manifest).filter((name) => manifest[name].isEntry);
const generated = '.svelte-kit/generated/client-optimized';
for (const name of [
  ...entries.filter((name) => /runtime\/client\/entry\.js$/.test(name)),
  `${generated}/app.js`,
  ...nodesOf('/overview').map((node) => `${generated}/nodes/${node}.js`),
]) {
  collect(name);
}

const sizes = [...files]
  .map((file) => ({ file, bytes: gzipSync(readFileSync(`build/${file}`)).length }))
  .sort((a, b) => b.bytes - a.bytes);
const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0) / 1024;
for (const { file, bytes } of sizes.slice(0, 12)) {
  console.log(`${(bytes / 1024).toFixed(1).padStart(7)} KB  ${file}`);
}
console.log(`${total.toFixed(1).padStart(7)} KB  in ${sizes.length} files; budget ${BUDGET_KB} KB`);
if (total > BUDGET_KB) {
  console.error('The overview loads too much before its first paint.');
  process.exit(1);
}
