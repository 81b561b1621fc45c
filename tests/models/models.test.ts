import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCodec, PROVIDERS } from 'vaerans';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelIdOf, parseManifest } from '#src/models/manifest.js';
import { rateOfQuality } from '#src/models/quality.js';
import { findModel, findModelById, readModelFile, readModelTables } from '#src/models/registry.js';
import { configSchema } from '#src/models/schemas.js';
import { DEFAULT_TUNE } from '#src/models/tunes.js';

const fixture = join(import.meta.dirname, '../../models/fixture');
let root: string;
let manifestText: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'vaerans-models-'));
  manifestText = await readFile(join(fixture, 'manifest.json'), 'utf8');
});
afterAll(() => rm(root, { recursive: true }));

/** The fixture's manifest with a change, as text. */
function changed(change: (manifest: Record<string, unknown>) => void): string {
  const manifest = JSON.parse(manifestText);
  change(manifest);
  return JSON.stringify(manifest);
}

describe('a manifest', () => {
  it.each([
    ['is refused when it is not JSON', () => '{', /expected JSON/],
    [
      'is refused with an unknown field',
      () => changed((m) => Object.assign(m, { extra: 1 })),
      /extra|nrecognized/,
    ],
    [
      'is refused with a gradient that is of other inputs than 0 to 1',
      () => {
        const gradient = { file: 'g.onnx', sha256: '0'.repeat(64) };
        const bounds = { activationPlanes: 1, leastSidePx: 16 };
        return changed((m) => Object.assign(m, { gradient: { ...gradient, ...bounds } }));
      },
      /gradient: expected one grid without a transform/,
    ],
    ['is refused without a licence', () => changed((m) => delete m.licence), /licence/],
    [
      'is refused when a file name leaves the folder',
      () => changed((m) => Object.assign(m.encoder as object, { file: '../x' })),
      /encoder\.file.*plain file name/,
    ],
    [
      'is refused with a knot of the wrong length',
      () => changed((m) => ((m.rate as { logGain: number[][] }).logGain[0] as number[]).pop()),
      /logGain.*8 values/,
    ],
    [
      'is refused with a knot more in one gain than in the other',
      () =>
        changed((m) => {
          const { logGain } = m.rate as { logGain: number[][] };
          logGain.push([...(logGain[0] as number[])]);
        }),
      /rate.*as many knots in logGain as in logInverseGain/,
    ],
    [
      'is refused when the tile is no multiple of the stride',
      () => changed((m) => Object.assign(m, { tilePx: 66 })),
      /tilePx.*multiple/,
    ],
    [
      'is refused when quality falls',
      () => changed((m) => ((m.quality as number[])[50] = 0)),
      /quality.*never fall/,
    ],
    [
      'is refused with a klt transform and no klt file',
      () => changed((m) => Object.assign(m, { transform: { channel: 'klt' } })),
      /klt/,
    ],
    [
      'is refused with another schema version',
      () => changed((m) => Object.assign(m, { schemaVersion: 2 })),
      /schemaVersion/,
    ],
  ])('%s', (_claim, text, message) => {
    expect(() => parseManifest(text(), 'manifest.json')).toThrow(message);
  });

  it('has an identity of what decoding depends on and nothing else', () => {
    const id = (text: string) => modelIdOf(parseManifest(text, 'm'));
    const original = id(manifestText);
    expect(original).toMatch(/^[0-9a-f]{16}$/);
    for (const same of [
      changed((m) => Object.assign(m, { name: 'other', card: 'x', version: '9', licence: 'MIT' })),
      changed((m) => Object.assign(m.encoder as object, { sha256: '0'.repeat(64) })),
      changed((m) => Object.assign(m, { quality: new Array(100).fill(7) })),
    ]) {
      expect(id(same)).toBe(original);
    }
    for (const different of [
      changed((m) => Object.assign(m.decoder as object, { sha256: '0'.repeat(64) })),
      changed((m) =>
        ((m.rate as { logInverseGain: number[][] }).logInverseGain[1] as number[]).fill(0.5),
      ),
      changed((m) => Object.assign(m, { transform: { channel: 'hadamard4' } })),
      changed((m) => Object.assign(m, { inputRange: [0, 1] })),
    ]) {
      expect(id(different)).not.toBe(original);
    }
  });

  it('gives a rate to whole and broken qualities that never falls', () => {
    const manifest = parseManifest(manifestText, 'm');
    expect([1, 100].map((quality) => rateOfQuality(manifest, quality))).toEqual([0, 4095]);
    let last = -1;
    for (let quality = 1; quality <= 100; quality += 0.125) {
      const rate = rateOfQuality(manifest, quality);
      expect(rate).toBeGreaterThanOrEqual(last);
      last = rate;
    }
  });
});

describe('looking for a model', () => {
  it('takes a folder, then the configuration, then the user’s models, then the embedded ones', async () => {
    const mine = join(root, 'user', 'mine');
    const other = join(root, 'elsewhere');
    await mkdir(mine, { recursive: true });
    await cp(fixture, mine, { recursive: true });
    await cp(fixture, other, { recursive: true });
    await writeFile(
      join(mine, 'manifest.json'),
      changed((m) => Object.assign(m, { name: 'mine' })),
    );
    await writeFile(
      join(other, 'manifest.json'),
      changed((m) => Object.assign(m, { name: 'other' })),
    );
    const configPath = join(root, 'vaerans.toml');
    await writeFile(configPath, 'model = "mine"\n[models.mine]\npath = "elsewhere"\n');
    const modelsFolder = join(root, 'user');
    const name = async (wanted: string | undefined, search: object) =>
      (await findModel(wanted, search)).manifest.name;
    expect(await name(undefined, {})).toBe(DEFAULT_TUNE);
    expect(await name('default', {})).toBe(DEFAULT_TUNE);
    expect(await name('mine', { modelsFolder })).toBe('mine');
    expect(await name('mine', { modelsFolder, configPath })).toBe('other');
    expect(await name(undefined, { modelsFolder, configPath })).toBe('other');
    expect(await name(mine, { configPath })).toBe('mine');
    await expect(findModel('absent', { modelsFolder })).rejects.toThrow(/'absent'.*got none in/);
  });

  it('by identity finds an embedded one and names the one it misses', async () => {
    const { modelId } = await findModel('fixture', {});
    expect((await findModelById(modelId, undefined, {})).manifest.name).toBe('fixture');
    await expect(findModelById('0123456789abcdef', 'lost', {})).rejects.toThrow(
      /'lost' with id 0123456789abcdef/,
    );
  });

  it.each([
    ['TOML that does not parse', 'model = ', /expected TOML/],
    ['an unknown key', 'model = "x"\nmodle = "x"', /line 2: modle/],
    ['TOML that ends too soon', 'threads = 1\nmodel = [1,', /line 2, got/],
    ['a number out of range', '# cores\nthreads = 0', /line 2: threads/],
    ['a provider that is not known', 'provider = "tpu"', /line 1: provider/],
    ['memory that is no number', '\n\nmax_memory = "lots"', /line 3: max_memory: .*"512M"/],
    ['a wrong field of a table', '[compress]\n\nquality = 101', /line 3: compress\.quality/],
    ['a model and a tune', 'model = "x"\n[compress]\ntune = "eye"', /line 3: compress\.tune/],
    ['a tune that is not known', '[compress]\ntune = "ear"', /line 2: compress\.tune/],
    ['a model without a path', 'threads = 2\n[models.a]\npfad = "x"', /line 2: models\.a\.path/],
  ])('says what is wrong with %s', async (_what, text, message) => {
    const configPath = join(root, 'bad.toml');
    await writeFile(configPath, text);
    await expect(findModel(undefined, { configPath })).rejects.toThrow(message);
  });
});

it('a configuration says which model, threads and memory a codec has, and options go before it', async () => {
  const configPath = join(root, 'whole.toml');
  await writeFile(
    configPath,
    'model = "fixture"\nthreads = 3\nmax_memory = "64M"\nprovider = "cpu"',
  );
  await using codec = await openCodec({ configPath });
  expect([codec.threads, codec.limits.maxMemoryBytes]).toEqual([3, 64 * 2 ** 20]);
  expect((await codec.openModel()).model.manifest.name).toBe('fixture');
  await using other = await openCodec({ configPath, threads: 1, limits: { maxMemoryBytes: 1e9 } });
  expect([other.threads, other.limits.maxMemoryBytes]).toEqual([1, 1e9]);
});

it('a configuration knows the providers that there are', () => {
  for (const provider of ['auto', ...PROVIDERS]) {
    expect(configSchema.safeParse({ provider }).success, provider).toBe(true);
  }
});

describe('a model file', () => {
  it('that was changed is refused by its hash', async () => {
    const folder = join(root, 'tampered');
    await cp(fixture, folder, { recursive: true });
    const path = join(folder, 'decoder.onnx');
    const bytes = await readFile(path);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const model = await findModel(folder, {});
    await expect(readModelFile(model, model.manifest.encoder)).resolves.toBeDefined();
    await expect(readModelFile(model, model.manifest.decoder)).rejects.toThrow(/with sha256/);
    await rm(path);
    await expect(readModelFile(model, model.manifest.decoder)).rejects.toThrow(
      /none that can be read/,
    );
  });

  it('of a klt must have the length that the channels ask for', async () => {
    const folder = join(root, 'klt');
    await cp(fixture, folder, { recursive: true });
    await writeFile(join(folder, 'klt.bin'), Buffer.alloc(4 * 8));
    const { createHash } = await import('node:crypto');
    const sha256 = createHash('sha256')
      .update(Buffer.alloc(4 * 8))
      .digest('hex');
    const transform = { channel: 'klt', klt: { file: 'klt.bin', sha256 } };
    await writeFile(
      join(folder, 'manifest.json'),
      changed((m) => Object.assign(m, { transform })),
    );
    await expect(readModelTables(await findModel(folder, {}))).rejects.toThrow(
      /288 bytes for 8 channels, got 32/,
    );
  });
});

it('the fixture model is what its script writes, byte for byte', async () => {
  const again = join(root, 'again');
  const script = join(import.meta.dirname, '../../scripts/make-fixture-model.mjs');
  expect(spawnSync(process.execPath, [script, again]).status).toBe(0);
  for (const file of await readdir(fixture)) {
    expect(await readFile(join(again, file))).toEqual(await readFile(join(fixture, file)));
  }
});

describe('files of a user that go on and on', () => {
  it('are not read to their end', async () => {
    const folder = await mkdtemp(join(root, 'long-'));
    await writeFile(join(folder, 'manifest.json'), manifestText.padEnd(8 * 2 ** 20 + 1));
    await expect(findModel(folder, {})).rejects.toMatchObject({ code: 'limit' });
    const configPath = join(folder, 'vaerans.toml');
    await writeFile(configPath, '#'.padEnd(2 ** 20 + 1));
    await expect(findModel(undefined, { configPath })).rejects.toMatchObject({ code: 'limit' });
    await writeFile(configPath, '#'.padEnd(2 ** 20));
    expect((await findModel(undefined, { configPath })).manifest.name).toBe(DEFAULT_TUNE);
  });
});
