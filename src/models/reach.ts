/**
 * How far a restoration filter sees, and how large a tile is searched. Apart from the manifest's schema, so that a stage can
 * know it without a schema library.
 * @module
 */

/** Pixels around one that its filter depends on: see crates/vaerans-core/src/restoration.rs. */
export const RESTORATION_REACH_PX = 3;

/** Sides of tiles in which pictures are searched that are too large for one: a gradient takes much memory. */
export const SEARCHED_TILE_PX = 512;
