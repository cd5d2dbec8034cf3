// Runs the browser tests: `node tests/browser/run.mjs [part of a file's name …]`.
//
// One company is started for all files, which run one after the other; a file that
// stops servers starts its own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT } from './harness/packages.mjs';
import { Tally } from './harness/tally.mjs';

const FOLDER = join(ROOT, 'tests/browser');

async function main(wanted) {
  const all = (await readdir(FOLDER)).filter((name) => name.endsWith('.test.mjs')).sort();
  const files = all.filter(
    (name) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
  );
  if (files.length === 0) throw new Error(`no test file matches; there are ${all.join(', ')}`);
  if (wanted.length === 0) await rm(join(FOLDER, 'screenshots'), { recursive: true, force: true });

  console.log('browser tests: starting the company');
  const tally = await Tally.start();
  try {
    return await run(files, tally);
  } finally {
    await tally.close();
  }
}

async function run(files, tally) {
  console.log(`browser tests: ${files.length} files against ${tally.url}`);
  const shared = JSON.stringify(tally.description());
  const args = ['--test', '--test-concurrency=1', '--test-reporter=spec'];
  const child = spawn(process.execPath, [...args, ...files.map((name) => join(FOLDER, name))], {
    env: { ...process.env, TALLY_BROWSER_SHARED: shared },
    stdio: 'inherit',
  });
  const forward = (signal) => child.kill(signal);
  process.once('SIGINT', forward).once('SIGTERM', forward);
  const [code] = await once(child, 'exit');
  return code ?? 1;
}

process.exitCode = await main(process.argv.slice(2));
