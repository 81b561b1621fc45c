/**
 * Codecs inside the optional package sharp: mozjpeg, which few systems have as a program, and the others where their
 * programs are not on the PATH. They work in this process, so that only the wall time is known.
 * @module
 */
import { readFile, stat } from 'node:fs/promises';
import { BackendError, UnsupportedError } from '../../errors.js';
import { loadSharp, type Sharp, type SharpModule } from '../../image/peer.js';
import type { BenchInput, Contestant, Decoded, Encoded, Entry } from '../contestant.js';
import type { BenchCost } from '../rows.js';

interface SharpPeer {
  readonly label: string;
  readonly suffix: string;
  /** In `sharp.format`, and which library of `sharp.versions` does the work. */
  readonly kind: string;
  readonly library: string;
  /** As in a script: `SETTING` is the dial. */
  readonly call: string;
  readonly encode: (image: Sharp, quality: number) => Sharp;
  readonly defaultDials: readonly number[];
}

const DIALS = [10, 20, 35, 50, 65, 80, 90];

/** Effort 3 is libaom's speed 6. */
function avif(chromaSubsampling: '4:4:4' | '4:2:0', tune: 'auto' | 'iq' = 'auto'): SharpPeer {
  const [tuned, said] = tune === 'auto' ? ['', ''] : [` tune=${tune}`, `, tune: '${tune}'`];
  return {
    label: `AVIF ${chromaSubsampling}${tuned} (sharp)`,
    suffix: '.avif',
    kind: 'heif',
    library: 'aom',
    call: `avif({ quality: SETTING, effort: 3, chromaSubsampling: '${chromaSubsampling}'${said} })`,
    encode: (image, quality) => image.avif({ quality, effort: 3, chromaSubsampling, tune }),
    defaultDials: tune === 'iq' ? [1, 8, 16, 26, 36, 46, 56, 68] : DIALS,
  };
}

export const SHARP_PEERS: Readonly<Record<string, SharpPeer>> = {
  mozjpeg: {
    label: 'mozjpeg 4:2:0',
    suffix: '.jpg',
    kind: 'jpeg',
    library: 'mozjpeg',
    call: "jpeg({ quality: SETTING, mozjpeg: true, chromaSubsampling: '4:2:0' })",
    encode: (image, quality) => image.jpeg({ quality, mozjpeg: true, chromaSubsampling: '4:2:0' }),
    defaultDials: [10, 20, 30, 40, 60, 80, 90],
  },
  jpeg: {
    label: 'JPEG 4:2:0 (sharp)',
    suffix: '.jpg',
    kind: 'jpeg',
    library: 'mozjpeg',
    call: "jpeg({ quality: SETTING, progressive: true, optimiseCoding: true, chromaSubsampling: '4:2:0' })",
    encode: (image, quality) =>
      image.jpeg({
        quality,
        progressive: true,
        optimiseCoding: true,
        chromaSubsampling: '4:2:0',
      }),
    defaultDials: DIALS,
  },
  webp: {
    label: 'WebP (sharp)',
    suffix: '.webp',
    kind: 'webp',
    library: 'webp',
    call: 'webp({ quality: SETTING, effort: 6 })',
    encode: (image, quality) => image.webp({ quality, effort: 6 }),
    defaultDials: DIALS,
  },
  avif: avif('4:4:4'),
  avif420: avif('4:2:0'),
  'avif-iq': avif('4:4:4', 'iq'),
  jxl: {
    label: 'JPEG XL (sharp)',
    suffix: '.jxl',
    kind: 'jxl',
    library: 'jxl',
    call: 'jxl({ quality: SETTING, effort: 7 })',
    encode: (image, quality) => image.jxl({ quality, effort: 7 }),
    defaultDials: DIALS,
  },
};

/** @param alsoMissing why the codec's programs are not taken, for what is said where sharp has none either */
export async function openSharpPeer(name: string, alsoMissing?: string): Promise<Entry> {
  const peer = SHARP_PEERS[name];
  const label = peer?.label ?? name;
  const missing = (why: string): Entry => ({
    codec: {
      name,
      label: label.replace(' (sharp)', ''),
      version: null,
      encodeCommand: null,
      decodeCommand: null,
      missing: [alsoMissing, why].filter(Boolean).join('; '),
    },
  });
  if (peer === undefined) return missing('sharp has no such codec');
  let sharp: SharpModule;
  try {
    sharp = await loadSharp(new UnsupportedError("no optional package 'sharp'"));
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return missing(error.message);
  }
  const kinds = sharp.format as unknown as Record<string, { output: { file: boolean } }>;
  if (kinds[peer.kind]?.output.file !== true) return missing(`this build of sharp has no ${name}`);
  return new SharpCodec(name, peer, sharp);
}

class SharpCodec implements Contestant {
  readonly codec: Contestant['codec'];
  readonly suffix: string;
  readonly defaultDials: readonly number[];
  readonly dialRange = [1, 100] as const;
  readonly dialStep = 1;
  readonly #peer: SharpPeer;
  readonly #sharp: SharpModule;

  constructor(name: string, peer: SharpPeer, sharp: SharpModule) {
    const versions: Readonly<Record<string, string | undefined>> = sharp.versions;
    this.codec = {
      name,
      label: peer.label,
      version: `sharp ${versions.sharp}, ${peer.library} ${versions[peer.library] ?? 'of no known version'}`,
      encodeCommand: `sharp(IN).${peer.call}.toFile(CODED), in this process on one thread`,
      decodeCommand: 'sharp(CODED).raw(), in this process on one thread',
      missing: null,
    };
    ({ suffix: this.suffix, defaultDials: this.defaultDials } = peer);
    this.#peer = peer;
    this.#sharp = sharp;
    sharp.concurrency(1);
    sharp.cache(false);
  }

  async encode({ pixels }: BenchInput, dial: number, codedPath: string): Promise<Encoded> {
    const { widthPx: width, heightPx: height, data } = pixels;
    const channels = pixels.channels;
    const image = this.#sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
    const [, cost] = await timed(() => this.#peer.encode(image, dial).toFile(codedPath));
    return { cost, byteLength: (await stat(codedPath)).size };
  }

  async decode(codedPath: string): Promise<Decoded> {
    // By its name libvips would know a file again, and give back the picture that it was before.
    const bytes = await readFile(codedPath);
    const image = this.#sharp(bytes, { limitInputPixels: false });
    const [{ data, info }, cost] = await timed(() =>
      image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true }),
    );
    const { width: widthPx, height: heightPx, channels } = info;
    if (channels !== 1 && channels !== 3) {
      throw new BackendError(`bench: expected 1 or 3 channels of sharp, got ${channels}`);
    }
    return { cost, pixels: { widthPx, heightPx, channels, data: new Uint8Array(data) } };
  }
}

async function timed<T>(work: () => Promise<T>): Promise<readonly [T, BenchCost]> {
  const startMs = performance.now();
  const made = await work().catch((cause: unknown) => {
    const [reason] = String(cause).split('\n');
    throw new BackendError(`bench: expected sharp to succeed, got ${reason}`, { cause });
  });
  const wallMs = performance.now() - startMs;
  return [made, { wallMs, cpuMs: null, peakMemoryBytes: null }];
}
