/**
 * Every failure that vaerans reports on purpose. The class says who is at fault, `code` says what happened,
 * the message has the form `<stage>: expected <what, unit>, got <what>`.
 * @module
 */

/** What went wrong; stable, so that callers may branch on it. */
export type ErrorCode =
  | 'usage'
  | 'format'
  | 'unsupported'
  | 'limit'
  | 'model'
  | 'provider'
  | 'backend'
  | 'io'
  | 'aborted';

/** Base of all errors that vaerans raises on purpose. */
export class VaeransError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The caller asked for something that cannot be: a wrong argument, option or combination. */
export class UsageError extends VaeransError {
  constructor(message: string, options?: ErrorOptions) {
    super('usage', message, options);
  }
}

/** The bytes are not what they claim to be. `byteOffset` is where that showed, counted from the start of the input. */
export class FormatError extends VaeransError {
  readonly byteOffset: number;

  constructor(message: string, byteOffset: number, options?: ErrorOptions) {
    super('format', `${message} (at byte ${byteOffset})`, options);
    this.byteOffset = byteOffset;
  }
}

/** A sound file of a kind that vaerans does not handle. The message names the kind and says what to do. */
export class UnsupportedError extends VaeransError {
  constructor(message: string, options?: ErrorOptions) {
    super('unsupported', message, options);
  }
}

/** A limit that protects this machine was passed. The message names the flag that raises it, where there is one. */
export class LimitError extends VaeransError {
  constructor(message: string, options?: ErrorOptions) {
    super('limit', message, options);
  }
}

/** A model is missing, damaged, or not the one that a file was made with. */
export class ModelError extends VaeransError {
  constructor(message: string, options?: ErrorOptions) {
    super('model', message, options);
  }
}

/** An execution provider that was asked for by name cannot run here. */
export class ProviderError extends VaeransError {
  constructor(message: string, options?: ErrorOptions) {
    super('provider', message, options);
  }
}

/** The model runtime or the WASM core failed on work that should have been possible. */
export class BackendError extends VaeransError {
  constructor(message: string, options?: ErrorOptions) {
    super('backend', message, options);
  }
}

/** A file could not be read or written. `cause` keeps the system's own error. */
export class IoError extends VaeransError {
  constructor(message: string, options?: ErrorOptions) {
    super('io', message, options);
  }
}

/** Work ended early because its `AbortSignal` fired. */
export class AbortedError extends VaeransError {
  constructor(message = 'aborted: the work was cancelled by its signal') {
    super('aborted', message);
  }
}
