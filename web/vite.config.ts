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

export default defineConfig({
  plugins: [sveltekit()],
  server: {
    host: '127.0.0.1',
    proxy: Object.fromEntries(served.map((path) => [path, toTally])),
  },
  build: { manifest: true, target: 'es2022' },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
