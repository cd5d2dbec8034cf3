// Moves the inline script of build/index.html into a file of its own, so that the
// server can send `script-src 'self'` without hashes that change with every build.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const page = 'build/index.html';
const html = readFileSync(page, 'utf8');
const inline = /<script>([\s\S]*?)<\/script>/g;
const found = [...html.matchAll(inline)];
if (found.length !== 1)
  throw new Error(`${page}: expected one inline script, found ${found.length}`);
const [whole, code] = found[0];
const hash = createHash('sha256').update(code).digest('hex').slice(0, 10);
const name = `_app/immutable/boot.${hash}.js`;
write(`build/${name}`, code);
write(page, html.replace(whole, `<script src="/${name}"></script>`));

/** With the compressed forms that a server hands out instead. */
function write(path, text) {
  writeFileSync(path, text);
  writeFileSync(`${path}.gz`, gzipSync(text, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(text));
}
