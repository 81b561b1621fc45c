/**
 * `vaerans.toml`: what a user wants everywhere. Whatever is wrong with it is told with its line.
 * @module
 */
import { parse as parseToml, TomlError } from 'smol-toml';
import { LimitError, UsageError } from '../errors.js';
import { readBytes } from '../files.js';
import { type Config, configSchema } from './schemas.js';

/** No list of wishes comes near. */
const CONFIG_MAX_BYTES = 1 << 20;

/**
 * @param configPath path of the file; without one there are no wishes
 * @throws UsageError naming the file, the line and the field; LimitError
 */
export async function readConfig({
  configPath,
}: {
  readonly configPath?: string;
}): Promise<Config> {
  if (configPath === undefined) return {};
  let text: string;
  try {
    text = Buffer.from(await readBytes(configPath, CONFIG_MAX_BYTES)).toString('utf8');
  } catch (cause) {
    if (cause instanceof LimitError) throw cause;
    throw new UsageError(`config: expected to read '${configPath}', got no such file`, { cause });
  }
  let toml: unknown;
  try {
    toml = parseToml(text);
  } catch (cause) {
    const first = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    const line = cause instanceof TomlError ? ` line ${cause.line}` : '';
    throw new UsageError(`config: expected TOML in '${configPath}'${line}, got: ${first}`, {
      cause,
    });
  }
  const result = configSchema.safeParse(toml);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = (issue?.path ?? []).map(String);
  // An unknown key is told with what it is in; its own name is in the message.
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const line = lineOf(text, [...path, ...unknown]);
  const where = line === undefined ? '' : ` line ${line}`;
  throw new UsageError(
    `config: '${configPath}'${where}: ${[...path, ...unknown].join('.')}: ${issue?.message}`,
  );
}

/** The line, from 1, where a field stands, or the header of its table. */
function lineOf(text: string, path: readonly string[]): number | undefined {
  let table: readonly string[] = [];
  let header: number | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const opened = /^\s*\[+\s*([^\]]+?)\s*\]/.exec(line)?.[1];
    if (opened !== undefined) {
      table = keysOf(opened);
      // A field that is missing is told with the table that it is missing from.
      if (table.every((part, at) => part === path[at])) header = index + 1;
      continue;
    }
    const key = /^\s*([^=#]+?)\s*=/.exec(line)?.[1];
    if (key === undefined) continue;
    const full = [...table, ...keysOf(key)];
    if (full.every((part, at) => part === path[at])) return index + 1;
  }
  return header;
}

function keysOf(dotted: string): string[] {
  return dotted.split('.').map((key) => key.trim().replace(/^["']|["']$/g, ''));
}
