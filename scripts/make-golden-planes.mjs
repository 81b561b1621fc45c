/**
 * Writes fixtures/streams/planes.json: bands of every method and sample type as this version codes them, with the hash
 * of what they decode to. Run it only when format version 1 changes before its release.
 *
 *   node scripts/make-golden-planes.mjs
 * @module
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { Core } from '#src/wasm/core.js';
import { loadCoreModule } from '#src/wasm/load.js';
import { goldenSamples, PLANE_CASES } from '../fixtures/plane-cases.js';

const core = new Core(await loadCoreModule('scalar'), 8 << 20);

const bands = PLANE_CASES.map((planeCase) => {
  const { name, dtype, shape, coding } = planeCase;
  core.arena.clear();
  const [rows = 0, width = 0, components = 0] = shape;
  const band = { firstRow: 0, rows };
  const src = core.arena.allocate(dtype, shape);
  core.arena.view(src).set(goldenSamples(planeCase));
  const bound = core.planes.encodeBound(dtype, rows, width, components);
  const room = core.arena.allocate('u8', [bound]);
  const byteLength = core.planes.encode(src, band, coding, room);
  const bytes = core.arena.allocate('u8', [byteLength]);
  core.arena.view(bytes).set(core.arena.view(room).subarray(0, byteLength));
  const dst = core.arena.allocate(dtype, shape);
  core.planes.decode(bytes, dst, band);
  const decoded = core.arena.view(dst);
  const samples = new Uint8Array(decoded.buffer, decoded.byteOffset, decoded.byteLength);
  return {
    name,
    band: Buffer.from(core.arena.view(bytes)).toString('base64'),
    sha256: createHash('sha256').update(samples).digest('hex'),
  };
});
writeFileSync(
  new URL('../fixtures/streams/planes.json', import.meta.url),
  `${JSON.stringify(bands, null, 2)}\n`,
);
