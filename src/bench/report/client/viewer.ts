/**
 * The viewer: buttons, keys and pointers change one state, and the state is painted.
 * @module
 */
import { RAMP_CSS } from './colours.js';
import { element, showControls, showTags } from './controls.js';
import type { ViewedPicture } from './data.js';
import { Frames } from './frames.js';
import { middleOf, paint, panelsOf } from './paint.js';
import { listenToPointers, type StagePoint } from './pointers.js';
import { FIRST_STATE, fromHash, limitZoom, toHash, type View, type ViewState } from './state.js';

const BLINK_MS = 700;
/** A step of the keys, in CSS pixels. */
const STEP_PX = 40;
const ZOOM_STEP = Math.SQRT2;
/** Reach around the split within which it is dragged instead of the picture. */
const GRIP_PX = 14;

const KEY_VIEWS: Readonly<Record<string, View>> = {
  s: 'split',
  w: 'side',
  b: 'blink',
  d: 'difference',
  e: 'heat',
  m: 'bits',
  l: 'latent',
};

export class Viewer {
  readonly #pictures: readonly ViewedPicture[];
  readonly #root: HTMLElement;
  readonly #stage = element('stage', HTMLElement);
  readonly #canvas = element('canvas', HTMLCanvasElement);
  readonly #readout = element('readout', HTMLElement);
  readonly #split = element('split', HTMLInputElement);
  readonly #blinking = element('blinking', HTMLInputElement);
  #state: ViewState;
  #frames: Frames;
  #showsB = false;
  /** Where the pointer rests. */
  #pointer: StagePoint | undefined;
  #isQueued = false;

  constructor(root: HTMLElement, pictures: readonly ViewedPicture[]) {
    this.#root = root;
    this.#pictures = pictures;
    this.#state = this.#valid(fromHash(location.hash) ?? FIRST_STATE);
    this.#frames = this.#framesOf(this.#state.picture);
    this.#blinking.checked = !matchMedia('(prefers-reduced-motion: reduce)').matches;
    for (const ramp of root.querySelectorAll<HTMLElement>('.ramp')) {
      ramp.style.backgroundImage = RAMP_CSS;
    }
    this.#listen();
    root.hidden = false;
    void this.#open();
  }

  #change(change: Partial<ViewState>): void {
    const before = this.#state.picture;
    this.#state = this.#valid({ ...this.#state, ...change });
    history.replaceState(null, '', toHash(this.#state));
    if (this.#state.picture === before) this.#update();
    else {
      this.#frames = this.#framesOf(this.#state.picture);
      void this.#open();
    }
  }

  async #open(): Promise<void> {
    const frames = this.#frames;
    await frames.ready();
    if (frames === this.#frames) this.#update();
  }

  #framesOf(index: number): Frames {
    const picture = this.#pictures[index];
    if (picture === undefined) throw new Error(`viewer: expected a picture, got none at ${index}`);
    return new Frames(picture);
  }

  /** Indices that an address may have wrong are brought into range, views that a picture lacks replaced. */
  #valid(state: ViewState): ViewState {
    const picture = Math.min(state.picture, this.#pictures.length - 1);
    const { versions, latent } = this.#pictures[picture] ?? { versions: [], latent: null };
    const last = versions.length - 1;
    const needsLatent = state.view === 'bits' || state.view === 'latent';
    return {
      ...state,
      picture,
      a: Math.min(state.a, last),
      b: Math.min(state.b, last),
      view: needsLatent && latent === null ? 'split' : state.view,
      plane: Math.min(state.plane, Math.max(0, (latent?.planes.length ?? 1) - 1)),
    };
  }

  /** Controls and canvas as the state has them. */
  #update(): void {
    showControls(this.#root, this.#frames.picture, this.#state);
    this.#queue();
  }

  #queue(): void {
    if (this.#isQueued) return;
    this.#isQueued = true;
    requestAnimationFrame(() => {
      this.#isQueued = false;
      this.#paint();
    });
  }

  #paint(): void {
    const { clientWidth: width, clientHeight: height } = this.#stage;
    paint(this.#canvas, this.#frames, this.#state, this.#showsB, { width, height });
    showTags(this.#canvas, this.#frames.picture, this.#state, this.#showsB);
    const { zoom } = this.#middle();
    element('zoom', HTMLElement).textContent = `${Math.round(100 * zoom)} %`;
    this.#stage.style.touchAction = this.#state.zoom === 0 ? 'pan-y pinch-zoom' : 'none';
    this.#stage.dataset.painted = toHash(this.#state);
    this.#read();
  }

  #middle() {
    const [panel] = panelsOf(this.#state, this.#stage.clientWidth, this.#stage.clientHeight);
    return middleOf(this.#state, this.#frames, panel ?? { left: 0, width: 1, height: 1 });
  }

  /** The pixel of the picture that lies at a point of the stage. */
  #pixelAt(point: StagePoint) {
    const { clientWidth, clientHeight } = this.#stage;
    const panels = panelsOf(this.#state, clientWidth, clientHeight);
    const panel = panels.findLast(({ left }) => point.x >= left) ?? panels[0];
    const { zoom, x, y } = this.#middle();
    return {
      x: x + (point.x - (panel?.left ?? 0) - (panel?.width ?? 0) / 2) / zoom,
      y: y + (point.y - clientHeight / 2) / zoom,
    };
  }

  /** Writes down the pixel under the pointer, or in the middle. */
  #read(): void {
    const at = this.#pointer ? this.#pixelAt(this.#pointer) : this.#middle();
    const x = Math.floor(at.x);
    const y = Math.floor(at.y);
    const { widthPx, heightPx } = this.#frames.picture;
    if (x < 0 || y < 0 || x >= widthPx || y >= heightPx) {
      this.#readout.textContent = '';
      return;
    }
    const { a, b } = this.#state;
    const [one, other] = [a, b].map((version) => this.#frames.colourAt(version, x, y).join(' '));
    this.#readout.textContent = `x ${x}, y ${y} · A ${one} · B ${other}`;
  }

  /** Zooms so that the pixel at a point of the stage stays there. */
  #zoomBy(factor: number, point?: StagePoint): void {
    const middle = this.#middle();
    const zoom = limitZoom(middle.zoom * factor);
    const kept = point ? this.#pixelAt(point) : middle;
    const share = middle.zoom / zoom;
    this.#change({
      zoom,
      x: kept.x + (middle.x - kept.x) * share,
      y: kept.y + (middle.y - kept.y) * share,
    });
  }

  #moveBy(xPx: number, yPx: number): void {
    const { zoom, x, y } = this.#middle();
    this.#change({ zoom, x: x + xPx / zoom, y: y + yPx / zoom });
    const { x: limitedX, y: limitedY } = this.#middle();
    this.#change({ x: limitedX, y: limitedY });
  }

  #oneToOne(): void {
    const { x, y } = this.#middle();
    this.#change({ zoom: 1, x, y });
  }

  #swap(): void {
    const { a, b } = this.#state;
    this.#change({ a: b, b: a });
  }

  #listen(): void {
    const stage = this.#stage;
    const choose = (id: string, change: (value: number) => Partial<ViewState>) => {
      const select = element(id, HTMLSelectElement);
      select.addEventListener('change', () => this.#change(change(Number(select.value))));
    };
    const press = (id: string, act: () => void) =>
      element(id, HTMLButtonElement).addEventListener('click', act);
    choose('picture', (picture) => ({ picture, zoom: 0, plane: 0 }));
    choose('a', (a) => ({ a }));
    choose('b', (b) => ({ b }));
    choose('gain', (gain) => ({ gain }));
    choose('plane', (plane) => ({ plane }));
    press('swap', () => this.#swap());
    press('in', () => this.#zoomBy(ZOOM_STEP));
    press('out', () => this.#zoomBy(1 / ZOOM_STEP));
    press('fit', () => this.#change({ zoom: 0 }));
    press('one', () => this.#oneToOne());
    for (const button of this.#root.querySelectorAll<HTMLButtonElement>('[data-view]')) {
      button.addEventListener('click', () => this.#change({ view: button.dataset.view as View }));
    }
    this.#split.addEventListener('input', () => {
      this.#change({ split: Number(this.#split.value) / 100 });
    });
    stage.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (this.#key(event.key, event.shiftKey ? 5 * STEP_PX : STEP_PX)) event.preventDefault();
    });
    listenToPointers(stage, {
      holdsSplit: ({ x }) =>
        this.#state.view === 'split' &&
        Math.abs(x - this.#state.split * stage.clientWidth) <= GRIP_PX,
      splitTo: (x) => this.#change({ split: Math.min(1, Math.max(0, x / stage.clientWidth)) }),
      moveBy: (xPx, yPx) => this.#moveBy(xPx, yPx),
      zoomBy: (factor, at) => this.#zoomBy(factor, at),
      pointAt: (at) => {
        this.#pointer = at;
        this.#read();
      },
    });
    new ResizeObserver(() => this.#queue()).observe(stage);
    addEventListener('hashchange', () => {
      const said = fromHash(location.hash);
      if (said) this.#change(said);
    });
    setInterval(() => {
      if (this.#state.view !== 'blink' || !this.#blinking.checked) return;
      this.#showsB = !this.#showsB;
      this.#queue();
    }, BLINK_MS);
  }

  /** @returns whether the key means something here */
  #key(key: string, stepPx: number): boolean {
    const { split, plane, picture } = this.#state;
    const view = KEY_VIEWS[key];
    if (view !== undefined) {
      this.#change({ view });
      return true;
    }
    switch (key) {
      case 'ArrowLeft':
        this.#moveBy(-stepPx, 0);
        break;
      case 'ArrowRight':
        this.#moveBy(stepPx, 0);
        break;
      case 'ArrowUp':
        this.#moveBy(0, -stepPx);
        break;
      case 'ArrowDown':
        this.#moveBy(0, stepPx);
        break;
      case '+':
      case '=':
        this.#zoomBy(ZOOM_STEP);
        break;
      case '-':
        this.#zoomBy(1 / ZOOM_STEP);
        break;
      case '0':
        this.#change({ zoom: 0 });
        break;
      case '1':
        this.#oneToOne();
        break;
      case 'x':
        this.#swap();
        break;
      case ' ':
        this.#blinking.checked = false;
        this.#showsB = !this.#showsB;
        this.#queue();
        break;
      case '[':
        this.#change({ split: Math.max(0, split - 0.02) });
        break;
      case ']':
        this.#change({ split: Math.min(1, split + 0.02) });
        break;
      case ',':
        this.#change({ plane: Math.max(0, plane - 1) });
        break;
      case '.':
        this.#change({ plane: plane + 1 });
        break;
      case 'p':
        this.#change({ picture: Math.max(0, picture - 1), zoom: 0 });
        break;
      case 'n':
        this.#change({ picture: picture + 1, zoom: 0 });
        break;
      default:
        return false;
    }
    return true;
  }
}
