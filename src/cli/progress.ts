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

  update(label: string, unit: string, done: number, total: number): void {
    if (this.#makeBar === undefined) return;
    const elapsedMs = performance.now() - this.#startMs;
    const secondsLeft = Math.ceil(((elapsedMs / done) * (total - done)) / 1000);
    const left = done > 0 && done < total ? `, ${secondsLeft} s left` : '';
    const shown = { label: label.slice(-LABEL_MAX_LENGTH), unit, left };
    if (this.#bar === undefined) {
      if (elapsedMs < SHOW_AFTER_MS) return;
      this.#bar = this.#makeBar();
      this.#bar.start(total, done, shown);
    }
    this.#bar.update(done, shown);
  }

  /** Takes the bar away; work after this is other work. */
  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#startMs = performance.now();
  }
}
