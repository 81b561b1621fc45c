/**
 * The viewer's controls and labels as its state has them.
 * @module
 */
import type { ViewedPicture } from './data.js';
import { HEAT_LEVELS } from './frames.js';
import type { ViewState } from './state.js';

/** The element of the viewer that has this name. */
export function element<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(`viewer-${id}`);
  if (found instanceof kind) return found;
  throw new Error(`viewer: expected an element viewer-${id}, got none`);
}

/** Brings every control under `root` to what the state says, and disables what the picture has nothing for. */
export function showControls(root: HTMLElement, shown: ViewedPicture, state: ViewState): void {
  const { picture, a, b, view, gain, plane, split } = state;
  const { versions, latent } = shown;
  element('picture', HTMLSelectElement).value = String(picture);
  const labels = versions.map(({ label }) => label);
  fill(element('a', HTMLSelectElement), labels, a);
  fill(element('b', HTMLSelectElement), labels, b);
  for (const [letter, version] of [['a', versions[a]] as const, ['b', versions[b]] as const]) {
    element(`figures-${letter}`, HTMLElement).textContent = version?.figures
      ? `${letter.toUpperCase()}: ${version.figures}`
      : '';
  }
  const planes = latent?.planes.map(
    ({ channel, share, peak }) =>
      `${channel}: ${(100 * share).toFixed(1)} % of the bits, to ±${peak}`,
  );
  fill(element('plane', HTMLSelectElement), planes ?? [], plane);
  element('gain', HTMLSelectElement).value = String(gain);
  element('split', HTMLInputElement).value = String(100 * split);
  for (const button of root.querySelectorAll<HTMLButtonElement>('[data-view]')) {
    const of = button.dataset.view;
    button.setAttribute('aria-pressed', String(of === view));
    button.disabled = (of === 'bits' || of === 'latent') && latent === null;
  }
  for (const control of root.querySelectorAll<HTMLElement>('[data-for]')) {
    control.hidden = !control.dataset.for?.split(' ').includes(view);
  }
  element('low', HTMLElement).textContent = view === 'bits' ? '0 bits per pixel' : '0 levels';
  element('high', HTMLElement).textContent =
    view === 'bits'
      ? (latent?.maxBitsPerPixel ?? 0).toFixed(2)
      : `${Math.round(HEAT_LEVELS / gain)} and more`;
}

/** Names what is on the canvas, for the eye and for screen readers. */
export function showTags(
  canvas: HTMLCanvasElement,
  { name, versions, latent }: ViewedPicture,
  { a, b, view }: ViewState,
  showsB: boolean,
): void {
  const labelOf = (version: number) => versions[version]?.label ?? '';
  const tags: readonly [string, string] =
    view === 'blink'
      ? [`${showsB ? 'B' : 'A'}: ${labelOf(showsB ? b : a)}`, '']
      : view === 'difference'
        ? [`B − A: ${labelOf(b)} less ${labelOf(a)}`, '']
        : view === 'heat'
          ? [`|B − A|: ${labelOf(b)} and ${labelOf(a)}`, '']
          : view === 'bits' || view === 'latent'
            ? [`${view === 'bits' ? 'Bits' : 'Latent'} of ${labelOf(latent?.version ?? 0)}`, '']
            : [`A: ${labelOf(a)}`, `B: ${labelOf(b)}`];
  element('tag-a', HTMLElement).textContent = tags[0];
  element('tag-b', HTMLElement).textContent = tags[1];
  canvas.setAttribute('aria-label', `${name}, ${tags.filter(Boolean).join(', ')}`);
}

function fill(select: HTMLSelectElement, labels: readonly string[], chosen: number): void {
  const said = [...select.options].map(({ text }) => text);
  if (said.join('\n') !== labels.join('\n')) {
    select.replaceChildren(...labels.map((label, value) => new Option(label, String(value))));
  }
  select.value = String(chosen);
}
