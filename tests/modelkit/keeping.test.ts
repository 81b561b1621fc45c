import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FormatError, LimitError, ModelError, UnsupportedError } from 'vaerans';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkModel } from '#src/modelkit/check.js';
import { importModel } from '#src/modelkit/import.js';
import { DataType } from '#src/modelkit/onnx/model.js';
import { MessageWriter } from '#src/modelkit/onnx/protobuf.js';
import { exportModel, unpackModel } from '#src/modelkit/package.js';
import { pullModel } from '#src/modelkit/pull.js';
import { describeModel, listModels, removeModel } from '#src/modelkit/store.js';

const FIXTURE = join(import.meta.dirname, '../../models/fixture');
let modelsFolder: string;
let root: string;
let packed: Buffer;
let sha256: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'vaerans-keeping-'));
  modelsFolder = join(root, 'models');
  const exported = await exportModel('fixture', {});
  packed = Buffer.from(exported.bytes);
  sha256 = exported.sha256;
});
afterAll(() => rm(root, { recursive: true }));

describe('a package', () => {
  it('holds a whole model, and is the same for the same model', async () => {
    expect((await exportModel('fixture', {})).sha256).toBe(sha256);
    const file = join(root, 'fixture.tar');
    await writeFile(file, packed);
    const { modelId } = await importModel([file], { name: 'copied', modelsFolder });
    expect(modelId).toBe((await describeModel('fixture', {})).modelId);
  });

  /** The package with its first header changed and its sum made right again. */
  function changed(change: (header: Buffer) => void, at = 0): Buffer {
    const bytes = Buffer.from(packed);
    const header = bytes.subarray(at, at + 512);
    change(header);
    const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    return bytes;
  }
  const named = (name: string) => changed((header) => header.fill(0, 0, 100).write(name, 0));

  it.each([
    ['a path that climbs', () => named('../../.bashrc')],
    ['an absolute path', () => named('/etc/passwd')],
    ['a path into a folder', () => named('sub/manifest.json')],
    ['a name that Windows takes for a drive', () => named('C:x')],
    ['a link', () => changed((header) => header.write('2', 156))],
    ['a folder', () => changed((header) => header.write('5', 156))],
    ['a name before the name', () => changed((header) => header.write('../..', 345))],
    ['a size beyond the file', () => changed((header) => header.write('77777777777', 124))],
    ['a wrong sum', () => Buffer.from(packed).fill(1, 10, 11)],
    ['no end', () => packed.subarray(0, packed.length - 1024)],
    ['bytes after the end', () => Buffer.concat([packed, Buffer.of(1)])],
    ['nothing in it', () => Buffer.alloc(1024)],
  ])('with %s is refused', (_, bytes) => {
    expect(() => unpackModel(bytes())).toThrow(FormatError);
  });

  it('with a file of 2 GiB, which could not be read once installed, is refused', () => {
    const bytes = Buffer.alloc(2 ** 31 + 2048);
    changed((header) => header.write('20000000000', 124)).copy(bytes, 0, 0, 512);
    expect(() => unpackModel(bytes)).toThrow(LimitError);
  });

  it('with a file that is not the one its manifest names is refused', () => {
    const at = packed.indexOf('encoder.onnx\0') + 512 + 100;
    expect(() => unpackModel(Buffer.from(packed).fill(0xaa, at, at + 1))).toThrow(ModelError);
  });
});

describe('pulling', () => {
  let server: Server;
  let address: string;
  let asked: (string | undefined)[];
  let behaviour: 'whole' | 'breaks' | 'no ranges' = 'whole';
  beforeAll(async () => {
    asked = [];
    server = createServer((request, response) => {
      asked.push(request.headers.range);
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const isPart = from > 0 && behaviour !== 'no ranges';
      const body = isPart ? packed.subarray(from) : packed;
      response.writeHead(isPart ? 206 : 200, { 'content-length': body.length });
      if (behaviour === 'breaks') {
        response.write(body.subarray(0, 1000), () => setTimeout(() => response.destroy(), 1500));
      } else response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.tar`;
  });
  afterAll(() => server.close());

  it('goes on where a broken connection ended, tells how far it is, and installs', async () => {
    behaviour = 'breaks';
    const options = { modelsFolder, sha256, as: 'pulled' };
    await expect(pullModel(address, options)).rejects.toThrow(/goes on from here/);
    behaviour = 'whole';
    const told: (readonly [number, number | undefined])[] = [];
    const report = await pullModel(address, {
      ...options,
      onProgress: (done, total) => told.push([done, total]),
    });
    expect(report.resumedFrom).toBe(1000);
    expect(asked).toEqual([undefined, 'bytes=1000-']);
    expect(told.at(-1)).toEqual([packed.length, packed.length]);
    expect((await checkModel('pulled', { modelsFolder, threads: 1 })).holds).toBe(true);
  });

  it('begins again where the server knows no ranges', async () => {
    behaviour = 'breaks';
    const options = { modelsFolder, sha256, as: 'again' };
    await expect(pullModel(address, options)).rejects.toThrow(/goes on from here/);
    behaviour = 'no ranges';
    expect((await pullModel(address, options)).resumedFrom).toBe(0);
  });

  it('keeps nothing of what has another hash, and refuses other schemes', async () => {
    behaviour = 'whole';
    const wrong = { modelsFolder, sha256: '0'.repeat(64), as: 'wrong' };
    await expect(pullModel(address, wrong)).rejects.toThrow(/nothing was kept/);
    const names = (await listModels({ modelsFolder })).map(({ name }) => name);
    expect(names).not.toContain('wrong');
    await expect(pullModel('file:///etc/passwd', wrong)).rejects.toThrow(/http or https/);
    await expect(pullModel(address, { ...wrong, sha256: 'abc' })).rejects.toThrow(/64 hexadecimal/);
  });
});

describe('checking', () => {
  it('finds a damaged file, and a margin that is less than the layers see', async () => {
    const broken = join(modelsFolder, 'broken');
    await cp(FIXTURE, broken, { recursive: true });
    await writeFile(join(broken, 'encoder.onnx'), 'x');
    const damaged = await checkModel('broken', { modelsFolder });
    expect(damaged).toMatchObject({ holds: false, checks: [{ name: 'files', holds: false }] });
    const narrow = join(modelsFolder, 'narrow');
    await cp(FIXTURE, narrow, { recursive: true });
    const path = join(narrow, 'manifest.json');
    const manifest = JSON.parse(await readFile(path, 'utf8'));
    manifest.decoder.marginPx = 0;
    await writeFile(path, JSON.stringify(manifest));
    const report = await checkModel('narrow', { modelsFolder, threads: 1 });
    const failed = report.checks.filter(({ holds }) => !holds).map(({ name }) => name);
    expect(failed).toContain('decoder reach');
  });

  it('finds a model equal to itself, and tells by how much another one differs', async () => {
    const { comparison } = await checkModel('fixture', { against: 'default', threads: 1 });
    expect(comparison).toMatchObject({ latentRmse: Number.POSITIVE_INFINITY });
    const same = await checkModel('fixture', { against: 'fixture', threads: 1 });
    expect(same.comparison).toMatchObject({ latentLargestError: 0, psnrDifferenceDb: 0 });
    expect(same.comparison?.latentCosine).toBeCloseTo(1, 9);
  });
});

describe('two ONNX graphs from elsewhere', () => {
  it('become a model with the margin that they are measured to need', async () => {
    const files = ['decoder', 'encoder'].map((part) => join(FIXTURE, `${part}.onnx`));
    const options = { name: 'foreign', modelsFolder, inputRange: [0, 255] as const };
    const report = await importModel(files, options);
    expect(report).toMatchObject({ latentChannels: 8, stridePx: 4, blended: false });
    expect((await checkModel('foreign', { modelsFolder, threads: 1 })).holds).toBe(true);
  });

  it('may keep weights beside them, but nowhere else', async () => {
    const folder = join(root, 'external');
    await mkdir(folder);
    await writeFile(join(root, 'secret.bin'), Buffer.alloc(64));
    await symlink(join(root, 'secret.bin'), join(folder, 'link.bin'));
    for (const location of ['../secret.bin', join(root, 'secret.bin'), 'link.bin', '', '.']) {
      const entry = new MessageWriter().text(1, 'location').text(2, location);
      const tensor = new MessageWriter().integer(1, 4).integer(2, DataType.float).text(8, 'w');
      const graph = new MessageWriter().message(5, tensor.message(13, entry).integer(14, 1));
      const opset = new MessageWriter().integer(2, 17);
      const file = new MessageWriter().integer(1, 8).message(7, graph).message(8, opset);
      const path = join(folder, 'graph.onnx');
      await writeFile(path, Buffer.concat(file.parts));
      const attempt = importModel([path, path], { name: 'outside', modelsFolder });
      await expect(attempt, location).rejects.toThrow(UnsupportedError);
    }
  });
});

it('a removed model is gone with its versions', async () => {
  expect(await removeModel('copied', undefined, { modelsFolder })).toHaveLength(1);
  await expect(removeModel('copied', undefined, { modelsFolder })).rejects.toThrow(ModelError);
  await expect(removeModel('default', undefined, { modelsFolder })).rejects.toThrow(/ships with/);
});
