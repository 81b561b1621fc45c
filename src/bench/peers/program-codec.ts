/**
 * A codec that is two programs.
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { readImage } from '../../image/file.js';
import type { Contestant, Decoded, Encoded, Entry } from '../contestant.js';
import { findProgram, type ProgramRunner } from './programs.js';
import type { Peer } from './table.js';

/**
 * Finds the programs.
 * @param path where they are looked for
 * @param runner one of its own for every lane
 */
export async function openPeer(
  name: string,
  peer: Peer,
  path: string,
  runner: ProgramRunner,
): Promise<Entry> {
  const programs = [peer.encoder, peer.decoder];
  const [encoder, decoder] = await Promise.all(programs.map((found) => findProgram(found, path)));
  const { label } = peer;
  if (encoder === undefined || decoder === undefined) {
    const absent = programs.filter((_, at) => [encoder, decoder][at] === undefined);
    const missing = `no ${absent.join(' and no ')} in the folders of PATH`;
    const nothing = { version: null, encodeCommand: null, decodeCommand: null };
    return { codec: { name, label, ...nothing, missing } };
  }
  const versions = await Promise.all(
    [encoder, decoder].map((program) => askVersion(program, peer)),
  );
  return new ProgramCodec(name, peer, encoder, decoder, [...new Set(versions)].join(', '), runner);
}

class ProgramCodec implements Contestant {
  readonly codec: Contestant['codec'];
  readonly suffix: string;
  readonly defaultDials: readonly number[];
  readonly dialRange: readonly [number, number];
  readonly dialStep: number;
  readonly #peer: Peer;
  readonly #encoder: string;
  readonly #decoder: string;
  readonly #runner: ProgramRunner;

  constructor(
    name: string,
    peer: Peer,
    encoder: string,
    decoder: string,
    version: string,
    runner: ProgramRunner,
  ) {
    this.codec = {
      name,
      label: peer.label,
      version,
      encodeCommand: [peer.encoder, ...peer.encodeArgs].join(' '),
      decodeCommand: [peer.decoder, ...peer.decodeArgs].join(' '),
      missing: null,
    };
    ({
      suffix: this.suffix,
      defaultDials: this.defaultDials,
      dialRange: this.dialRange,
      dialStep: this.dialStep,
    } = peer);
    this.#peer = peer;
    this.#encoder = encoder;
    this.#decoder = decoder;
    this.#runner = runner;
  }

  async encode(
    { pixels, ppmPath, pngPath }: Parameters<Contestant['encode']>[0],
    dial: number,
    codedPath: string,
  ): Promise<Encoded> {
    const { encodeArgs, input, settingOf = String } = this.#peer;
    const cost = await this.#runner.run(
      this.#encoder,
      filled(encodeArgs, {
        IN: input === 'ppm' ? ppmPath : pngPath,
        CODED: codedPath,
        SETTING: settingOf(dial, pixels.channels),
      }),
    );
    return { cost, byteLength: (await stat(codedPath)).size };
  }

  async decode(codedPath: string): Promise<Decoded> {
    const { decodeArgs, output } = this.#peer;
    const outPath = `${codedPath}.decoded.${output}`;
    const cost = await this.#runner.run(
      this.#decoder,
      filled(decodeArgs, { CODED: codedPath, OUT: outPath }),
    );
    return { cost, pixels: await readImage(outPath) };
  }
}

/** Programs print their version to either stream, and some end with an error beside it. */
async function askVersion(program: string, peer: Peer): Promise<string> {
  const child = spawn(program, [...peer.versionArgs], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  await once(child, 'close').catch(() => {});
  const [, ...found] = peer.version.exec(text) ?? [];
  const version = found.join(' ').trim() || 'of no known version';
  return `${basename(program)} ${version}`;
}

function filled(args: readonly string[], values: Readonly<Record<string, string>>): string[] {
  return args.map((arg) =>
    arg.replace(/\b(IN|CODED|OUT|SETTING)\b/, (name) => values[name] ?? name),
  );
}
