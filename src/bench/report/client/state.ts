/**
 * What the viewer shows, and how the address of the page says it.
 * @module
 */

export type View = 'split' | 'side' | 'blink' | 'difference' | 'heat' | 'bits' | 'latent';

export interface ViewState {
  /** Indices of picture and versions. */
  readonly picture: number;
  readonly a: number;
  readonly b: number;
  readonly view: View;
  /** CSS pixels that a pixel of the picture takes; 0 fits the picture in. */
  readonly zoom: number;
  /** The pixel in the middle. */
  readonly x: number;
  readonly y: number;
  /** Where the split stands, 0 to 1 of the stage's width. */
  readonly split: number;
  /** What differences are multiplied by. */
  readonly gain: number;
  /** Index of the latent plane. */
  readonly plane: number;
}

export const ZOOM_MAX = 32;
const ZOOM_MIN = 1 / 16;

export const FIRST_STATE: ViewState = {
  picture: 0,
  a: 0,
  b: 1,
  view: 'split',
  zoom: 0,
  x: 0,
  y: 0,
  split: 0.5,
  gain: 4,
  plane: 0,
};

const KNOWN_VIEWS: readonly string[] = [
  'split',
  'side',
  'blink',
  'difference',
  'heat',
  'bits',
  'latent',
] satisfies readonly View[];

/** `#view=split&picture=0&...`; only what differs from the beginning. */
export function toHash(state: ViewState): string {
  const entries = Object.entries(state).flatMap(([key, value]) => {
    if (key !== 'view' && value === FIRST_STATE[key as keyof ViewState]) return [];
    return [[key, typeof value === 'number' ? String(Number(value.toFixed(3))) : value]];
  });
  return `#${new URLSearchParams(entries)}`;
}

/** Nothing for an address that says nothing of the viewer; numbers that mean nothing are left as at first. */
export function fromHash(hash: string): ViewState | undefined {
  const said = new URLSearchParams(hash.slice(1));
  const view = said.get('view') ?? '';
  if (!KNOWN_VIEWS.includes(view)) return undefined;
  const take = (key: Exclude<keyof ViewState, 'view'>, low: number, high: number): number => {
    const value = Number(said.get(key) ?? Number.NaN);
    return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : FIRST_STATE[key];
  };
  const index = (key: 'picture' | 'a' | 'b' | 'plane') => Math.trunc(take(key, 0, 9999));
  return {
    picture: index('picture'),
    a: index('a'),
    b: index('b'),
    view: view as View,
    zoom: take('zoom', 0, ZOOM_MAX),
    x: take('x', 0, 1e6),
    y: take('y', 0, 1e6),
    split: take('split', 0, 1),
    gain: take('gain', 1, 16),
    plane: index('plane'),
  };
}

export function limitZoom(zoom: number): number {
  return Math.min(ZOOM_MAX, Math.max(ZOOM_MIN, zoom));
}
