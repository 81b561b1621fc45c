import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Core } from '#src/wasm/core.js';
import { loadCoreModule } from '#src/wasm/load.js';
import { goldenSamples, PLANE_CASES } from '../../fixtures/plane-cases.js';

interface GoldenBand {
  readonly name: string;
  /** Base64. */
  readonly band: string;
  /** Of the decoded samples' bytes. */
  readonly sha256: string;
}

const goldens = JSON.parse(
  readFileSync(new URL('../../fixtures/streams/planes.json', import.meta.url), 'utf8'),
) as GoldenBand[];

describe.each(['simd', 'scalar'] as const)('in the %s build', (build) => {
  it.each(PLANE_CASES)(
    'the committed band "$name" decodes to what it did, and is written again',
    async (planeCase) => {
      const { name, dtype, shape, coding } = planeCase;
      const golden = goldens.find((one) => one.name === name);
      const bytes = Buffer.from(golden?.band ?? '', 'base64');
      const core = new Core((await loadCoreModule(build)) as never, 4 << 20);
      const { arena } = core;
      const [rows, width, components] = shape;
      const band = { firstRow: 0, rows };

      const src = arena.allocate('u8', [bytes.length]);
      arena.view(src).set(bytes);
      const dst = arena.allocate(dtype, shape);
      core.planes.decode(src, dst, band);
      const { buffer, byteOffset, byteLength } = arena.view(dst);
      const samples = new Uint8Array(buffer, byteOffset, byteLength);
      expect(createHash('sha256').update(samples).digest('hex')).toBe(golden?.sha256);

      const original = goldenSamples(planeCase);
      if ('maxError' in coding && coding.maxError === 0) {
        expect([...arena.view(dst)]).toEqual(original);
      }
      arena.view(dst).set(original);
      const room = arena.allocate('u8', [core.planes.encodeBound(dtype, rows, width, components)]);
      const written = core.planes.encode(dst, band, coding, room);
      expect(Buffer.from(arena.view(room).subarray(0, written))).toEqual(bytes);
    },
  );
});
