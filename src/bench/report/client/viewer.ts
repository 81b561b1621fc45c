/**
 * The viewer's controls: buttons, keys, wheel, drag and pinch change one state, and the state is painted.
 * @module
 */
import { RAMP_CSS } from './colours.js';
import type { ViewedPicture } from './data.js';
import { Frames, HEAT_LEVELS } from './frames.js';
import { middleOf, paint, panelsOf } from './paint.js';
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

function element<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(`viewer-${id}`);
  if (found instanceof kind) return found;
  throw new Error(`viewer: expected an element viewer-${id}, got none`);
}

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
  /** Where the pointer rests, in CSS pixels of the stage. */
  #pointer: { readonly x: number; readonly y: number } | undefined;
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
    const { picture, a, b, view, gain, plane, split } = this.#state;
    const { versions, latent } = this.#frames.picture;
    element('picture', HTMLSelectElement).value = String(picture);
    const labels = versions.map(({ label }) => label);
    fill(element('a', HTMLSelectElement), labels, a);
    fill(element('b', HTMLSelectElement), labels, b);
    for (const [id, version] of [
      ['figures-a', versions[a]] as const,
      ['figures-b', versions[b]] as const,
    ]) {
      element(id, HTMLElement).textContent = version?.figures
        ? `${id.slice(-1).toUpperCase()}: ${version.figures}`
        : '';
    }
    const planes = latent?.planes.map(
      ({ channel, share, peak }) =>
        `${channel}: ${(100 * share).toFixed(1)} % of the bits, to ±${peak}`,
    );
    fill(element('plane', HTMLSelectElement), planes ?? [], plane);
    element('gain', HTMLSelectElement).value = String(gain);
    this.#split.value = String(100 * split);
    for (const button of this.#root.querySelectorAll<HTMLButtonElement>('[data-view]')) {
      const of = button.dataset.view;
      button.setAttribute('aria-pressed', String(of === view));
      button.disabled = (of === 'bits' || of === 'latent') && latent === null;
    }
    for (const control of this.#root.querySelectorAll<HTMLElement>('[data-for]')) {
      control.hidden = !control.dataset.for?.split(' ').includes(view);
    }
    element('low', HTMLElement).textContent = view === 'bits' ? '0 bits per pixel' : '0 levels';
    element('high', HTMLElement).textContent =
      view === 'bits'
        ? (latent?.maxBitsPerPixel ?? 0).toFixed(2)
        : `${Math.round(HEAT_LEVELS / gain)} and more`;
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
    const { a, b, view } = this.#state;
    const { clientWidth: width, clientHeight: height } = this.#stage;
    paint(this.#canvas, this.#frames, this.#state, this.#showsB, { width, height });
    const { versions, name, latent } = this.#frames.picture;
    const labelOf = (version: number) => versions[version]?.label ?? '';
    const tags: readonly [string, string] =
      view === 'blink'
        ? [`${this.#showsB ? 'B' : 'A'}: ${labelOf(this.#showsB ? b : a)}`, '']
        : view === 'difference'
          ? [`B − A: ${labelOf(b)} less ${labelOf(a)}`, '']
          : view === 'heat'
            ? [`|B − A|: ${labelOf(b)} and ${labelOf(a)}`, '']
            : view === 'bits' || view === 'latent'
              ? [`${view === 'bits' ? 'Bits' : 'Latent'} of ${labelOf(latent?.version ?? 0)}`, '']
              : [`A: ${labelOf(a)}`, `B: ${labelOf(b)}`];
    element('tag-a', HTMLElement).textContent = tags[0];
    element('tag-b', HTMLElement).textContent = tags[1];
    this.#canvas.setAttribute('aria-label', `${name}, ${tags.filter(Boolean).join(', ')}`);
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
  #pixelAt(point: { readonly x: number; readonly y: number }) {
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
  #zoomBy(factor: number, point?: { readonly x: number; readonly y: number }): void {
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
    stage.addEventListener(
      'wheel',
      (event) => {
        // The page scrolls past the viewer unless it was turned to.
        if (!event.ctrlKey && document.activeElement !== stage) return;
        event.preventDefault();
        this.#zoomBy(2 ** (-event.deltaY / 240), this.#pointOf(event));
      },
      { passive: false },
    );
    this.#listenToPointers();
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

  #pointOf(event: MouseEvent): { readonly x: number; readonly y: number } {
    const { left, top } = this.#stage.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  /** One pointer moves the picture or the split, two zoom. */
  #listenToPointers(): void {
    const stage = this.#stage;
    const held = new Map<number, { readonly x: number; readonly y: number }>();
    let movesSplit = false;
    stage.addEventListener('pointerdown', (event) => {
      const point = this.#pointOf(event);
      const { view, split } = this.#state;
      const splitAt = split * stage.clientWidth;
      movesSplit = view === 'split' && Math.abs(point.x - splitAt) <= GRIP_PX;
      held.set(event.pointerId, point);
      stage.setPointerCapture(event.pointerId);
    });
    stage.addEventListener('pointermove', (event) => {
      const point = this.#pointOf(event);
      this.#pointer = point;
      const before = held.get(event.pointerId);
      if (before === undefined) {
        this.#read();
        return;
      }
      held.set(event.pointerId, point);
      const other = [...held].find(([id]) => id !== event.pointerId)?.[1];
      if (other !== undefined) {
        const apart = (from: { readonly x: number; readonly y: number }) =>
          Math.max(1, Math.hypot(from.x - other.x, from.y - other.y));
        const middle = { x: (point.x + other.x) / 2, y: (point.y + other.y) / 2 };
        this.#zoomBy(apart(point) / apart(before), middle);
      } else if (movesSplit) {
        this.#change({ split: Math.min(1, Math.max(0, point.x / stage.clientWidth)) });
      } else {
        this.#moveBy(before.x - point.x, before.y - point.y);
      }
    });
    const release = (event: PointerEvent) => held.delete(event.pointerId);
    stage.addEventListener('pointerup', release);
    stage.addEventListener('pointercancel', release);
    stage.addEventListener('pointerleave', () => {
      this.#pointer = undefined;
      this.#read();
    });
  }
}

function fill(select: HTMLSelectElement, labels: readonly string[], chosen: number): void {
  const said = [...select.options].map(({ text }) => text);
  if (said.join('\n') !== labels.join('\n')) {
    select.replaceChildren(...labels.map((label, value) => new Option(label, String(value))));
  }
  select.value = String(chosen);
}
