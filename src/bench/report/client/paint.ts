/**
 * The state of the viewer onto its canvas: one or two panels of one pan and zoom.
 * @module
 */
import { type Bitmap, contextOf, type Frames } from './frames.js';
import type { ViewState } from './state.js';

/** A part of the stage that shows one bitmap, in CSS pixels. */
export interface Panel {
  readonly left: number;
  readonly width: number;
  readonly height: number;
}

/** Between the panels of the view side by side. */
const GAP_PX = 4;
/** Half of the split's line. */
const LINE_PX = 1;

export function panelsOf(state: ViewState, width: number, height: number): Panel[] {
  if (state.view !== 'side') return [{ left: 0, width, height }];
  const half = (width - GAP_PX) / 2;
  return [
    { left: 0, width: half, height },
    { left: half + GAP_PX, width: half, height },
  ];
}

/** CSS pixels that a pixel takes when the whole picture is to be seen. */
export function fitZoom(frames: Frames, panel: Panel): number {
  const { widthPx, heightPx } = frames.picture;
  return Math.min(panel.width / widthPx, panel.height / heightPx, 8);
}

/** What is in the middle, moved so that no more than needed of the stage stays empty. */
export function middleOf(
  state: ViewState,
  frames: Frames,
  panel: Panel,
): { readonly zoom: number; readonly x: number; readonly y: number } {
  const { widthPx, heightPx } = frames.picture;
  const zoom = state.zoom || fitZoom(frames, panel);
  const limit = (at: number, side: number, room: number) => {
    const half = room / zoom / 2;
    return half >= side / 2 ? side / 2 : Math.min(Math.max(at, half), side - half);
  };
  return {
    zoom,
    x: limit(state.zoom ? state.x : widthPx / 2, widthPx, panel.width),
    y: limit(state.zoom ? state.y : heightPx / 2, heightPx, panel.height),
  };
}

/**
 * @param showsB while blinking: whether B is on
 * @param stage CSS size of the canvas, which is given as many pixels as the screen has there
 */
export function paint(
  canvas: HTMLCanvasElement,
  frames: Frames,
  state: ViewState,
  showsB: boolean,
  stage: { readonly width: number; readonly height: number },
): void {
  const scale = window.devicePixelRatio;
  const width = Math.max(1, Math.round(stage.width * scale));
  const height = Math.max(1, Math.round(stage.height * scale));
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = contextOf(canvas);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, stage.width, stage.height);
  const { a, b, view, split, gain, plane } = state;
  const [first, second] = panelsOf(state, stage.width, stage.height);
  if (first === undefined) return;
  const show = (bitmap: Bitmap, panel: Panel, from = 0, to = panel.width, stridePx = 1) =>
    showIn(context, bitmap, frames, state, panel, from, to, stridePx);
  const stridePx = frames.picture.latent?.stridePx ?? 1;
  switch (view) {
    case 'split': {
      const at = split * first.width;
      show(frames.version(a), first, 0, at);
      show(frames.version(b), first, at, first.width);
      context.fillStyle = '#fff';
      context.fillRect(at - LINE_PX, 0, 2 * LINE_PX, first.height);
      context.fillStyle = '#000';
      context.fillRect(at + LINE_PX, 0, 1, first.height);
      break;
    }
    case 'side':
      show(frames.version(a), first);
      if (second) show(frames.version(b), second);
      break;
    case 'blink':
      show(frames.version(showsB ? b : a), first);
      break;
    case 'difference':
      show(frames.difference(a, b, gain), first);
      break;
    case 'heat':
      show(frames.heat(a, b, gain), first);
      break;
    case 'bits': {
      const bits = frames.bits();
      if (bits) show(bits, first, 0, first.width, stridePx);
      break;
    }
    case 'latent': {
      const values = frames.plane(plane);
      if (values) show(values, first, 0, first.width, stridePx);
      break;
    }
  }
}

/** Draws what of a bitmap lies between `from` and `to` of a panel. */
function showIn(
  context: CanvasRenderingContext2D,
  bitmap: Bitmap,
  frames: Frames,
  state: ViewState,
  panel: Panel,
  from: number,
  to: number,
  stridePx: number,
): void {
  const { widthPx, heightPx } = frames.picture;
  const { zoom, x, y } = middleOf(state, frames, panel);
  context.save();
  context.beginPath();
  context.rect(panel.left + from, 0, to - from, panel.height);
  // The last latent position may reach beyond the picture.
  const left = panel.left + panel.width / 2 - x * zoom;
  const top = panel.height / 2 - y * zoom;
  context.clip();
  context.beginPath();
  context.rect(left, top, widthPx * zoom, heightPx * zoom);
  context.clip();
  context.imageSmoothingEnabled = zoom * stridePx < 1;
  context.imageSmoothingQuality = 'high';
  context.drawImage(
    bitmap,
    left,
    top,
    bitmap.width * stridePx * zoom,
    bitmap.height * stridePx * zoom,
  );
  context.restore();
}
