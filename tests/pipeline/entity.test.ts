import { BackendError } from 'vaerans';
import { expect, it } from 'vitest';
import { Entity } from '#src/pipeline/entity.js';
import type { TensorRef } from '#src/wasm/arena.js';

const pixels: TensorRef<'u8'> = {
  byteOffset: 0,
  shape: [2, 3, 3],
  dtype: 'u8',
  strides: [9, 3, 1],
  arenaId: 0,
  level: 0,
  generation: 0,
};

it('gives back what was added, and replaces it', () => {
  const entity = new Entity(1).add('Rgb', { pixels });
  expect(entity.get('Rgb')).toEqual({ pixels });
  const other = { pixels: { ...pixels, byteOffset: 64 } };
  expect(entity.add('Rgb', other).get('Rgb')).toBe(other);
  expect(entity.names).toEqual(['Rgb']);
});

it('has all of the names that are asked for, or not', () => {
  const entity = new Entity(1).add('Rgb', { pixels }).add('BlurRgb', { pixels });
  expect(entity.has()).toBe(true);
  expect(entity.has('Rgb')).toBe(true);
  expect(entity.has('Rgb', 'BlurRgb')).toBe(true);
  expect(entity.has('Rgb', 'Latent')).toBe(false);
  expect(entity.pick('BlurRgb')).toEqual({ BlurRgb: { pixels } });
});

it('no longer has what was removed, and tells what it has instead', () => {
  const entity = new Entity(7).add('Rgb', { pixels }).add('BlurRgb', { pixels });
  const without = entity.remove('Rgb');
  expect(without.has('Rgb')).toBe(false);
  expect(() => entity.get('Rgb')).toThrow(BackendError);
  expect(() => entity.get('Rgb')).toThrow('entity 7: expected a Rgb, got BlurRgb');
  expect(() => entity.remove('BlurRgb').get('Rgb' as never)).toThrow(/got none/);
});

it('keeps metadata of its own', () => {
  const [one, two] = [new Entity(1), new Entity(2)];
  one.metadata.set('name', 'kodim01').set('psnrDb', 31.5);
  expect([...one.metadata]).toEqual([
    ['name', 'kodim01'],
    ['psnrDb', 31.5],
  ]);
  expect(two.metadata.size).toBe(0);
});
