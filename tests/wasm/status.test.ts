import { describe, expect, it } from 'vitest';
import { BackendError, FormatError, LimitError, UsageError } from '#src/errors.js';
import { checkStatus } from '#src/wasm/status.js';

describe('checkStatus', () => {
  it('lets 0 through', () => {
    expect(() => checkStatus('rotate', 0)).not.toThrow();
  });

  it.each([
    [-2, LimitError, /^rotate: expected working memory .*--max-memory$/],
    [-3, FormatError, /^rotate: expected a stream that this coder wrote, got a corrupt one/],
    [-5, UsageError, /^rotate: expected values in range, got one outside it$/],
    [-1, BackendError, /^rotate: expected status 0 from the core, got -1$/],
    [-4, BackendError, /^rotate: expected status 0 from the core, got -4$/],
    [-99, BackendError, /^rotate: expected status 0 from the core, got -99$/],
  ])('makes of %i an error of whose fault it is, by the kernel’s name', (status, kind, message) => {
    const check = () => checkStatus('rotate', status);
    expect(check).toThrow(kind);
    expect(check).toThrow(message);
  });
});
