/**
 * The ramp of the heat maps: dark to light through blue, violet, red and yellow, so that it reads in grey too.
 * @module
 */

const RAMP_STOPS: readonly (readonly [number, number, number])[] = [
  [8, 8, 20],
  [38, 30, 110],
  [125, 30, 120],
  [205, 65, 70],
  [245, 150, 40],
  [252, 240, 170],
];

/** Colours of 0 to 255, three bytes each. */
export const RAMP: Uint8ClampedArray = Uint8ClampedArray.from({ length: 768 }, (_, at) => {
  const place = (Math.floor(at / 3) / 255) * (RAMP_STOPS.length - 1);
  const below = Math.min(Math.floor(place), RAMP_STOPS.length - 2);
  const low = RAMP_STOPS[below]?.[at % 3] ?? 0;
  const high = RAMP_STOPS[below + 1]?.[at % 3] ?? 0;
  return low + (high - low) * (place - below);
});

/** The ramp as a CSS gradient. */
export const RAMP_CSS = `linear-gradient(to right, ${RAMP_STOPS.map(
  (stop) => `rgb(${stop.join(' ')})`,
).join(', ')})`;
