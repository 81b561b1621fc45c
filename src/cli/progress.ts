/**
 * A bar on a terminal's standard error, once work has lasted long enough to wonder.
 * @module
 */
import type { SingleBar } from 'cli-progress';
import type { ReportFlags } from './flags.js';

const SHOW_AFTER_MS = 500;
/** The end of a path says most; the whole line has to fit a terminal of 80 columns. */
const LABEL_MAX_LENGTH = 24;

export class Progress {
  readonly #makeBar: (() => SingleBar) | undefined;
  #startMs = performance.now();
  #bar: SingleBar | undefined;
  readonly #tasks = new Map<string, { readonly done: number; readonly total: number }>();

  private constructor(makeBar: (() => SingleBar) | undefined) {
    this.#makeBar = makeBar;
  }

  /** Loads the bar only where somebody can see it. */
  static async open({ quiet, json }: Pick<ReportFlags, 'quiet' | 'json'>): Promise<Progress> {
    const { isTTY } = process.stderr;
    if (!isTTY || quiet || json || process.env.TERM === 'dumb') return new Progress(undefined);
    const { default: progress } = await import('cli-progress');
    return new Progress(
      () =>
        new progress.SingleBar(
          {
            stream: process.stderr,
            clearOnComplete: true,
            format: '{label} [{bar}] {value}/{total} {unit}{left}',
            // The terminal keeps its own ways: a signal that ends us could not give them back.
            linewrap: true,
            barsize: 30,
          },
          progress.Presets.legacy,
        ),
    );
  }

  /** @param task one of those in flight, by whose name it is shown while it is alone */
  update(task: string, unit: string, taskDone: number, taskTotal: number): void {
    if (this.#makeBar === undefined) return;
    this.#tasks.set(task, { done: taskDone, total: taskTotal });
    const tasks = [...this.#tasks.values()];
    const done = tasks.reduce((sum, counts) => sum + counts.done, 0);
    const total = tasks.reduce((sum, counts) => sum + counts.total, 0);
    const label = tasks.length === 1 ? task : `${tasks.length} pictures`;
    const elapsedMs = performance.now() - this.#startMs;
    const secondsLeft = Math.ceil(((elapsedMs / done) * (total - done)) / 1000);
    const left = done > 0 && done < total ? `, ${secondsLeft} s left` : '';
    const shown = { label: label.slice(-LABEL_MAX_LENGTH), unit, left };
    if (this.#bar === undefined) {
      if (elapsedMs < SHOW_AFTER_MS) return;
      this.#bar = this.#makeBar();
      this.#bar.start(total, done, shown);
    }
    // A task that joins brings its tiles along.
    this.#bar.setTotal(total);
    this.#bar.update(done, shown);
  }

  /** Takes the bar away until there is news. @param task has ended; all have where left out */
  stop(task?: string): void {
    this.#bar?.stop();
    this.#bar = undefined;
    if (task === undefined) this.#tasks.clear();
    else this.#tasks.delete(task);
    if (this.#tasks.size === 0) this.#startMs = performance.now();
  }
}
