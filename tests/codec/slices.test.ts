import { openCodec, Trace } from 'vaerans';
import { describe, expect, it } from 'vitest';
import type { PlainPixels } from '#src/image/pixels.js';

/** Three bands of noise, which take so many bytes that threads are worth their start. */
const [widthPx, heightPx] = [640, 2200];
const noise: PlainPixels = {
  widthPx,
  heightPx,
  channels: 3,
  data: Uint8Array.from(
    { length: 3 * widthPx * heightPx },
    (_, at) => Math.imul(at, 0x9e3779b1) >>> 24,
  ),
};

/** Spans in which slices were decoded, by their start. */
function spansOf(trace: Trace) {
  return trace.records
    .filter(({ stage }) => stage === 'entropyDecode')
    .map(({ startMs, wallMs }) => ({ startMs, endMs: startMs + wallMs }))
    .sort((a, b) => a.startMs - b.startMs);
}

describe('slices', () => {
  it('are decoded side by side where there are threads for it, to the same picture', async () => {
    await using alone = await openCodec({ threads: 1 });
    await using several = await openCodec({ threads: 2 });
    await using narrow = await openCodec({ threads: 2, limits: { maxMemoryBytes: 190 * 2 ** 20 } });
    const file = await alone.compress(noise, { quality: 85 });
    expect(file.length).toBeGreaterThan(2 ** 19);
    const decoded = [];
    const overlaps = [];
    for (const codec of [alone, several, narrow]) {
      const trace = new Trace();
      decoded.push(Buffer.from((await codec.decompress(file, { trace })).data.buffer));
      const spans = spansOf(trace);
      expect(spans).toHaveLength(3);
      overlaps.push(spans.some(({ startMs }, at) => startMs < (spans[at - 1]?.endMs ?? 0)));
    }
    // `toEqual` takes seconds for a picture.
    const [first = Buffer.alloc(0), ...others] = decoded;
    for (const other of others) expect(first.equals(other)).toBe(true);
    expect(overlaps).toEqual([false, true, false]);
  });
});
