// The tests have no packages of their own: they use those of the web interface.

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const require = createRequire(`${ROOT}web/package.json`);

export const { chromium } = require('playwright-core');
export const AXE_SOURCE = require('axe-core').source;
