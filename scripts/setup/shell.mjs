/**
 * Running other programs from set-up, test and check scripts. Plain Node, no dependencies: set-up runs before `npm ci`.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository root. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const IS_WINDOWS = process.platform === 'win32';
const OUTPUT_LIMIT_BYTES = 256 * 1024 * 1024;

/** A failure that a person can act on: the message is the whole report, a stack would say nothing more. */
export class SetupError extends Error {}

/**
 * Runs a program in the repository root and returns its standard output, trimmed.
 * Throws a SetupError that holds everything it printed when it cannot start or exits non-zero.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string | undefined>>} [env] added to this process's; undefined removes a variable
 */
export function run(command, args, env = {}) {
  const result = spawnSync(command, args, {
    cwd: ROOT,
    env: mergedEnv(env),
    encoding: 'utf8',
    maxBuffer: OUTPUT_LIMIT_BYTES,
    shell: false,
  });
  if (result.error) throw new SetupError(`setup: cannot run ${command}: ${result.error.message}`);
  if (result.status !== 0) {
    const ended = result.status === null ? `signal ${result.signal}` : `code ${result.status}`;
    throw new SetupError(
      `setup: ${command} ${args.join(' ')}: ended with ${ended}\n${result.stdout}${result.stderr}`.trimEnd(),
    );
  }
  return result.stdout.trim();
}

/**
 * Like `run`, but undefined instead of an error: for questions such as `--version`.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string | undefined>>} [env]
 */
export function ask(command, args, env = {}) {
  try {
    return run(command, args, env);
  } catch {
    return undefined;
  }
}

/**
 * Runs a program with this process's terminal; true when it exited 0.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string | undefined>>} [env]
 */
export function show(command, args, env = {}) {
  const result = spawnSync(command, args, { cwd: ROOT, env: mergedEnv(env), stdio: 'inherit' });
  if (result.error) throw new SetupError(`cannot run ${command}: ${result.error.message}`);
  return result.status === 0;
}

/**
 * The arguments that start a tool of node_modules with this Node: the same on every system, where `.bin` scripts are not.
 * @param {string} entry path of the tool's script inside node_modules
 * @param {readonly string[]} args
 * @returns {readonly string[]}
 */
export function nodeTool(entry, args) {
  return [join(ROOT, 'node_modules', entry), ...args];
}

/**
 * The first file of that name on the PATH, or undefined.
 * @param {string} command
 * @param {string} [path] defaults to this process's PATH
 */
export function which(command, path = process.env.PATH ?? '') {
  const names = IS_WINDOWS ? [`${command}.exe`] : [command];
  for (const folder of path.split(delimiter)) {
    for (const name of names) {
      if (folder !== '' && existsSync(join(folder, name))) return join(folder, name);
    }
  }
  return undefined;
}

/** @param {Readonly<Record<string, string | undefined>>} changes */
function mergedEnv(changes) {
  const env = { ...process.env, ...changes };
  for (const [name, value] of Object.entries(env)) if (value === undefined) delete env[name];
  return env;
}
