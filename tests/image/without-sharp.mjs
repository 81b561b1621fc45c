/** Makes the optional package sharp absent for a process that is started with `--import` of this file. */
import { register } from 'node:module';

const hook = `
export async function resolve(specifier, context, next) {
  if (specifier !== 'sharp') return next(specifier, context);
  throw Object.assign(new Error("Cannot find package 'sharp'"), { code: 'ERR_MODULE_NOT_FOUND' });
}`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
