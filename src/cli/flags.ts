/**
 * Flags as commander hands them over, turned into what the library takes.
 * @module
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  type CodecOptions,
  type Limits,
  type ModelSearch,
  type ProviderChoice,
  parseByteCount,
  type Region,
  type Rgb,
  UsageError,
} from '../index.js';

/** How pictures are bounded; on every command that reads any. */
export interface LimitFlags {
  readonly maxPixels?: number;
  readonly maxSide?: number;
  readonly maxMemory?: number;
}

/** How models run; on every command that does that. */
export interface CodecFlags extends LimitFlags {
  readonly model?: string;
  readonly provider?: ProviderChoice;
  readonly threads?: number;
  readonly deterministic?: boolean;
}

/** What is told, to whom. */
export interface ReportFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** How many times `-v` was given. */
  readonly verbose: number;
}

export function codecOptions(flags: CodecFlags, env: NodeJS.ProcessEnv): CodecOptions {
  const { model, provider, threads, deterministic } = flags;
  return {
    ...modelSearch(env),
    ...defined({ model, provider, threads, deterministic }),
    limits: limitsOf(flags),
  };
}

export function limitsOf({ maxPixels, maxSide, maxMemory }: LimitFlags): Partial<Limits> {
  return defined({ maxPixels, maxSidePx: maxSide, maxMemoryBytes: maxMemory });
}

/** `VAERANS_CONFIG`, else `vaerans.toml` here; models in `VAERANS_HOME`, else in `.vaerans` at home. */
export function modelSearch(env: NodeJS.ProcessEnv): ModelSearch {
  const configPath =
    env.VAERANS_CONFIG || (existsSync('vaerans.toml') ? 'vaerans.toml' : undefined);
  const home = env.VAERANS_HOME || join(homedir(), '.vaerans');
  return defined({ configPath, modelsFolder: join(home, 'models') });
}

/** @throws UsageError unless the text is a number in the range; a fraction where `whole` does not forbid it */
export function parseNumber(
  flag: string,
  text: string,
  min: number,
  max: number,
  whole = false,
): number {
  const value = Number(text);
  const isNumber = /^\d+(\.\d+)?$/.test(text) && (!whole || Number.isInteger(value));
  if (!isNumber || value < min || value > max) {
    const kind = whole ? 'a whole number' : 'a number';
    throw new UsageError(`${flag}: expected ${kind} from ${min} to ${max}, got '${text}'`);
  }
  return value;
}

/**
 * `10,50,90` are qualities of ours, `jpeg=10,50` positions of another codec's dial.
 * @throws UsageError unless the text is numbers with commas between; which are in range is the bench's to say
 */
export function parseSettings(
  text: string,
  before: Readonly<Record<string, readonly number[]>>,
): Readonly<Record<string, readonly number[]>> {
  const [, codec = 'ours', list = ''] = /^(?:([\w-]+)=)?(.*)$/.exec(text) ?? [];
  const dials = list
    .split(',')
    .map((dial) => parseNumber('--qualities', dial, 0, Number.MAX_SAFE_INTEGER));
  return { ...before, [codec]: [...(before[codec] ?? []), ...dials] };
}

/** @throws UsageError unless the text is two numbers with a comma between, such as `0.1,1` */
export function parseSpan(text: string): readonly [number, number] {
  const [least = '', most = '', ...more] = text.split(',');
  if (more.length > 0) {
    throw new UsageError(`--bd-span: expected two numbers such as 0.1,1, got '${text}'`);
  }
  return [parseNumber('--bd-span', least, 0, 96), parseNumber('--bd-span', most, 0, 96)];
}

/** @throws UsageError unless the text is bytes, such as `536870912`, `512M` or `1.5G` */
export function parseMemory(flag: string, text: string): number {
  const bytes = parseByteCount(text);
  if (bytes === undefined) {
    throw new UsageError(`${flag}: expected bytes such as 536870912, 512M or 2G, got '${text}'`);
  }
  return bytes;
}

const FILE_BYTES_OF_SUFFIX: Readonly<Record<string, number>> = {
  '': 1,
  k: 1000,
  m: 1_000_000,
  ki: 1024,
  mi: 1024 ** 2,
};

/**
 * Sizes of files are powers of ten, as everything that is printed of them; `Ki` and `Mi` are of two.
 * @throws UsageError unless the text is bytes, such as `20000`, `20k` or `1.5M`
 */
export function parseFileSize(flag: string, text: string): number {
  const [, digits, suffix = ''] = /^(\d+(?:\.\d+)?)(ki?|mi?|)b?$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(digits) * (FILE_BYTES_OF_SUFFIX[suffix.toLowerCase()] ?? 1));
  if (!(bytes >= 1 && bytes <= 2 ** 40)) {
    throw new UsageError(`${flag}: expected bytes such as 20000, 20k or 1.5M, got '${text}'`);
  }
  return bytes;
}

/** @throws UsageError unless the text is `#rrggbb` or `#rgb`, the sign left out if one likes */
export function parseColour(flag: string, text: string): Rgb {
  const [, digits = ''] = /^#?([\da-f]{3}|[\da-f]{6})$/i.exec(text) ?? [];
  if (digits === '') {
    throw new UsageError(`${flag}: expected a colour such as ffffff or '#fff', got '${text}'`);
  }
  const size = digits.length / 3;
  const part = (index: number) =>
    Number.parseInt(digits.slice(index * size, (index + 1) * size).repeat(3 - size), 16);
  return [part(0), part(1), part(2)];
}

/** @throws UsageError unless the text is four whole numbers, the last two above 0 */
export function parseRegion(flag: string, text: string): Region {
  const [, ...numbers] = /^(\d{1,10}),(\d{1,10}),(\d{1,10}),(\d{1,10})$/.exec(text) ?? [];
  const [x = 0, y = 0, width = 0, height = 0] = numbers.map(Number);
  if (width === 0 || height === 0) {
    throw new UsageError(
      `${flag}: expected left, top, width and height in pixels such as 0,0,640,480, got '${text}'`,
    );
  }
  return { x, y, width, height };
}

/** @throws UsageError unless the text is a positive number such as `1/8` or `0.125` */
export function parseFraction(flag: string, text: string): number {
  const [, above, below = '1'] = /^(\d+(?:\.\d+)?)(?:\/(\d+))?$/.exec(text) ?? [];
  const value = Number(above) / Number(below);
  if (!(value > 0 && Number.isFinite(value))) {
    throw new UsageError(`${flag}: expected a fraction such as 1/8, got '${text}'`);
  }
  return value;
}

/** The library tells an option left out from one that is undefined; commander does not. */
export function defined<T extends object>(
  record: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
