// Preloaded with NODE_OPTIONS=--import: notes every module that is resolved, every file that is read and every use of
// WebAssembly, one a line, in the file that RECORD_TO names.
import fs, { appendFileSync } from 'node:fs';
import { createRequire, register, syncBuiltinESMExports } from 'node:module';

const file = process.env.RECORD_TO ?? '';
const note = (/** @type {unknown} */ name) => appendFileSync(file, `${name}\n`);

register(
  `data:text/javascript,${encodeURIComponent(`
    import { appendFileSync } from 'node:fs';
    export async function resolve(specifier, context, next) {
      const result = await next(specifier, context);
      appendFileSync(process.env.RECORD_TO, result.url + '\\n');
      return result;
    }`)}`,
);

for (const [owner, names] of /** @type {const} */ ([
  [fs.promises, ['readFile', 'open']],
  [fs, ['readFile', 'readFileSync', 'open', 'openSync']],
])) {
  for (const name of names) {
    const original = /** @type {any} */ (owner)[name];
    /** @type {any} */ (owner)[name] = (/** @type {unknown[]} */ ...args) => {
      if (args[0] !== file) note(args[0]);
      return original(...args);
    };
  }
}
syncBuiltinESMExports();

for (const name of ['compile', 'instantiate', 'validate']) {
  const original = /** @type {any} */ (WebAssembly)[name];
  /** @type {any} */ (WebAssembly)[name] = (/** @type {unknown[]} */ ...args) => {
    note(`WebAssembly.${name}`);
    return original(...args);
  };
}

process.on('exit', () => {
  for (const path of Object.keys(createRequire(import.meta.url).cache)) note(path);
});
