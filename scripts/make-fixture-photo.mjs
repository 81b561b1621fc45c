/**
 * Writes fixtures/photo.png: a ray-traced scene that stands in for a photograph, as no photograph of others is shipped
 * with this project. Plain arithmetic and a hash for chance, so that it always comes out the same. Takes a minute or two.
 * @module
 */
import { join } from 'node:path';
import { writeImage } from '../dist/index.js';

/** @typedef {{ x: number, y: number, z: number }} Vec Also a colour: linear red, green, blue. */
/** @typedef {{ colour: Vec, gloss: number, bump: number }} Surface */
/** @typedef {{ centre: Vec, radius: number, shade: (p: Vec) => Surface }} Ball */
/** @typedef {{ distance: number, point: Vec, normal: Vec, surface: Surface }} Hit */

const WIDTH_PX = 768;
const HEIGHT_PX = 512;
const RAYS_PER_PIXEL = 25;
const GRAIN = 0.011;

// --- Vectors.
const v = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ z) => ({
  x,
  y,
  z,
});
const add = (/** @type {Vec} */ a, /** @type {Vec} */ b) => v(a.x + b.x, a.y + b.y, a.z + b.z);
const sub = (/** @type {Vec} */ a, /** @type {Vec} */ b) => v(a.x - b.x, a.y - b.y, a.z - b.z);
const mul = (/** @type {Vec} */ a, /** @type {Vec} */ b) => v(a.x * b.x, a.y * b.y, a.z * b.z);
const scale = (/** @type {Vec} */ a, /** @type {number} */ s) => v(a.x * s, a.y * s, a.z * s);
const dot = (/** @type {Vec} */ a, /** @type {Vec} */ b) => a.x * b.x + a.y * b.y + a.z * b.z;
const unit = (/** @type {Vec} */ a) => scale(a, 1 / Math.sqrt(dot(a, a)));
const mix = (/** @type {Vec} */ a, /** @type {Vec} */ b, /** @type {number} */ t) =>
  add(scale(a, 1 - t), scale(b, t));
const clamp = (/** @type {number} */ t) => Math.min(1, Math.max(0, t));
const smooth = (/** @type {number} */ low, /** @type {number} */ high, /** @type {number} */ t) => {
  const s = clamp((t - low) / (high - low));
  return s * s * (3 - 2 * s);
};

// --- Chance: a hash of integers, the same on every machine.
/** @param {number} x @param {number} y @param {number} z @returns {number} 0 to 1 */
function hash(x, y, z) {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(z, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

let seed = 1;
const random = () => hash(seed++, 7, 13);

// --- Textures from noise.
/** Smooth noise with features of size 1. @param {Vec} p @returns {number} 0 to 1 */
function noise(p) {
  const xi = Math.floor(p.x);
  const yi = Math.floor(p.y);
  const zi = Math.floor(p.z);
  const fade = (/** @type {number} */ t) => t * t * t * (t * (t * 6 - 15) + 10);
  const u = fade(p.x - xi);
  const w = fade(p.y - yi);
  const s = fade(p.z - zi);
  const along = (/** @type {number} */ y, /** @type {number} */ z) =>
    hash(xi, y, z) * (1 - u) + hash(xi + 1, y, z) * u;
  const near = along(yi, zi) * (1 - w) + along(yi + 1, zi) * w;
  const far = along(yi, zi + 1) * (1 - w) + along(yi + 1, zi + 1) * w;
  return near * (1 - s) + far * s;
}

/** @param {Vec} p @param {number} octaves @returns {number} about 0 to 1 */
function fractal(p, octaves) {
  let sum = 0;
  let weight = 0.5;
  let q = p;
  for (let octave = 0; octave < octaves; octave++) {
    sum += weight * noise(q);
    weight *= 0.5;
    q = v(q.x * 2.03 + 17.1, q.y * 2.03 + 3.7, q.z * 2.03 + 9.2);
  }
  return sum / (1 - 0.5 ** octaves);
}

/** Boards along z, their grain stretched. @param {Vec} p @returns {Surface} */
function wood(p) {
  const board = Math.floor(p.x / 0.9);
  const across = p.x / 0.9 - board;
  const shift = hash(board, 1, 5) * 40;
  const along = p.z + shift;
  const joint = Math.floor(along / 5);
  const bend = fractal(v(p.x * 1.5, board * 7, along * 0.25), 3);
  const rings = Math.sin((across * 9 + bend * 16 + hash(board, joint, 2) * 30) * 1.7) * 0.5 + 0.5;
  const fibre = fractal(v(p.x * 70, board * 3, along * 2.2), 3);
  const speck = fractal(v(p.x * 28, 4, along * 9), 3);
  const tone = 0.45 + 0.3 * hash(board, joint, 9);
  let colour = mix(
    v(0.36, 0.19, 0.085),
    v(0.62, 0.4, 0.21),
    clamp(0.55 * rings + 0.6 * fibre - 0.1),
  );
  colour = scale(colour, tone * (0.72 + 0.5 * speck));
  const gapX = Math.min(across, 1 - across) * 0.9;
  const gapZ = Math.abs(along / 5 - Math.round(along / 5)) * 5;
  const groove = smooth(0.004, 0.02, Math.min(gapX, gapZ));
  return { colour: scale(colour, 0.18 + 0.82 * groove), gloss: 0.06 * groove, bump: 0.15 * fibre };
}

/** @param {Vec} p @returns {Surface} */
function marble(p) {
  const warp = fractal(scale(p, 2.4), 6);
  const vein = Math.abs(Math.sin(p.x * 3.2 + p.y * 2.1 + warp * 11));
  const fine = fractal(scale(p, 22), 4);
  const colour = mix(
    v(0.16, 0.2, 0.24),
    v(0.84, 0.82, 0.77),
    smooth(0.02, 0.5, vein) * (0.7 + 0.4 * fine),
  );
  return { colour, gloss: 0.09, bump: 0 };
}

/** @param {Vec} p @returns {Surface} */
function orange(p) {
  const pits = fractal(scale(p, 26), 3);
  const blush = fractal(scale(p, 2), 4);
  const colour = mix(v(0.8, 0.27, 0.03), v(0.88, 0.42, 0.06), blush);
  return { colour: scale(colour, 0.72 + 0.4 * pits), gloss: 0.05, bump: 1.1 * pits };
}

/** Courses of bricks, wrapped around. @param {Vec} p @returns {Surface} */
function brick(p) {
  const angle = Math.atan2(p.z, p.x) / Math.PI;
  const course = Math.floor(p.y * 6);
  const along = angle * 9 + (course & 1) * 0.5;
  const stone = Math.floor(along);
  const edge = Math.min(
    Math.min(along - stone, stone + 1 - along) * 0.9,
    Math.min(p.y * 6 - course, course + 1 - p.y * 6),
  );
  const rough = fractal(scale(p, 18), 5);
  const body = mix(v(0.3, 0.075, 0.045), v(0.55, 0.2, 0.11), hash(stone, course, 3));
  const mortar = scale(v(0.55, 0.52, 0.47), 0.7 + 0.5 * rough);
  const colour = mix(
    mortar,
    scale(body, 0.55 + 0.85 * rough),
    smooth(0.05, 0.11, edge + 0.05 * rough),
  );
  return { colour, gloss: 0, bump: 0.9 * rough + 0.6 * smooth(0.03, 0.12, edge) };
}

/** @param {Vec} p @returns {Surface} */
function moss(p) {
  const tuft = fractal(scale(p, 34), 4);
  const patch = fractal(scale(p, 3.5), 4);
  const green = mix(v(0.05, 0.1, 0.02), v(0.3, 0.38, 0.09), tuft);
  const stone = scale(v(0.32, 0.3, 0.28), 0.5 + 0.9 * fractal(scale(p, 15), 4));
  return { colour: mix(stone, green, smooth(0.38, 0.55, patch)), gloss: 0, bump: 1.6 * tuft };
}

/** @param {Vec} p @returns {Surface} */
function steel(p) {
  const brush = fractal(v(p.x * 4, p.y * 90, p.z * 4), 3);
  const smudge = fractal(scale(p, 5), 4);
  return { colour: v(0.1, 0.1, 0.11), gloss: 0.72 - 0.3 * smudge, bump: 0.12 * brush };
}

/** @param {number} which @returns {(p: Vec) => Surface} */
function pebble(which) {
  const tint = mix(v(0.5, 0.44, 0.37), v(0.2, 0.22, 0.26), hash(which, 2, 2));
  return (p) => {
    const spots = fractal(add(scale(p, 40), v(which, 0, 0)), 4);
    return { colour: scale(tint, 0.45 + 1.1 * spots), gloss: 0.02, bump: 0.8 * spots };
  };
}

/** @type {readonly Ball[]} */
const BALLS = [
  { centre: v(-1.75, 1.05, 0.5), radius: 1.05, shade: brick },
  { centre: v(0.35, 0.8, -0.35), radius: 0.8, shade: marble },
  { centre: v(1.85, 1.2, 1.3), radius: 1.2, shade: steel },
  { centre: v(-0.45, 0.42, -1.5), radius: 0.42, shade: orange },
  { centre: v(1.45, 0.36, -1.2), radius: 0.36, shade: orange },
  { centre: v(3.6, 0.85, 0.1), radius: 0.85, shade: moss },
  { centre: v(-3.7, 0.75, 1.6), radius: 0.75, shade: moss },
  { centre: v(-0.1, 0.6, 2.6), radius: 0.6, shade: brick },
  ...Array.from({ length: 34 }, (_, i) => {
    const radius = 0.05 + 0.12 * hash(i, 21, 4) ** 2;
    const centre = v(-4 + 8.4 * hash(i, 3, 11), radius * 0.9, -2.4 + 4.6 * hash(i, 5, 17));
    return { centre, radius, shade: pebble(i) };
  }),
];

const SUN = unit(v(-0.62, 0.62, -0.48));
const SUN_COLOUR = v(3.3, 2.85, 2.25);
const SUN_SPREAD = 0.035;

/** Sky, clouds and, near the horizon, wooded hills. @param {Vec} direction @returns {Vec} */
function background(direction) {
  const bearing = Math.atan2(direction.x, direction.z);
  const height = direction.y;
  const far = 0.055 + 0.075 * fractal(v(bearing * 3.1, 2, 0), 5);
  const near = 0.005 + 0.1 * fractal(v(bearing * 4.3 + 9, 7, 0), 5);
  const leaves = fractal(v(bearing * 120, height * 160, 3), 4);
  const crown = 0.012 * fractal(v(bearing * 60, 1, 8), 3);
  if (height < near + crown) {
    return scale(v(0.1, 0.135, 0.055), 0.35 + 1.5 * leaves * leaves);
  }
  if (height < far) {
    const haze = v(0.3, 0.37, 0.43);
    return mix(scale(v(0.16, 0.21, 0.14), 0.6 + 0.8 * leaves), haze, 0.55);
  }
  const blue = mix(v(0.62, 0.72, 0.82), v(0.16, 0.32, 0.62), smooth(0, 0.6, height));
  const lift = 1 / (height + 0.12);
  const cloud = fractal(v(direction.x * lift * 1.3, 5, direction.z * lift * 1.3), 6);
  return mix(blue, v(0.93, 0.92, 0.9), 0.85 * smooth(0.48, 0.72, cloud));
}

/** Nearest ball in the way. @param {Vec} origin @param {Vec} direction @returns {{ ball: Ball, distance: number } | undefined} */
function nearestBall(origin, direction) {
  /** @type {{ ball: Ball, distance: number } | undefined} */
  let nearest;
  for (const ball of BALLS) {
    const toCentre = sub(ball.centre, origin);
    const middle = dot(toCentre, direction);
    const discriminant = ball.radius * ball.radius - dot(toCentre, toCentre) + middle * middle;
    if (discriminant <= 0) continue;
    const distance = middle - Math.sqrt(discriminant);
    if (distance > 1e-4 && (nearest === undefined || distance < nearest.distance)) {
      nearest = { ball, distance };
    }
  }
  return nearest;
}

/** Tilts a normal by the slope of a surface's bumps. @param {Vec} normal @param {Vec} local @param {(p: Vec) => Surface} shade @param {Surface} surface */
function bumped(normal, local, shade, surface) {
  if (surface.bump === 0) return normal;
  const step = 0.004;
  const slope = v(
    shade(add(local, v(step, 0, 0))).bump - surface.bump,
    shade(add(local, v(0, step, 0))).bump - surface.bump,
    shade(add(local, v(0, 0, step))).bump - surface.bump,
  );
  return unit(sub(normal, scale(slope, 0.035 / step)));
}

/** @param {Vec} origin @param {Vec} direction @returns {Hit | undefined} */
function trace(origin, direction) {
  const found = nearestBall(origin, direction);
  const floorDistance = direction.y < 0 ? -origin.y / direction.y : Number.POSITIVE_INFINITY;
  if (floorDistance < (found?.distance ?? Number.POSITIVE_INFINITY) && floorDistance < 60) {
    const point = add(origin, scale(direction, floorDistance));
    return { distance: floorDistance, point, normal: v(0, 1, 0), surface: wood(point) };
  }
  if (found === undefined) return undefined;
  const { ball, distance } = found;
  const point = add(origin, scale(direction, distance));
  const local = sub(point, ball.centre);
  const surface = ball.shade(local);
  const normal = bumped(scale(local, 1 / ball.radius), local, ball.shade, surface);
  return { distance, point, normal, surface };
}

/** A direction around another, spread out. @param {Vec} axis @param {number} spread @returns {Vec} */
function around(axis, spread) {
  const height = 2 * random() - 1;
  const turn = 2 * Math.PI * random();
  const side = Math.sqrt(1 - height * height);
  return unit(add(axis, scale(v(side * Math.cos(turn), side * Math.sin(turn), height), spread)));
}

/** Light that comes back along a ray. @param {Vec} origin @param {Vec} direction @param {number} bounces @returns {Vec} */
function radiance(origin, direction, bounces) {
  const hit = trace(origin, direction);
  if (hit === undefined) return background(direction);
  const { point, normal, surface } = hit;
  const start = add(point, scale(normal, 1e-3));
  const toSun = around(SUN, SUN_SPREAD);
  const facing = dot(normal, toSun);
  const isLit = facing > 0 && nearestBall(start, toSun) === undefined;
  let light = isLit ? scale(SUN_COLOUR, facing) : v(0, 0, 0);
  // What does not come from the sun comes from one direction by chance, weighted by the cosine.
  if (bounces > 0) {
    const diffuse = around(normal, 0.999);
    light = add(light, radiance(start, diffuse, bounces - 1));
  } else {
    light = add(light, v(0.25, 0.27, 0.3));
  }
  let colour = mul(surface.colour, light);
  if (surface.gloss > 0 && bounces > 0) {
    const cosine = Math.abs(dot(normal, direction));
    const share =
      surface.gloss +
      (1 - surface.gloss) * 0.6 * (1 - cosine) ** 5 * Math.min(1, surface.gloss * 8);
    const mirrored = around(sub(direction, scale(normal, 2 * dot(direction, normal))), 0.03);
    if (mirrored.y > 0 || point.y > 0.01) {
      colour = mix(colour, radiance(start, mirrored, bounces - 1), share);
    }
    const glint = Math.max(0, dot(mirrored, SUN)) ** 90;
    if (isLit) colour = add(colour, scale(SUN_COLOUR, glint * share * 2));
  }
  // Distance takes contrast away.
  return mix(colour, v(0.5, 0.56, 0.6), 1 - Math.exp(-Math.max(0, hit.distance - 7) * 0.018));
}

// --- Camera.
const EYE = v(0.25, 2.05, -6.6);
const FORWARD = unit(sub(v(0.15, 0.72, 0), EYE));
const RIGHT = unit(v(FORWARD.z, 0, -FORWARD.x));
const UP = v(
  FORWARD.y * RIGHT.z - FORWARD.z * RIGHT.y,
  FORWARD.z * RIGHT.x - FORWARD.x * RIGHT.z,
  FORWARD.x * RIGHT.y - FORWARD.y * RIGHT.x,
);
const FOCUS_DISTANCE = 6.3;
const LENS_RADIUS = 0.035;
const FIELD = 0.86;

/** @param {number} x @param {number} y @returns {Vec} */
function pixel(x, y) {
  let sum = v(0, 0, 0);
  const grid = Math.sqrt(RAYS_PER_PIXEL);
  for (let ray = 0; ray < RAYS_PER_PIXEL; ray++) {
    const dx = ((ray % grid) + random()) / grid;
    const dy = (Math.floor(ray / grid) + random()) / grid;
    const sx = ((2 * (x + dx)) / WIDTH_PX - 1) * FIELD;
    const sy = ((1 - (2 * (y + dy)) / HEIGHT_PX) * FIELD * HEIGHT_PX) / WIDTH_PX;
    const target = add(
      EYE,
      scale(add(FORWARD, add(scale(RIGHT, sx), scale(UP, sy))), FOCUS_DISTANCE),
    );
    const turn = 2 * Math.PI * random();
    const out = LENS_RADIUS * Math.sqrt(random());
    const lens = add(scale(RIGHT, out * Math.cos(turn)), scale(UP, out * Math.sin(turn)));
    const origin = add(EYE, lens);
    sum = add(sum, radiance(origin, unit(sub(target, origin)), 2));
  }
  return scale(sum, 1 / RAYS_PER_PIXEL);
}

/** Exposure, a film's shoulder, sRGB, grain. @param {number} light @param {number} grain @returns {number} 0 to 255 */
function develop(light, grain) {
  const exposed = 0.6 * light;
  const film = (exposed * (2.51 * exposed + 0.03)) / (exposed * (2.43 * exposed + 0.59) + 0.14);
  const value = clamp(film);
  const encoded = value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;
  return Math.round(255 * clamp(encoded + grain));
}

const data = new Uint8Array(WIDTH_PX * HEIGHT_PX * 3);
for (let y = 0; y < HEIGHT_PX; y++) {
  for (let x = 0; x < WIDTH_PX; x++) {
    seed = (y * WIDTH_PX + x) * 4096;
    const fromCentre = (x / WIDTH_PX - 0.5) ** 2 + (y / HEIGHT_PX - 0.5) ** 2;
    const light = scale(pixel(x, y), 1 - 0.45 * fromCentre);
    const shared = random() + random() + random() - 1.5;
    const at = (y * WIDTH_PX + x) * 3;
    for (const [channel, value] of [light.x, light.y, light.z].entries()) {
      const own = random() + random() + random() - 1.5;
      data[at + channel] = develop(value, GRAIN * (0.8 * shared + 0.6 * own));
    }
  }
}
const path = process.argv[2] ?? join(import.meta.dirname, '..', 'fixtures', 'photo.png');
await writeImage(path, { widthPx: WIDTH_PX, heightPx: HEIGHT_PX, channels: 3, data });
