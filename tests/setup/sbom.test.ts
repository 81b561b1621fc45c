import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { billOfMaterials } from '../../scripts/sbom.mjs';

const ROOT = join(import.meta.dirname, '../..');

it('the bill of materials has every dependency at its exact version, with a hash, and none for development', () => {
  const bill = billOfMaterials();
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  );
  const purls = bill.components.map(({ purl }) => purl);
  for (const [name, version] of Object.entries(dependencies)) {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(purls).toContain(`pkg:npm/${name}@${version}`);
  }
  const names = bill.components.map(({ name }) => name);
  for (const name of Object.keys(devDependencies)) expect(names).not.toContain(name);
  expect(names).toContain('wasm-bindgen');
  expect(names).not.toContain('proptest');
  const unhashed = bill.components.filter(({ hashes }) => hashes.length === 0);
  expect(unhashed.map(({ name }) => name)).toEqual([
    'vaerans-core',
    'vaerans-fit',
    'vaerans-metrics',
    'vaerans-wasm',
  ]);
});
