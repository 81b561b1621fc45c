/**
 * Writes the bill of materials of what is shipped, CycloneDX 1.5, to out/sbom.cdx.json: npm packages from the lock file,
 * crates that make the WASM modules from cargo. Not by `npm sbom --omit dev`: that of npm 11.19 leaves out what a
 * development tool needs as well (commander and zod, here). The same bytes for the same lock files; needs no network.
 * @module
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nativeRust } from './setup/rust.mjs';
import { ROOT, run } from './setup/shell.mjs';

const OUTPUT = 'out/sbom.cdx.json';
/** Crates whose code is in `build/wasm`. */
const SHIPPED_CRATES = ['vaerans-fit', 'vaerans-metrics', 'vaerans-wasm'];

/**
 * @typedef {object} Component
 * @property {'library'} type
 * @property {string} name
 * @property {string} version
 * @property {string} purl
 * @property {string} bom-ref
 * @property {{ expression: string }[]} licenses
 * @property {{ alg: string, content: string }[]} hashes
 */

/**
 * @param {string} purl
 * @param {{ name: string, version: string, licence: string, hash: { alg: string, content: string } | undefined }} of
 * @returns {Component}
 */
function component(purl, { name, version, licence, hash }) {
  return {
    type: 'library',
    name,
    version,
    purl,
    'bom-ref': purl,
    licenses: [{ expression: licence }],
    hashes: hash === undefined ? [] : [hash],
  };
}

/** What `npm install vaerans` brings, at the versions of the lock file; sharp is the user's own choice. */
function npmComponents() {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
    .map(([path, { version, license, integrity }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      const [, base64] = /^sha512-(\S+)$/.exec(integrity) ?? [];
      if (base64 === undefined) throw new Error(`sbom: expected a SHA-512 of ${path}`);
      const content = Buffer.from(base64, 'base64').toString('hex');
      const hash = { alg: 'SHA-512', content };
      const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
      return component(purl, { name, version, licence: license, hash });
    });
}

/** Crates that are compiled into the WASM modules, or write code for them while they are (macros). */
function crateComponents() {
  const args = ['metadata', '--format-version=1', '--locked'];
  const platform = '--filter-platform=wasm32-unknown-unknown';
  const { packages, resolve } = JSON.parse(run('cargo', [...args, platform], nativeRust()));
  const nodes = new Map(resolve.nodes.map((/** @type {any} */ node) => [node.id, node]));
  /** @type {Set<string>} */
  const reached = new Set();
  const visit = (/** @type {string} */ id) => {
    if (reached.has(id)) return;
    reached.add(id);
    for (const { pkg, dep_kinds } of nodes.get(id).deps) {
      if (dep_kinds.some((/** @type {any} */ { kind }) => kind !== 'dev')) visit(pkg);
    }
  };
  for (const { id, name } of packages) if (SHIPPED_CRATES.includes(name)) visit(id);
  const checksums = checksumsOf(readFileSync(join(ROOT, 'Cargo.lock'), 'utf8'));
  return packages
    .filter((/** @type {any} */ { id }) => reached.has(id))
    .map((/** @type {any} */ { name, version, license }) => {
      const content = checksums.get(`${name} ${version}`);
      const hash = content === undefined ? undefined : { alg: 'SHA-256', content };
      const licence = license.replaceAll('/', ' OR ');
      return component(`pkg:cargo/${name}@${version}`, { name, version, licence, hash });
    });
}

/**
 * @param {string} lock
 * @returns {Map<string, string>} by `name version`; crates of the workspace have none
 */
function checksumsOf(lock) {
  const entry =
    /name = "([^"]+)"\nversion = "([^"]+)"\nsource = [^\n]+\nchecksum = "([0-9a-f]{64})"/g;
  return new Map(
    [...lock.matchAll(entry)].map(([, name, version, checksum = '']) => [
      `${name} ${version}`,
      checksum,
    ]),
  );
}

/** The bill of materials. */
export function billOfMaterials() {
  const { name, version, license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const own = component(`pkg:npm/${name}@${version}`, {
    name,
    version,
    licence: license,
    hash: undefined,
  });
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: own },
    components: [...npmComponents(), ...crateComponents()].sort((a, b) =>
      a.purl < b.purl ? -1 : 1,
    ),
  };
}

/** @returns a line on what was written */
export function writeBillOfMaterials() {
  const bill = billOfMaterials();
  mkdirSync(join(ROOT, 'out'), { recursive: true });
  writeFileSync(join(ROOT, OUTPUT), `${JSON.stringify(bill, null, 2)}\n`);
  const count = (/** @type {string} */ kind) =>
    bill.components.filter(({ purl }) => purl.startsWith(`pkg:${kind}/`)).length;
  return `${OUTPUT}: ${count('npm')} npm packages, ${count('cargo')} crates`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(writeBillOfMaterials());
