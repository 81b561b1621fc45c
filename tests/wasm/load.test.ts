import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { loadCoreModule, supportedBuild } from '#src/wasm/load.js';

/** A copy of the program without its WASM builds, as in a checkout where set-up never ran. */
const folder = mkdtempSync(join(tmpdir(), 'vaerans-load-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('a core that was never built is missed by its path, with what to do', async () => {
  const dist = join(import.meta.dirname, '../../dist');
  for (const file of ['errors.js', 'wasm/load.js']) {
    cpSync(join(dist, file), join(folder, 'dist', file));
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const copy = await import(pathToFileURL(join(folder, 'dist/wasm/load.js')).href);
  for (const build of ['simd', 'scalar']) {
    await expect(copy.loadCoreModule(build)).rejects.toMatchObject({
      code: 'backend',
      message: expect.stringMatching(
        `^core: expected the ${build} WASM build at .*vaerans_${build}\\.wasm, .*\`npm run setup\`$`,
      ),
    });
  }
});

it('a core is compiled once, and the supported one where none is named', async () => {
  expect(await loadCoreModule()).toBe(await loadCoreModule(supportedBuild()));
});
