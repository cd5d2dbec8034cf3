// A real Tally with a simulated company, as a process of its own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { ROOT } from './packages.mjs';

const BINARY = process.env.TALLY_BIN ?? join(ROOT, 'target/debug/tally');
// A debug binary writes the whole history on a machine that also runs the tests.
const READY_SECONDS_MAX = 300;
const STOP_SECONDS_MAX = 20;

/** The company every test sees unless it asks for another: small, and always the same. */
export const COMPANY = { people: 24, days: 28, seed: 7, rate: 2 };

/** Those the demo makes accounts for. */
const ROLES = ['admin', 'finops', 'manager', 'developer', 'viewer'];

export class Tally {
  #child = null;
  #log = '';

  constructor({ folder, port, simPort, company, people = {}, password = null }) {
    this.folder = folder;
    this.port = port;
    this.simPort = simPort;
    this.company = company;
    /** Who can sign in, by role. */
    this.people = people;
    this.password = password;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** What another process needs to use this company. */
  description() {
    const { folder, port, simPort, company, people, password } = this;
    return { folder, port, simPort, company, people, password };
  }

  /** Starts a company of its own in a folder that goes with it. */
  static async start(company = COMPANY) {
    if (!existsSync(BINARY)) {
      throw new Error(`${BINARY} does not exist; run \`cargo build -p tally\` or set TALLY_BIN`);
    }
    const folder = await mkdtemp(join(tmpdir(), 'tally-browser-'));
    const [port, simPort] = await Promise.all([freePort(), freePort()]);
    const tally = new Tally({ folder, port, simPort, company });
    try {
      await tally.run();
    } catch (error) {
      await tally.close();
      throw error;
    }
    return tally;
  }

  /** Runs the demo on this folder and these ports; returns when it is ready. */
  async run() {
    const { people, days, seed, rate } = this.company;
    const args = ['demo', '--people', people, '--days', days, '--seed', seed, '--rate', rate];
    args.push('--demo-data', this.folder, '--listen', `127.0.0.1:${this.port}`);
    args.push('--sim-listen', `127.0.0.1:${this.simPort}`);
    await this.#start(args, () => this.#told());
  }

  /** Runs Tally alone on what the demo left: no traffic, and sessions go on. */
  async serve() {
    const config = join(this.folder, 'serve.toml');
    const text = `listen = "127.0.0.1:${this.port}"\ndata = ${JSON.stringify(this.folder)}\n`;
    await writeFile(config, text);
    await this.#start(['serve', '--config', config], () => true);
  }

  async #start(args, isReady) {
    this.#log = '';
    const environment = { ...process.env, LD_LIBRARY_PATH: join(ROOT, '.duckdb') };
    const child = spawn(BINARY, args.map(String), {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const keep = (data) => (this.#log = (this.#log + data).slice(-20_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    await this.#ready(child, isReady);
  }

  async #ready(child, isReady) {
    for (const end = Date.now() + READY_SECONDS_MAX * 1000; Date.now() < end; await sleep(100)) {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`Tally ended before it was ready:\n${this.#log}`);
      }
      try {
        if ((await fetch(`${this.url}/readyz`)).ok && isReady()) return;
      } catch {
        // Nothing listens yet.
      }
    }
    throw new Error(`Tally was not ready in ${READY_SECONDS_MAX} s:\n${this.#log}`);
  }

  /** Reads from what the demo printed who can sign in, which is the last it says. */
  #told() {
    if (!/^Sign in on /m.test(this.#log)) return false;
    for (const [, name, role, password] of this.#log.matchAll(/^  (\S+) +(\w+) {2,}.+ (\S+)$/gm)) {
      if (!ROLES.includes(role)) continue;
      this.people[role] = name;
      this.password = password;
    }
    return ROLES.every((role) => this.people[role]);
  }

  /** Ends the process the hard way, as a crash would. */
  async kill() {
    await this.#end('SIGKILL');
  }

  /** Ends the process as an operator would. */
  async stop() {
    await this.#end('SIGTERM');
  }

  async #end(signal) {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_SECONDS_MAX * 1000);
    await gone;
    clearTimeout(late);
  }

  /** Ends the process and removes its folder. */
  async close() {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** What the process said last. */
  log() {
    return this.#log;
  }

  async adminKey() {
    return (await readFile(join(this.folder, 'admin.key'), 'utf8')).trim();
  }
}

async function freePort() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
