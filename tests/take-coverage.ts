/**
 * Loaded before each test file by `npm run coverage`. Vitest ends its processes in a way that loses what they have
 * counted, so it is written down as soon as a file's tests are done.
 */
import { takeCoverage } from 'node:v8';
import { afterAll } from 'vitest';

afterAll(() => takeCoverage());
