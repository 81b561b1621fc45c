/**
 * Switches off onnxruntime's telemetry: from 1.30 on, unless told otherwise before it is loaded, the package writes a
 * device id below the user's home and uploads events about sessions and models (microsoft/onnxruntime#27379). A codec
 * has no business to. Whoever wants it sets `ORT_DISABLE_TELEMETRY` to 0.
 * @module
 */
// biome-ignore lint/style/noRestrictedImports: a switch that native code offers in the environment only
import { env } from 'node:process';

// Read by native code: it takes effect because workers share the process's environment.
env.ORT_DISABLE_TELEMETRY ??= '1';
