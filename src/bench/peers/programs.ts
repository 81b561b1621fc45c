/**
 * Runs other people's programs and tells what they took. A system says how much processor time and memory a child took
 * only to its own parent, by a call that Node does not have; Python does, so where there is one it starts the
 * programs. Elsewhere the wall time is all that is known.
 * @module
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { AbortedError, BackendError } from '../../errors.js';
import type { BenchCost } from '../rows.js';

/** The first program of that name in the folders of `PATH`. */
export async function findProgram(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    for (const file of [join(folder, name), join(folder, `${name}.exe`)]) {
      const found = await access(file, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (found) return file;
    }
  }
  return undefined;
}

/**
 * One program a line: [error file, program, arguments...] in, what it took out. Its own process of some 10 MB is the
 * least that it can say of memory, as a child's high-water mark begins with its parent's.
 */
const KEEPER = `
import json, os, signal, sys, time
child = 0
def stop(*_):
    if child: os.kill(child, signal.SIGKILL)
    os._exit(1)
signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, signal.SIG_IGN)
unit = 1 if sys.platform == 'darwin' else 1024
for line in sys.stdin:
    errors, *argv = json.loads(line)
    files = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
             (os.POSIX_SPAWN_OPEN, 2, errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
    start = time.perf_counter()
    child = os.posix_spawn(argv[0], argv, os.environ, file_actions=files, setsigdef=[signal.SIGINT])
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - start
    child = 0
    print(json.dumps({'code': os.waitstatus_to_exitcode(status), 'wallMs': wall * 1e3,
        'cpuMs': (usage.ru_utime + usage.ru_stime) * 1e3, 'peakMemoryBytes': usage.ru_maxrss * unit}), flush=True)
`;

interface Answer extends BenchCost {
  readonly code: number;
}

/** Runs one program after the other. */
export class ProgramRunner {
  readonly #keeper: ChildProcessWithoutNullStreams | undefined;
  readonly #answers: AsyncIterator<string> | undefined;
  readonly #errorPath: string;
  readonly #signal: AbortSignal | undefined;

  private constructor(
    keeper: ChildProcessWithoutNullStreams | undefined,
    errorPath: string,
    signal: AbortSignal | undefined,
  ) {
    this.#keeper = keeper;
    this.#answers = keeper && createInterface(keeper.stdout)[Symbol.asyncIterator]();
    this.#errorPath = errorPath;
    this.#signal = signal;
  }

  /**
   * @param path where programs are looked for
   * @param folder a folder of its own for what programs say
   * @param signal ends the program that runs
   */
  static async open(path: string, folder: string, signal?: AbortSignal): Promise<ProgramRunner> {
    const python = await findProgram('python3', path);
    const keeper =
      python === undefined
        ? undefined
        : spawn(python, ['-I', '-S', '-c', KEEPER], { stdio: 'pipe' });
    // One that does not start is missed at the first program.
    keeper?.on('error', () => {});
    keeper?.stdin.on('error', () => {});
    return new ProgramRunner(keeper, join(folder, 'errors.txt'), signal);
  }

  /**
   * @throws BackendError with what the program said when it fails, AbortedError when the signal fires
   */
  async run(program: string, args: readonly string[]): Promise<BenchCost> {
    if (this.#signal?.aborted) throw new AbortedError();
    const { code, ...cost } = await (this.#keeper
      ? this.#runKept([program, ...args])
      : this.#runPlain(program, args));
    if (this.#signal?.aborted) throw new AbortedError();
    if (code !== 0) {
      const said = await readFile(this.#errorPath, 'utf8').catch(() => '');
      const line = said.trim().split('\n').at(-1)?.trim();
      throw new BackendError(
        `bench: expected ${program.split(/[\\/]/).at(-1)} to succeed, got code ${code}${line ? `: ${line}` : ''}`,
      );
    }
    return cost;
  }

  async #runKept(command: readonly string[]): Promise<Answer> {
    const stop = () => this.#keeper?.kill();
    this.#signal?.addEventListener('abort', stop, { once: true });
    try {
      this.#keeper?.stdin.write(`${JSON.stringify([this.#errorPath, ...command])}\n`);
      const answer = await this.#answers?.next();
      if (this.#signal?.aborted) throw new AbortedError();
      if (answer === undefined || answer.done) {
        throw new BackendError(
          `bench: expected python3 to run ${command[0]}, got the end of python3`,
        );
      }
      return JSON.parse(answer.value) as Answer;
    } finally {
      this.#signal?.removeEventListener('abort', stop);
    }
  }

  async #runPlain(program: string, args: readonly string[]): Promise<Answer> {
    const startMs = performance.now();
    const child = spawn(program, [...args], {
      stdio: 'ignore',
      ...(this.#signal && { signal: this.#signal }),
    });
    const [code] = (await once(child, 'exit').catch(() => [1])) as [number | null];
    const wallMs = performance.now() - startMs;
    return { code: code ?? 1, wallMs, cpuMs: null, peakMemoryBytes: null };
  }

  close(): void {
    this.#keeper?.stdin.end();
  }
}
