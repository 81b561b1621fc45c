/**
 * What starting costs: `vaerans --version` against `node -e 0`, in turn, least of many, as a ratio. At most 3 is wanted
 * on a machine that has nothing else to do.
 *
 *   node benches/start.mjs [rounds]      20 where none is named
 * @module
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../bin/vaerans.js', import.meta.url));
const rounds = Number(process.argv[2] ?? 20);

const wallMs = (/** @type {string[]} */ args) => {
  const startMs = performance.now();
  spawnSync(process.execPath, args);
  return performance.now() - startMs;
};

// The least of several is what it costs when nothing else runs.
let nodeMs = Number.POSITIVE_INFINITY;
let versionMs = Number.POSITIVE_INFINITY;
for (let round = 0; round < rounds; round++) {
  nodeMs = Math.min(nodeMs, wallMs(['-e', '0']));
  versionMs = Math.min(versionMs, wallMs([BIN, '--version']));
}
console.log(
  `node -e 0: ${nodeMs.toFixed(0)} ms, vaerans --version: ${versionMs.toFixed(0)} ms, ratio ${(versionMs / nodeMs).toFixed(2)}`,
);
