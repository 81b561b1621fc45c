/**
 * The bitmaps of one picture: its versions as they lie in the page, and what is computed of two of them.
 * @module
 */
import { RAMP } from './colours.js';
import type { ViewedPicture } from './data.js';

export type Bitmap = HTMLCanvasElement;

/** Error maps show a gain of 1 as this many levels from dark to light. */
export const HEAT_LEVELS = 255;

export class Frames {
  readonly picture: ViewedPicture;
  readonly #bitmaps = new Map<string, Bitmap>();

  constructor(picture: ViewedPicture) {
    this.picture = picture;
  }

  /** Waits until all images of the picture are decoded. */
  async ready(): Promise<void> {
    const { versions, latent } = this.picture;
    const ids = versions.map(({ elementId }) => elementId);
    if (latent) ids.push(latent.bitsElementId, latent.planesElementId);
    await Promise.all(ids.map((id) => imageOf(id).decode()));
  }

  version(index: number): Bitmap {
    const id = this.picture.versions[index]?.elementId ?? '';
    return this.#once(id, () => {
      const image = imageOf(id);
      return blank(image.naturalWidth, image.naturalHeight, (context) => {
        context.drawImage(image, 0, 0);
      });
    });
  }

  /** B minus A around mid-grey. */
  difference(a: number, b: number, gain: number): Bitmap {
    return this.#once(`difference ${a} ${b} ${gain}`, () =>
      this.#combine(a, b, (before, after, out, at) => {
        for (let c = 0; c < 3; c++) {
          out[at + c] = 128 + gain * ((after[at + c] ?? 0) - (before[at + c] ?? 0));
        }
      }),
    );
  }

  /** Largest difference of the three channels, on the ramp. */
  heat(a: number, b: number, gain: number): Bitmap {
    return this.#once(`heat ${a} ${b} ${gain}`, () =>
      this.#combine(a, b, (before, after, out, at) => {
        const level = Math.min(255, gain * levelsApart(before, after, at));
        for (let c = 0; c < 3; c++) out[at + c] = RAMP[3 * level + c] ?? 0;
      }),
    );
  }

  /** Bits of every latent position on the ramp; nothing for a picture without. */
  bits(): Bitmap | undefined {
    const { latent } = this.picture;
    if (latent === null) return undefined;
    return this.#once('bits', () => {
      const grey = imageOf(latent.bitsElementId);
      return blank(latent.width, latent.height, (context) => {
        context.drawImage(grey, 0, 0);
        const pixels = context.getImageData(0, 0, latent.width, latent.height);
        for (let at = 0; at < pixels.data.length; at += 4) {
          const level = pixels.data[at] ?? 0;
          for (let c = 0; c < 3; c++) pixels.data[at + c] = RAMP[3 * level + c] ?? 0;
        }
        context.putImageData(pixels, 0, 0);
      });
    });
  }

  /** One plane of the latent, in grey; nothing for a picture without. */
  plane(index: number): Bitmap | undefined {
    const { latent } = this.picture;
    if (latent === null) return undefined;
    return this.#once(`plane ${index}`, () => {
      const { width, height, planesElementId, sheetColumns } = latent;
      const left = (index % sheetColumns) * width;
      const top = Math.floor(index / sheetColumns) * height;
      const sheet = imageOf(planesElementId);
      return blank(width, height, (context) => {
        context.drawImage(sheet, left, top, width, height, 0, 0, width, height);
      });
    });
  }

  /** Red, green and blue of a version's pixel. */
  colourAt(version: number, x: number, y: number): readonly number[] {
    const pixel = contextOf(this.version(version)).getImageData(x, y, 1, 1).data;
    return [...pixel.slice(0, 3)];
  }

  #combine(
    a: number,
    b: number,
    each: (
      before: Uint8ClampedArray,
      after: Uint8ClampedArray,
      out: Uint8ClampedArray,
      at: number,
    ) => void,
  ): Bitmap {
    const { widthPx, heightPx } = this.picture;
    const pixelsOf = (version: number) =>
      contextOf(this.version(version)).getImageData(0, 0, widthPx, heightPx).data;
    const before = pixelsOf(a);
    const after = pixelsOf(b);
    return blank(widthPx, heightPx, (context) => {
      const out = context.createImageData(widthPx, heightPx);
      out.data.fill(255);
      for (let at = 0; at < out.data.length; at += 4) each(before, after, out.data, at);
      context.putImageData(out, 0, 0);
    });
  }

  #once(key: string, make: () => Bitmap): Bitmap {
    const known = this.#bitmaps.get(key);
    if (known) return known;
    const made = make();
    this.#bitmaps.set(key, made);
    return made;
  }
}

function levelsApart(a: Uint8ClampedArray, b: Uint8ClampedArray, at: number): number {
  const apart = (c: number) => Math.abs((a[at + c] ?? 0) - (b[at + c] ?? 0));
  return Math.max(apart(0), apart(1), apart(2));
}

function blank(
  width: number,
  height: number,
  draw: (context: CanvasRenderingContext2D) => void,
): Bitmap {
  const bitmap = document.createElement('canvas');
  bitmap.width = width;
  bitmap.height = height;
  draw(contextOf(bitmap));
  return bitmap;
}

export function contextOf(bitmap: Bitmap): CanvasRenderingContext2D {
  const context = bitmap.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('viewer: expected a canvas to draw on, got none');
  return context;
}

function imageOf(id: string): HTMLImageElement {
  const image = document.getElementById(id);
  if (image instanceof HTMLImageElement) return image;
  throw new Error(`viewer: expected an image, got none with id '${id}'`);
}
