/**
 * How far a restoration filter sees. Apart from the manifest's schema, so that a stage can know it without a schema library.
 * @module
 */

/** Pixels around one that its filter depends on: see crates/vaerans-core/src/restoration.rs. */
export const RESTORATION_REACH_PX = 3;
