import {
  type Codec,
  entropyEncode,
  measureMse,
  quantise,
  rotate,
  Trace,
  type TraceRecord,
  vaeDecode,
  vaeEncode,
  waveletForward,
} from 'vaerans';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFixtureCodec, picture } from './fixture.js';

let codec: Codec;
beforeAll(async () => {
  codec = await openFixtureCodec();
});
afterAll(() => codec.close());

/** Two pictures of 16x12 through all forward stages. */
async function compressTraced(trace: Trace) {
  const world = await codec.world({ arenaByteLength: 1 << 20, trace });
  const [bitstream] = await world
    .pipe(world.spawnBatch([picture(16, 12), picture(16, 12, 2)]))
    .to(vaeEncode())
    .to(rotate())
    .to(waveletForward())
    .to(quantise({ quality: 90 }))
    .to(entropyEncode({ coder: 'static' }))
    .out('Bitstream');
  return bitstream;
}

const record: TraceRecord = {
  stage: 'vaeEncode',
  startMs: 1.5,
  wallMs: 12.3456,
  cpuMs: 20,
  entities: 1,
  inputs: [{ component: 'Rgb', dtype: 'u8', shape: [12, 16, 3], byteLength: 576 }],
  outputs: [{ component: 'Latent', dtype: 'f32', shape: [8, 3, 4], byteLength: 384 }],
  details: { inferenceMs: 10.2, tiles: 1 },
};

describe('a trace', () => {
  it('has one record a stage, with shapes, types and bytes of what went in and out', async () => {
    const trace = new Trace();
    await compressTraced(trace);
    expect(trace.records.map(({ stage }) => stage)).toEqual([
      'vaeEncode',
      'rotate',
      'waveletForward',
      'quantise',
      'entropyEncode',
    ]);
    const [encode, , , quantised] = trace.records;
    expect(encode).toMatchObject({
      entities: 2,
      inputs: [{ component: 'Rgb', dtype: 'u8', shape: [12, 16, 3], byteLength: 576 }],
      outputs: [{ component: 'Latent', dtype: 'f32', shape: [8, 3, 4], byteLength: 384 }],
      details: { tiles: 2 },
    });
    expect(encode?.details.inferenceMs).toBeGreaterThan(0);
    expect(encode?.wallMs).toBeGreaterThanOrEqual(encode?.details.inferenceMs ?? Number.NaN);
    expect(quantised).toMatchObject({ outputs: [{ component: 'Symbols', dtype: 'i16' }] });
    expect(quantised?.details).toEqual({});
    const starts = trace.records.map(({ startMs }) => startMs);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(trace.wallMs('rotate', 'quantise')).toBeLessThan(trace.wallMs());
    expect(trace.detail('tiles')).toBe(2);
  });

  it('asks the clock that it was given, and none where none was', async () => {
    let cpuMs = 0;
    const clocked = new Trace({ cpuClockMs: () => ++cpuMs });
    await compressTraced(clocked);
    expect(clocked.records.map((each) => each.cpuMs)).toEqual([1, 1, 1, 1, 1]);
    const bare = new Trace();
    await compressTraced(bare);
    expect(bare.records.map((each) => each.cpuMs)).toEqual(Array(5).fill(undefined));
  });

  it('estimates the entropy of symbols where asked, close to what the coder then takes', async () => {
    const trace = new Trace({ entropy: true });
    const world = await codec.world({ arenaByteLength: 8 << 20, trace });
    const bitstream = await world
      .pipe(world.spawnImage(picture(160, 120)))
      .to(vaeEncode())
      .to(rotate())
      .to(waveletForward())
      .to(quantise({ quality: 90 }))
      .to(entropyEncode({ coder: 'static' }))
      .out('Bitstream');
    const coded = bitstream.slices.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
    const estimated = trace.detail('order0EntropyBytes');
    expect(estimated).toBeGreaterThan(100);
    expect(Math.abs(coded / estimated - 1)).toBeLessThan(0.5);
  });

  it('records a measure, which makes nothing', async () => {
    const trace = new Trace();
    const world = await codec.world({ arenaByteLength: 1 << 20, trace });
    const image = world.spawnImage(picture(8, 8));
    await world.pipe(image).to(vaeEncode()).to(vaeDecode()).to(measureMse()).out('Rgb');
    expect(trace.records.at(-1)).toMatchObject({ stage: 'measureMse', outputs: [] });
    expect(trace.records.at(-1)?.inputs).toHaveLength(2);
  });

  it('as a table has a line a record, with columns aligned', () => {
    const trace = new Trace();
    trace.records.push(record, { ...record, stage: 'rotate', cpuMs: undefined, details: {} });
    expect(trace.toTable().split('\n')).toEqual([
      'stage      wall ms  cpu ms  in               out',
      'vaeEncode  12.35    20.00   Rgb:u8[12x16x3]  Latent:f32[8x3x4]  inferenceMs=10.2 tiles=1',
      'rotate     12.35    -       Rgb:u8[12x16x3]  Latent:f32[8x3x4]',
    ]);
  });

  it('as Chrome trace JSON has a complete event a record, in microseconds', () => {
    const trace = new Trace();
    trace.records.push(record);
    const file = JSON.parse(JSON.stringify({ traceEvents: trace.toChromeEvents() }));
    expect(file).toEqual({
      traceEvents: [
        {
          name: 'vaeEncode',
          ph: 'X',
          pid: 1,
          tid: 1,
          ts: 1500,
          dur: 12346,
          args: {
            cpuMs: 20,
            entities: 1,
            inputs: record.inputs,
            outputs: record.outputs,
            inferenceMs: 10.2,
            tiles: 1,
          },
        },
      ],
    });
  });

  it('of nothing is a heading', () => {
    expect(new Trace().toTable()).toMatch(/^stage +wall ms +cpu ms +in +out$/);
    expect(new Trace().toChromeEvents()).toEqual([]);
  });
});
