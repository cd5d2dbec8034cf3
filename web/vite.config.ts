import { sveltekit } from '@sveltejs/kit/vite';
import type { ProxyOptions } from 'vite';
import { defineConfig } from 'vitest/config';

/** In development the pages come from Vite and the numbers from a running Tally. */
const target = process.env.TALLY_TO ?? 'http://127.0.0.1:8080';
const key = process.env.TALLY_KEY;
const toTally: ProxyOptions = {
  target,
  headers: key ? { authorization: `Bearer ${key}` } : {},
};
const served = ['/api', '/v1', '/ingest', '/healthz', '/readyz', '/metrics'];

const BASE = [
  /node_modules\/(svelte|@sveltejs|openapi-fetch|clsx|esm-env)\//,
  /src\/lib\/(api|data|styles)\//,
  /src\/lib\/[^/]+\.ts$/,
  /src\/lib\/shell\/(?!Palette|Help)/,
  /src\/lib\/filters\/(?!AddFilter)/,
  /src\/lib\/ui\/(Icon|Button|Card|Badge|Tabs|Select|Popover|Dialog|Skeleton|ProblemNote|EmptyState|CopyButton|Table|Toasts|table|toasts|Bars)/,
];

function isBase(id: string): boolean {
  return BASE.some((pattern) => pattern.test(id));
}

export default defineConfig({
  plugins: [sveltekit()],
  server: {
    host: '127.0.0.1',
    proxy: Object.fromEntries(served.map((path) => [path, toTally])),
  },
  build: {
    manifest: true,
    target: 'es2022',
    rolldownOptions: {
      output: {
        // What every page needs comes in one file: a page is painted after a handful of
        // requests instead of fifty.
        codeSplitting: {
          groups: [{ name: 'base', test: isBase }],
        },
      },
    },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
