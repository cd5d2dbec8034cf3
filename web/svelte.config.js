import adapter from '@sveltejs/adapter-static';
import { moveInlineScript } from './scripts/boot.mjs';

const files = adapter({
  pages: 'build',
  assets: 'build',
  fallback: 'index.html',
  precompress: true,
});

/** @type {import('@sveltejs/kit').Config} */
export default {
  kit: {
    adapter: {
      name: files.name,
      async adapt(builder) {
        await files.adapt(builder);
        moveInlineScript('build');
      },
    },
    // A new version of Tally was started: the next navigation loads its files.
    version: { pollInterval: 0 },
  },
};
