import { expect, it } from 'vitest';
import type { Session } from '#src/cli/session.js';
import { testOne } from '#src/cli/test.js';
import { FormatError } from '#src/errors.js';
import { PICTURE_PNG, Place } from './command.js';

it('takes the bar away of a file that fails, before its failure is told', async () => {
  const place = new Place();
  const path = place.path(place.write('late.vae', PICTURE_PNG));
  const stopped: string[] = [];
  // Only a forged checksum lets a file fail after its first tiles, and what is made of one is left to chance.
  const session = {
    codec: { decompressTo: () => Promise.reject(new FormatError('late', 0)) },
    limits: {},
    callFor: () => ({}),
    stopProgress: (input: string) => stopped.push(input),
  } as unknown as Session;
  await expect(testOne(path, session)).rejects.toThrow('late');
  expect(stopped).toEqual([path]);
  place.remove();
});
