import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { openCodec } from '#src/codec/open.js';
import { compress, decompress, type Pixels } from '#src/index.js';

const ROOT = new URL('../../', import.meta.url);

const PICTURE: Pixels = {
  widthPx: 37,
  heightPx: 21,
  channels: 3,
  data: Uint8Array.from({ length: 37 * 21 * 3 }, (_, i) => 90 + 60 * Math.sin(i / 40)),
};

describe('compress and decompress without a codec of one’s own', () => {
  it('are those of a codec with the default model', async () => {
    const bytes = await compress(PICTURE, { quality: 70 });
    const codec = await openCodec();
    try {
      expect(bytes).toEqual(await codec.compress(PICTURE, { quality: 70 }));
      expect(await decompress(bytes)).toEqual(await codec.decompress(bytes));
    } finally {
      await codec.close();
    }
  });

  it('refuse what such a codec refuses, and work after that', async () => {
    await expect(compress(PICTURE, { quality: 0 })).rejects.toMatchObject({ code: 'usage' });
    await expect(decompress(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({ code: 'format' });
    const { widthPx, heightPx } = await decompress(await compress(PICTURE));
    expect([widthPx, heightPx]).toEqual([37, 21]);
  });

  it('forget that they could not be opened', () => {
    const program = `
      import fs from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      import { compress } from 'vaerans';
      const picture = { widthPx: 2, heightPx: 2, channels: 3, data: new Uint8Array(12) };
      const { stat } = fs.promises;
      for (const call of [() => Promise.reject(new Error('too many open files')), stat]) {
        fs.promises.stat = call;
        syncBuiltinESMExports();
        console.log(await compress(picture).then(() => 'coded', ({ code }) => code));
      }`;
    const args = ['--input-type=module', '--eval', program];
    const printed = execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
    expect(printed).toBe('model\ncoded\n');
  });

  it('do not keep a program from ending', () => {
    const program = `
      import { compress, decompress } from 'vaerans';
      const data = new Uint8Array(12).fill(99);
      const back = await decompress(await compress({ widthPx: 2, heightPx: 2, channels: 3, data }));
      console.log(back.widthPx);`;
    const args = ['--input-type=module', '--eval', program];
    const printed = execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
    expect(printed).toBe('2\n');
  });
});
