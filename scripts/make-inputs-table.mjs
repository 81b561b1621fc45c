/**
 * Writes docs/inputs.md: what becomes of every awkward file of ../shared/data/edge, each read in a process of its own, and
 * of PngSuite.
 * Ends with 1 when a file ends otherwise than its list says, or a limit of time or memory is passed.
 * @module
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readImage } from '../dist/index.js';

const SELF = fileURLToPath(import.meta.url);
const EDGE = fileURLToPath(new URL('../../shared/data/edge/', import.meta.url));
const SUITE = join(EDGE, 'imagetestsuite');
const PNG_SUITE = fileURLToPath(new URL('../../shared/data/pngsuite/', import.meta.url));
const OUTPUT = new URL('../docs/inputs.md', import.meta.url);

const REFUSAL_MAX_MS = 2000;
const REFUSAL_MAX_MEGABYTES = 300;
const BOMB_MAX_MS = 100;
const BATCH_FILES = 82;
const KINDS = ['grey', 'grey and alpha', 'RGB', 'RGB and alpha'];
const PROCESS_MAX_MS = 120_000;

/** What one file comes to, timed from its bytes to pixels or a refusal. */
async function readOne(path) {
  const bytes = readFileSync(path);
  const notes = [];
  const startMs = performance.now();
  const outcome = await readImage(bytes, {
    onNote: (note) => notes.push(note),
  }).then(
    ({ widthPx, heightPx, channels, data, colour, metadata = {} }) => ({
      size: [
        `${widthPx}x${heightPx} ${KINDS[channels - 1]}`,
        ...(data instanceof Uint16Array ? ['16 bits'] : []),
        ...(colour === undefined || colour === 'icc' ? [] : [colour]),
        ...Object.keys(metadata).map((name) => (name === 'blocks' ? 'texts or segments' : name)),
      ].join(', '),
      hash: createHash('sha256').update(data).digest('hex'),
    }),
    ({ name, code, message }) => ({ name, code, message }),
  );
  return { ...outcome, notes, elapsedMs: performance.now() - startMs };
}

/** In a child: reads the files named and tells of each on a line. */
async function runChild(paths) {
  // Loads the libraries, which belongs to the start of the program.
  await readImage(Buffer.from('P5 1 1 255\nA'));
  for (const path of paths) {
    const outcome = await readOne(path);
    const peakMegabytes = process.resourceUsage().maxRSS / 1000;
    console.log(JSON.stringify({ ...outcome, peakMegabytes }));
  }
}

/** @returns a record a file; one that is missing was the end of its process */
async function inChild(paths) {
  const { stdout, failure } = await promisify(execFile)(process.execPath, [SELF, ...paths], {
    timeout: PROCESS_MAX_MS,
    maxBuffer: 2 ** 24,
  }).catch((error) => ({ stdout: error.stdout, failure: error }));
  const records = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  if (failure !== undefined)
    records.push({ name: 'CRASH', code: 'crash', message: failure.message });
  return records;
}

function readManifest() {
  return readFileSync(join(EDGE, 'MANIFEST.tsv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter(([file]) => file !== 'imagetestsuite/*')
    .map(([file, , kind, expected, note]) => ({ file, kind, expected, note }));
}

/** @returns what contradicts the list or a limit, nothing where all is well */
function faultOf({ file, expected }, { size, code, elapsedMs, peakMegabytes }) {
  const isRefused = size === undefined;
  if (code === 'crash') return 'crashed';
  if (!isRefused && (expected === 'reject' || expected === 'limit')) return 'was read';
  if (isRefused && expected === 'decode' && code !== 'unsupported') return 'is damaged to us';
  if (expected === 'limit' && code !== 'limit') return 'was refused for something else';
  if (isRefused && elapsedMs > REFUSAL_MAX_MS) return `took ${elapsedMs} ms`;
  if (isRefused && peakMegabytes > REFUSAL_MAX_MEGABYTES) return `took ${peakMegabytes} MB`;
  if (/bomb/.test(file) && elapsedMs > BOMB_MAX_MS) return `took ${elapsedMs} ms`;
  return undefined;
}

const code = (text) => `\`${text.replaceAll('|', '\\|')}\``;

function rowOf(
  { file, kind, expected, note },
  { size, name, message, notes, elapsedMs, peakMegabytes },
) {
  const told = notes?.length > 0 ? `; noted: ${code(notes.join('; '))}` : '';
  const ends = size !== undefined ? `decoded ${size}${told}` : `refused, ${name}: ${code(message)}`;
  const ms = elapsedMs < 10 ? elapsedMs.toFixed(1) : Math.round(elapsedMs);
  const wanted = note === undefined || note === '' ? expected : `${expected}: ${note}`;
  return `| ${code(file)} | ${kind} | ${wanted.replaceAll('|', '\\|')} | ${ends} | ${ms} | ${Math.round(peakMegabytes)} |`;
}

async function tabulate() {
  const rows = [];
  const faults = [];
  const refusedThoughListed = [];
  const worst = { elapsedMs: 0, peakMegabytes: 0, bombMs: 0 };
  for (const entry of readManifest()) {
    const [ending] = await inChild([join(EDGE, entry.file)]);
    const fault = faultOf(entry, ending);
    if (fault !== undefined) faults.push(`${entry.file} ${fault}`);
    if (ending.size === undefined) {
      worst.elapsedMs = Math.max(worst.elapsedMs, ending.elapsedMs);
      worst.peakMegabytes = Math.max(worst.peakMegabytes, ending.peakMegabytes);
      if (/bomb/.test(entry.file)) worst.bombMs = Math.max(worst.bombMs, ending.elapsedMs);
      if (entry.expected === 'decode') refusedThoughListed.push(code(entry.file));
    }
    rows.push(rowOf(entry, ending));
  }
  return { rows, faults, refusedThoughListed, worst };
}

/** Every file twice, in two processes: ends are told by class, pixels by their hash. */
async function readSuite() {
  const names = readdirSync(SUITE).toSorted();
  const counts = new Map();
  const faults = [];
  let longestMs = 0;
  let peakMegabytes = 0;
  for (let from = 0; from < names.length; from += BATCH_FILES) {
    const batch = names.slice(from, from + BATCH_FILES);
    const paths = batch.map((name) => join(SUITE, name));
    const first = await inChild(paths);
    const second = await inChild(paths);
    for (const [index, name] of batch.entries()) {
      const [a, b] = [first[index], second[index]];
      if (a?.elapsedMs === undefined || b?.elapsedMs === undefined) {
        faults.push(`imagetestsuite/${name} crashed or hung`);
        break;
      }
      if (a.hash !== b.hash || a.message !== b.message)
        faults.push(`imagetestsuite/${name} differs`);
      const ending = `${name.slice(-3).toUpperCase()} ${a.size === undefined ? a.name : 'decoded'}`;
      counts.set(ending, (counts.get(ending) ?? 0) + 1);
      longestMs = Math.max(longestMs, a.elapsedMs, b.elapsedMs);
      peakMegabytes = Math.max(peakMegabytes, a.peakMegabytes, b.peakMegabytes);
    }
  }
  return { total: names.length, counts, faults, longestMs, peakMegabytes };
}

const PROSE = `# Inputs

What vaerans reads, how the awkward files of the project's collection end, and what that costs. The tables are written by
\`node scripts/make-inputs-table.mjs\`.

## What is read

- **PNG**: every colour type and depth, interlaced or not; 16 bits stay 16, fewer become 8. Alpha, and transparent
  colours as alpha, are kept, dropped where every pixel is opaque, and put over \`--background\` where one is given. Of an
  animation the first picture is read, with a note; bytes after IEND are ignored, with a note. Every CRC is checked.
  Above 16.8 megapixels rows are inflated as they are wanted, from the file in memory, behind the same checks and to the
  same bytes; interlaced pictures, those with alpha, turned ones and those proportional to light are looked at whole.
- **JPEG**: baseline, extended and progressive Huffman coding with 8-bit samples, grey, YCbCr or RGB, any subsampling by
  whole numbers, up to 24 megapixels. Chroma is brought up as libjpeg does it; samples differ from libjpeg's by 3 levels
  at most. Larger ones, CMYK and YCCK are left to sharp. Refused by name: 12 bits, arithmetic and lossless coding,
  hierarchical files, a height that is given late (DNL), quantisation tables that change after a scan that used them,
  restarts that do not divide a scan of a single component which the last MCU row overhangs. A file without its end
  (EOI), without a scan of each component, with restart markers missing or with fewer bytes than its blocks need is
  damaged. JPEG has no checksum: a changed bit inside coded data that still is a code goes unseen, in this reader as in
  any other.
- **PPM, PGM, PAM**: binary, 8 or 16 bits, grey or RGB, with alpha in PAM.
- **WebP, AVIF, TIFF, GIF, HEIC, JPEG XL, JPEG 2000** by the optional package sharp (\`npm install sharp\`), as far as its
  build has them: the one from npm has neither HEIC (HEVC), JPEG XL nor JPEG 2000, and says so. Sizes and memory are
  checked on the header before it decodes, what it only warns of is an error, and of many pictures the first is read,
  with a note. Without it the message names it; it is loaded only for such a file.
- **Speed**: a JPEG of 12 megapixels took 5.8 s by jpeg-js and 0.33 s by sharp (4:2:0, quality 90; 17 times), at 4:4:4 7.1 s
  and 0.83 s (9 times): 2026-11-21, \`npm run bench:jpeg\`, Node 20.20 on two busy cores of an AMD EPYC. Up to 24
  megapixels it is jpeg-js all the same, so that what is installed does not change samples.
  There and back, milliseconds of the processor: JPEG to pixels 1,290 (jpeg-js), pixels to .vae at quality 60 3,120, .vae
  to pixels 3,520, pixels to JPEG 1,020 or to PNG 680; of the reading sharp would take about a tenth (same day, command
  and machine, load average 19, where jpeg-js stood at 18 times sharp by wall time).
- **Orientation**: all eight values of Exif, in JPEG and PNG (eXIf), applied to the pixels. Orientation in XMP is not.

## What becomes of colours

Samples are coded in the space they are in. The curves and primaries of a profile tell sRGB, Display P3 and Adobe RGB,
which travel as a code; any other RGB or grey profile travels byte for byte. In a PNG cICP, iCCP, sRGB, gAMA with cHRM
count in that order; gAMA and cHRM of no known space travel as a small profile that says the same, a gamma of 1 among
them: samples stay as they are. Only an ICC profile of RGB or grey whose curve is linear has its samples brought to the
curve of sRGB, with a note, as no coder for the eye works on such samples. CMYK, YCCK and Lab are converted to sRGB by
sharp, which brings little-cms along, and are refused by name without it: the port of that to npm (lcms-wasm 1.0.5) is
one author's, and a second colour engine would give a second answer. A profile that does not parse, or is for another
space, is ignored with a note.

## What travels along

ICC profile and XMP byte for byte. Exif byte for byte but for two things: the orientation is set to 1, as pixels are
upright, and the thumbnail is cut off, or cleared where makers' notes lie behind it. PNG's texts (tEXt, zTXt, iTXt), a JPEG's
extended XMP and its Photoshop resources with IPTC (APP13) travel byte for byte too, up to 1,000 of them and 8 MiB
together, and come back in the kind of file that they came in; where another is written (PNG from JPEG, JPEG from PNG,
WebP, AVIF, TIFF), a note names what has no place there. \`--strip\` leaves out all of this. Left out always: times
(tIME), sizes in metres (pHYs), backgrounds, suggested palettes, and comments of a JPEG.

## What is written

PNG (8 and 16 bits, with alpha, profile, Exif, XMP and texts), PPM (no alpha), PAM, JPEG (quality 95, chroma at full size, 8
bits, no alpha, with profile, Exif, XMP and IPTC; grey as three components), and by sharp WebP and AVIF (lossless, 8 bits) and
TIFF (8 and 16 bits, deflated; libvips writes no Exif in it).

Notes go to standard error, to \`onNote\` of \`readImage\`, and nowhere with \`--quiet\`.
`;

/** Files whose names begin with x are damaged on purpose. */
async function readPngSuite() {
  const names = readdirSync(PNG_SUITE)
    .filter((name) => name.endsWith('.png'))
    .toSorted();
  const endings = await inChild(names.map((name) => join(PNG_SUITE, name)));
  const refused = names.filter((_, index) => endings[index]?.size === undefined);
  const faults = names
    .filter((name) => name.startsWith('x') !== refused.includes(name))
    .map((name) => `pngsuite/${name} ended otherwise than its name says`);
  return { total: names.length, refused, faults };
}

async function main() {
  const pngSuite = await readPngSuite();
  const { rows, faults, refusedThoughListed, worst } = await tabulate();
  const suite = await readSuite();
  const suiteRows = [...suite.counts]
    .toSorted()
    .map(([ending, count]) => `| ${ending} | ${count} |`);
  const all = [...faults, ...suite.faults, ...pngSuite.faults];
  const machine = `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.version}`;
  const text = `${PROSE}
## How awkward files end

Each in a process of its own, on ${machine}, ${new Date().toISOString().slice(0, 10)}.
Milliseconds are from bytes to pixels or refusal, libraries loaded; megabytes are the peak of the whole process, of which
Node and the libraries are about 50.

Of ${rows.length} files ${all.length === 0 ? 'all end as listed or are refused by name' : `these do not end as they should: ${all.join(', ')}`}. The
slowest refusal took ${Math.round(worst.elapsedMs)} ms (${REFUSAL_MAX_MS} allowed), the largest ${Math.round(worst.peakMegabytes)} MB (${REFUSAL_MAX_MEGABYTES} allowed), size bombs
${worst.bombMs.toFixed(1)} ms at most (${BOMB_MAX_MS} allowed). Listed as to be decoded, but of a kind that is not handled yet and refused by that
name: ${refusedThoughListed.join(', ') || 'none'}.

| file | kind | listed as | ends | ms | MB |
| --- | --- | --- | --- | ---: | ---: |
${rows.join('\n')}

## PngSuite

Of ${pngSuite.total} files ${pngSuite.total - pngSuite.refused.length} are read, each equal to what libvips reads to the last bit of the last sample
(\`tests/image/read.test.ts\`), and the ${pngSuite.refused.length} that are damaged on purpose are refused: ${pngSuite.refused.map(code).join(', ')}.

## The image test suite

${suite.total} mutated files, each read twice in different processes: ${suite.faults.length === 0 ? 'no crash, no hang, and the same pixels or the same refusal both times' : suite.faults.join(', ')}. The
longest took ${Math.round(suite.longestMs)} ms; a process that read ${BATCH_FILES} of them peaked at ${Math.round(suite.peakMegabytes)} MB.

| ends | files |
| --- | ---: |
${suiteRows.join('\n')}
`;
  writeFileSync(OUTPUT, text);
  for (const fault of all) console.error(fault);
  process.exitCode = all.length === 0 ? 0 : 1;
}

const paths = process.argv.slice(2);
if (paths.length > 0) await runChild(paths);
else if (existsSync(EDGE)) await main();
else console.log('skipped: ../shared/data is absent');
