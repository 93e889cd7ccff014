// A real `minke serve` for one test file: the program and the models come from the environment.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const STARTED = /serving at (http:\/\/\S+)/;
const START_MS = 60_000;

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} must be set`);
  return value;
}

export const model = () => required('MINKE_MODEL');
export const thinkingModel = () => required('MINKE_THINKING_MODEL');

/** Starts the server on a free port; resolves once it listens: { url, status(), stop() }. */
export async function startServer(path, options = []) {
  const child = spawn(required('MINKE'), ['serve', path, '--port', '0', '--name', 'tiny',
                                          ...options], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not started: ${said}`)), START_MS);
    child.on('exit', (code) => reject(new Error(`ended with ${code}: ${said}`)));
    child.stderr.on('data', (data) => {
      said += data;
      const found = STARTED.exec(said);
      if (!found) return;
      clearTimeout(timer);
      resolve(found[1]);
    });
  });
  return {
    url,
    status: async () => (await fetch(`${url}/v1/status`)).json(),
    stop: () => new Promise((resolve) => {
      child.removeAllListeners('exit');
      child.on('exit', resolve);
      child.kill('SIGINT');
      // A second signal ends requests that are still under way at once.
      setTimeout(() => child.kill('SIGINT'), 500).unref();
    }),
  };
}

/** A file of keys with one key of a user: { path, key, remove() }. */
export function keyFile() {
  const key = `mk-${randomBytes(32).toString('hex')}`;
  const folder = mkdtempSync(join(tmpdir(), 'minke-clients-'));
  const path = join(folder, 'keys.json');
  const sha256 = createHash('sha256').update(key).digest('hex');
  writeFileSync(path, JSON.stringify({
    keys: [{ name: 'ann', sha256, roles: ['user'], created: 1795350000 }],
  }));
  chmodSync(path, 0o600);
  return { path, key, remove: () => rmSync(folder, { recursive: true }) };
}
