import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openCodec } from '#src/codec/open.js';
import { readImage } from '#src/image/file.js';
import { rateOfQuality } from '#src/models/quality.js';
import type { World } from '#src/pipeline/world.js';
import { entropyEncode } from '#src/stages/entropy.js';
import { quantise } from '#src/stages/quantise.js';
import { rotate } from '#src/stages/rotate.js';
import { vaeEncode } from '#src/stages/vae-encode.js';
import { waveletForward } from '#src/stages/wavelet.js';
import { only } from '../pipeline/fixture.js';

const ROOT = join(import.meta.dirname, '../..');
const KODAK = join(ROOT, '../shared/data/kodak');
const hasKodak = existsSync(KODAK);
if (!hasKodak) console.log(`native: skipped, no pictures in ${KODAK}`);

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Gains as the core reckons them, for the native program's file. */
function gainsAtRate(world: World, rate: number): Float32Array {
  const { logGain } = world.context.model.manifest.rate;
  const channels = logGain[0]?.length ?? 0;
  const knots = world.arena.allocate('f32', [logGain.length, channels]);
  world.arena.view(knots).set(logGain.flat());
  const gains = world.arena.allocate('f32', [channels]);
  world.core.gainsAtRate(knots, rate, gains);
  return world.arena.view(gains).slice();
}

it.skipIf(!hasKodak)(
  'the native build of the core codes all of Kodak to the same payloads as WASM does',
  async () => {
    execFileSync('cargo', ['build', '--release', '--locked', '--example', 'static_payload'], {
      cwd: ROOT,
      stdio: 'ignore',
    });
    const folder = await mkdtemp(join(tmpdir(), 'vaerans-native-'));
    await using codec = await openCodec({ threads: 2 });
    const world = await codec.world({ arenaByteLength: 64 * 2 ** 20 });
    const rate = rateOfQuality(world.context.model.manifest, 50);
    const names = (await readdir(KODAK)).filter((name) => name.endsWith('.png'));
    expect(names).toHaveLength(24);
    for (const name of names) {
      world.clear();
      const image = world.spawnImage(await readImage(join(KODAK, name)));
      const coded = await world
        .pipe(image)
        .to(vaeEncode())
        .to(rotate())
        .to(waveletForward())
        .to(quantise({ rate }))
        .to(entropyEncode({ coder: 'static', sliceRows: 4096 }))
        .out('Bitstream');
      const [slice] = coded.slices;
      if (slice === undefined || !image.has('Latent')) throw new Error('no slice or no latent');
      const payload = sha256(world.arena.view(slice));
      const latent = world.arena.view(only(image.get('Latent').grids));
      const header = Uint32Array.from(only(coded.shapes));
      const file = join(folder, 'latent.bin');
      await writeFile(
        file,
        Buffer.concat(
          [header, gainsAtRate(world, rate), latent].map(({ buffer, byteOffset, byteLength }) =>
            Buffer.from(buffer, byteOffset, byteLength),
          ),
        ),
      );
      const native = spawnSync(join(ROOT, 'target/release/examples/static_payload'), [file], {
        maxBuffer: 2 ** 26,
      });
      expect(native.stderr.toString()).toBe('');
      expect(sha256(native.stdout)).toBe(payload);
    }
    await rm(folder, { recursive: true });
  },
  300_000,
);
