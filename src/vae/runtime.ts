/**
 * The one import of onnxruntime; the worker, `doctor` and the metrics of a user load this file.
 * @module
 */
// First, as the runtime looks at its environment when it is loaded.
import './no-telemetry.js';
import * as ort from 'onnxruntime-node';

// Provider failures are reported by us; the runtime would print coloured lines straight to file descriptor 2.
ort.env.logLevel = 'fatal';

export { ort };
