import { describe, expect, it } from 'vitest';
import { TravelBuffers } from '#src/vae/buffers.js';

describe('a buffer that came back', () => {
  it('is handed out again for the same length, and only for that', () => {
    const buffers = new TravelBuffers();
    const first = buffers.take(1000);
    buffers.give([first]);
    expect(buffers.take(999)).not.toBe(first);
    expect(buffers.take(1000)).toBe(first);
    expect(buffers.take(1000)).not.toBe(first);
  });

  it('is not handed out while another thread has it', () => {
    const buffers = new TravelBuffers();
    const away = buffers.take(64);
    structuredClone(away, { transfer: [away] });
    buffers.give([away]);
    expect(buffers.take(64)).toHaveProperty('byteLength', 64);
  });

  it('is let go when 64 MiB lie idle', () => {
    const buffers = new TravelBuffers();
    const old = buffers.take(2 ** 20);
    buffers.give([old]);
    for (const large of Array.from({ length: 4 }, () => buffers.take(2 ** 24)))
      buffers.give([large]);
    expect(buffers.take(2 ** 20)).not.toBe(old);
  });
});
