// Moves the inline script of the built index.html into a file of its own, so that the
// server can send `script-src 'self'` without hashes that change with every build.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';

/** Run by the adapter, so that a build is never seen without it. */
export function moveInlineScript(folder) {
  const page = `${folder}/index.html`;
  const html = readFileSync(page, 'utf8');
  const found = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)];
  if (found.length !== 1) {
    throw new Error(`${page}: expected one inline script, found ${found.length}`);
  }
  const [whole, code] = found[0];
  const hash = createHash('sha256').update(code).digest('hex').slice(0, 10);
  const name = `_app/immutable/boot.${hash}.js`;
  write(`${folder}/${name}`, code);
  write(page, html.replace(whole, `<script src="/${name}"></script>`));
}

/** With the compressed forms that a server hands out instead. */
function write(path, text) {
  writeFileSync(path, text);
  writeFileSync(`${path}.gz`, gzipSync(text, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(text));
}
