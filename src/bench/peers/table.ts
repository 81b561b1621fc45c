/**
 * The other codecs, each with its programs and the exact way they are called: one thread, 8 bits, what is usual for
 * comparisons. Settings are those of the project's first study, so that rows can be held against it.
 * @module
 */

/** In arguments: `IN`, `CODED` and `OUT` are files, `SETTING` is the dial's position as the program wants it. */
export interface Peer {
  readonly label: string;
  readonly suffix: string;
  readonly encoder: string;
  readonly encodeArgs: readonly string[];
  /** What the encoder reads. */
  readonly input: 'ppm' | 'png';
  readonly decoder: string;
  readonly decodeArgs: readonly string[];
  readonly output: 'ppm' | 'png';
  /** Makes both programs say who they are, somewhere in what they print; the pattern's groups are kept. */
  readonly versionArgs: readonly string[];
  readonly version: RegExp;
  readonly defaultDials: readonly number[];
  readonly dialRange: readonly [worst: number, best: number];
  readonly dialStep: number;
  /** From the dial to `SETTING`, where they are not the same. */
  readonly settingOf?: (dial: number, channels: number) => string;
}

const AVIF = {
  suffix: '.avif',
  encoder: 'avifenc',
  input: 'png',
  decoder: 'avifdec',
  decodeArgs: ['-j', '1', '-d', '8', 'CODED', 'OUT'],
  output: 'png',
  versionArgs: ['--version'],
  version: /Version: ([\d.]+).*?(aom \[[^\]]*\]:v?[\d.]+)/,
  defaultDials: [60, 51, 46, 41, 35, 29, 21],
  dialRange: [63, 1],
  dialStep: 1,
} as const;

function avifArgs(chroma: string): readonly string[] {
  const rate = ['--min', '0', '--max', '63', '-a', 'end-usage=q', '-a', 'cq-level=SETTING'];
  return [...rate, '-s', '6', '-y', chroma, '-d', '8', '-j', '1', 'IN', 'CODED'];
}

export const PEERS: Readonly<Record<string, Peer>> = {
  jpeg: {
    label: 'JPEG 4:2:0',
    suffix: '.jpg',
    encoder: 'cjpeg',
    encodeArgs: [
      ...['-quality', 'SETTING', '-optimize', '-progressive', '-sample', '2x2'],
      ...['-outfile', 'CODED', 'IN'],
    ],
    input: 'ppm',
    decoder: 'djpeg',
    decodeArgs: ['-pnm', '-outfile', 'OUT', 'CODED'],
    output: 'ppm',
    versionArgs: ['-version'],
    version: /(.*version.*)/i,
    defaultDials: [5, 10, 20, 30, 50, 70, 85],
    dialRange: [1, 100],
    dialStep: 1,
  },
  webp: {
    label: 'WebP',
    suffix: '.webp',
    encoder: 'cwebp',
    encodeArgs: ['-quiet', '-m', '6', '-q', 'SETTING', 'IN', '-o', 'CODED'],
    input: 'ppm',
    decoder: 'dwebp',
    decodeArgs: ['-quiet', 'CODED', '-ppm', '-o', 'OUT'],
    output: 'ppm',
    versionArgs: ['-version'],
    version: /(\d+\.\d+\.\d+)/,
    defaultDials: [0, 5, 20, 40, 60, 75, 85],
    dialRange: [0, 100],
    dialStep: 1,
  },
  avif: { ...AVIF, label: 'AVIF 4:4:4', encodeArgs: avifArgs('444') },
  avif420: { ...AVIF, label: 'AVIF 4:2:0', encodeArgs: avifArgs('420') },
  jxl: {
    label: 'JPEG XL',
    suffix: '.jxl',
    encoder: 'cjxl',
    encodeArgs: ['IN', 'CODED', '-e', '7', '-d', 'SETTING', '--num_threads=0', '--quiet'],
    input: 'ppm',
    decoder: 'djxl',
    decodeArgs: ['CODED', 'OUT', '--num_threads=0'],
    output: 'ppm',
    versionArgs: ['--version'],
    version: /(?:cjxl|djxl) (v\S+)/,
    defaultDials: [15, 10, 6.5, 4, 3, 2, 1],
    dialRange: [25, 0.1],
    dialStep: 0.05,
  },
  jp2: {
    label: 'JPEG 2000',
    suffix: '.jp2',
    encoder: 'opj_compress',
    encodeArgs: ['-i', 'IN', '-o', 'CODED', '-r', 'SETTING', '-I'],
    input: 'ppm',
    decoder: 'opj_decompress',
    decodeArgs: ['-i', 'CODED', '-o', 'OUT'],
    output: 'ppm',
    versionArgs: ['-h'],
    version: /openjp2 library (v\S+?)\.?$/m,
    // Bits per pixel: it codes to a rate. The program takes the ratio to the raw samples.
    defaultDials: [0.1, 0.2, 0.3, 0.45, 0.65, 0.9, 1.3],
    dialRange: [0.02, 12],
    dialStep: 0.005,
    settingOf: (bitsPerPixel, channels) => String((8 * channels) / bitsPerPixel),
  },
};
