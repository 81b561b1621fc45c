import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderBenchPage } from '#src/bench/report/page.js';
import { openCodec } from '#src/codec/open.js';
import { ROOT } from '../../cli/command.js';
import { CHROMIUM, openBrowser } from './browser.js';
import { coarse, makeSample, ORIGINAL, type Sample } from './sample.js';

if (!CHROMIUM) console.log('report in a browser: skipped, no Chromium in /usr/bin');

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SHOTS = join(ROOT, 'out', 'report');
/** What ours is shown at: the setting nearest to 0.4 bits per pixel. */
const CODED = coarse(8);

let sample: Sample;
let browser: Browser;
let address: string;

/** A page of its own, at a place of the viewer where `hash` says one. */
async function open(hash = '', options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    offline: true,
    ...options,
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => {
    throw error;
  });
  await page.goto(`${address}${hash}`);
  if (options.javaScriptEnabled !== false) await painted(page);
  return page;
}

/** Waits until what the address says is on the canvas. */
async function painted(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const stage = document.querySelector<HTMLElement>('#viewer-stage');
    const said = stage?.dataset.painted;
    return said !== undefined && (!location.hash.includes('view=') || said === location.hash);
  });
}

/** Red, green and blue of the canvas at a point of the stage, in CSS pixels. */
function canvasAt(page: Page, x: number, y: number): Promise<number[]> {
  return page.evaluate(
    ([left, top]) => {
      const canvas = document.querySelector<HTMLCanvasElement>('#viewer-canvas');
      const data = canvas?.getContext('2d')?.getImageData(left ?? 0, top ?? 0, 1, 1).data;
      return [...(data?.slice(0, 3) ?? [])];
    },
    [x, y],
  );
}

function stageSize(page: Page): Promise<{ width: number; height: number }> {
  return page.$eval('#viewer-stage', ({ clientWidth, clientHeight }) => ({
    width: clientWidth,
    height: clientHeight,
  }));
}

/** A pixel of a picture that we made. */
function pixel({ widthPx, data }: typeof ORIGINAL, x: number, y: number): number[] {
  return [...data.slice(3 * (y * widthPx + x), 3 * (y * widthPx + x) + 3)];
}

const hash = (page: Page) => page.evaluate(() => location.hash);

describe.skipIf(!CHROMIUM)('the report in a browser', () => {
  beforeAll(async () => {
    sample = makeSample();
    await using codec = await openCodec({ model: 'fixture', provider: 'cpu' });
    writeFileSync(join(sample.folder, 'ours.vae'), await codec.compress(ORIGINAL));
    const rows = sample.record.rows.map((row) =>
      row.codec === 'ours' ? { ...row, codedPath: 'ours.vae' } : row,
    );
    const html = await renderBenchPage({ ...sample.record, rows }, { folder: sample.folder });
    const file = join(sample.folder, 'report.html');
    writeFileSync(file, html);
    address = pathToFileURL(file).href;
    mkdirSync(SHOTS, { recursive: true });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    sample?.remove();
  });

  it('at 32 times every pixel of the picture is a square of its own colour, in both halves', async () => {
    const page = await open('#view=split&zoom=32&x=48&y=32');
    const { width, height } = await stageSize(page);
    for (const [column, row] of [
      [40, 30],
      [45, 35],
      [50, 28],
      [55, 36],
    ] as const) {
      const left = width / 2 + (column - 48) * 32;
      const top = height / 2 + (row - 32) * 32;
      const expected = pixel(column < 48 ? ORIGINAL : CODED, column, row);
      for (const at of [3, 16, 29]) {
        expect(await canvasAt(page, left + at, top + at)).toEqual(expected);
      }
    }
    expect(await page.textContent('#viewer-zoom')).toBe('3200 %');
    await page.context().close();
  });

  it('zoom goes to 32 times and no further, keeps the middle, and stands in the address', async () => {
    const page = await open();
    await page.focus('#viewer-stage');
    for (let press = 0; press < 14; press++) await page.keyboard.press('+');
    await painted(page);
    expect(await hash(page)).toContain('zoom=32');
    expect(await page.textContent('#viewer-readout')).toContain('x 48, y 32');
    await page.keyboard.press('ArrowRight');
    await painted(page);
    expect(await page.textContent('#viewer-readout')).toContain('x 49, y 32');
    await page.reload();
    await painted(page);
    expect(await page.textContent('#viewer-readout')).toContain('x 49, y 32');
    await page.focus('#viewer-stage');
    await page.keyboard.press('0');
    await painted(page);
    expect(await hash(page)).not.toContain('zoom');
    await page.context().close();
  });

  it('the wheel zooms at the pointer once the viewer has the focus, and scrolls the page before', async () => {
    const page = await open('#view=split&zoom=16&x=48&y=32');
    const rest = async () => {
      const box = await page.locator('#viewer-stage').boundingBox();
      await page.mouse.move((box?.x ?? 0) + 500, (box?.y ?? 0) + 300);
    };
    await page.locator('#viewer-stage').scrollIntoViewIfNeeded();
    await rest();
    const scrolled = await page.evaluate(() => scrollY);
    await page.mouse.wheel(0, -120);
    await page.waitForFunction((from) => scrollY < from, scrolled);
    expect(await hash(page)).toContain('zoom=16&');
    await page.focus('#viewer-stage');
    await rest();
    const before = await page.textContent('#viewer-readout');
    await page.mouse.wheel(0, -240);
    await page.waitForFunction(() => location.hash.includes('zoom=32'));
    await painted(page);
    expect(await page.textContent('#viewer-readout')).toBe(before);
    await page.context().close();
  });

  it('the split is moved by slider, keys and drag', async () => {
    const page = await open('#view=split&zoom=4&x=48&y=32');
    const { width, height } = await stageSize(page);
    const onTheLeft = width / 2 - 80;
    const column = 48 - 20;
    expect(await canvasAt(page, onTheLeft + 2, height / 2 + 2)).toEqual(
      pixel(ORIGINAL, column, 32),
    );
    await page.fill('#viewer-split', '10');
    await painted(page);
    expect(await canvasAt(page, onTheLeft + 2, height / 2 + 2)).toEqual(pixel(CODED, column, 32));
    await page.focus('#viewer-stage');
    await page.keyboard.press(']');
    await painted(page);
    expect(await hash(page)).toContain('split=0.12');
    await page.locator('#viewer-stage').scrollIntoViewIfNeeded();
    const box = await page.locator('#viewer-stage').boundingBox();
    const at = (share: number): [number, number] => [
      (box?.x ?? 0) + share * width,
      (box?.y ?? 0) + height / 2,
    ];
    await page.mouse.move(...at(0.12));
    await page.mouse.down();
    await page.mouse.move(...at(0.75), { steps: 3 });
    await page.mouse.up();
    expect(await hash(page)).toContain('split=0.75');
    await page.context().close();
  });

  it('dragging moves the picture, in both panels at once', async () => {
    const page = await open('#view=side&zoom=16&x=48&y=32');
    await page.locator('#viewer-stage').scrollIntoViewIfNeeded();
    const box = await page.locator('#viewer-stage').boundingBox();
    const { width, height } = await stageSize(page);
    await page.mouse.move((box?.x ?? 0) + 200, (box?.y ?? 0) + 200);
    await page.mouse.down();
    await page.mouse.move((box?.x ?? 0) + 40, (box?.y ?? 0) + 200, { steps: 4 });
    await page.mouse.up();
    await painted(page);
    expect(await hash(page)).toContain('x=58&');
    const half = (width - 4) / 2;
    expect(await canvasAt(page, half / 2 + 3, height / 2 + 3)).toEqual(pixel(ORIGINAL, 58, 32));
    expect(await canvasAt(page, half + 4 + half / 2 + 3, height / 2 + 3)).toEqual(
      pixel(CODED, 58, 32),
    );
    await page.context().close();
  });

  it('blinking stands still when told, and Space goes from A to B', async () => {
    const page = await open('#view=blink&zoom=8&x=48&y=32');
    const { width, height } = await stageSize(page);
    const shown = () => canvasAt(page, width / 2 + 4, height / 2 + 4);
    await page.uncheck('#viewer-blinking');
    const tag = await page.textContent('#viewer-tag-a');
    const [a, b] = [pixel(ORIGINAL, 48, 32), pixel(CODED, 48, 32)];
    expect(await shown()).toEqual(tag?.startsWith('A') ? a : b);
    await page.focus('#viewer-stage');
    await page.keyboard.press(' ');
    await page.waitForFunction(
      (before) => document.querySelector('#viewer-tag-a')?.textContent !== before,
      tag,
    );
    expect(await shown()).toEqual(tag?.startsWith('A') ? b : a);
    await page.check('#viewer-blinking');
    await page.waitForFunction(
      (before) => document.querySelector('#viewer-tag-a')?.textContent === before,
      tag,
    );
    await page.context().close();
  });

  it('does not blink by itself where motion is unwanted', async () => {
    const page = await open('#view=blink', { reducedMotion: 'reduce' });
    expect(await page.isChecked('#viewer-blinking')).toBe(false);
    await page.context().close();
  });

  it('difference is B less A around mid-grey times the gain, and the error map is dark where they agree', async () => {
    const page = await open('#view=difference&zoom=16&x=48&y=32&gain=8');
    const { width, height } = await stageSize(page);
    const [a, b] = [pixel(ORIGINAL, 48, 32), pixel(CODED, 48, 32)];
    const expected = b.map((sample, c) =>
      Math.min(255, Math.max(0, 128 + 8 * (sample - (a[c] ?? 0)))),
    );
    expect(await canvasAt(page, width / 2 + 8, height / 2 + 8)).toEqual(expected);
    await page.click('[data-view=heat]');
    await page.selectOption('#viewer-b', '0');
    await painted(page);
    expect(await canvasAt(page, width / 2 + 8, height / 2 + 8)).toEqual([8, 8, 20]);
    await page.context().close();
  });

  it('bits and latent planes lie over the picture, a position as large as its pixels', async () => {
    const page = await open('#view=bits&zoom=16&x=48&y=32');
    const { width, height } = await stageSize(page);
    const at = (x: number, y: number) =>
      canvasAt(page, width / 2 + (x - 48) * 16, height / 2 + (y - 32) * 16);
    const [corner, same] = [await at(48.2, 32.2), await at(51.8, 35.8)];
    expect(same).toEqual(corner);
    expect(await page.textContent('#viewer-high')).toMatch(/^\d\.\d\d$/);
    await page.focus('#viewer-stage');
    await page.keyboard.press('l');
    await painted(page);
    const [plane, samePlane] = [await at(48.2, 32.2), await at(51.8, 35.8)];
    expect(samePlane).toEqual(plane);
    expect(new Set(plane).size).toBe(1);
    await page.keyboard.press('.');
    await painted(page);
    expect(await hash(page)).toContain('plane=1');
    expect(await page.$eval('#viewer-plane', (select) => (select as HTMLSelectElement).value)).toBe(
      '1',
    );
    await page.context().close();
  });

  it('the table sorts by any column, both ways, and says so', async () => {
    const page = await open();
    const column = (index: number) =>
      page.$$eval(
        '#rows tbody tr',
        (rows, at) => rows.map((row) => row.children[at]?.textContent ?? ''),
        index,
      );
    const first = await column(0);
    expect(first[0]).toBe('second.png');
    const bytes = page.getByRole('button', { name: 'bytes' });
    await bytes.focus();
    await page.keyboard.press('Enter');
    expect(await page.getAttribute('#rows thead th:nth-child(4)', 'aria-sort')).toBe('ascending');
    const numbers = (await column(3)).map(Number);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    await bytes.click();
    expect(await page.getAttribute('#rows thead th:nth-child(4)', 'aria-sort')).toBe('descending');
    expect((await column(3)).map(Number)).toEqual(numbers.toReversed());
    await page.getByRole('button', { name: 'image' }).click();
    expect(await page.$$('#rows [aria-sort]')).toHaveLength(1);
    expect((await column(0))[0]).toBe('first.png');
    await page.context().close();
  });

  it('without script the pictures are there and the viewer is not', async () => {
    const page = await open('', { javaScriptEnabled: false });
    expect(await page.isVisible('#viewer')).toBe(false);
    expect(await page.isVisible('#picture-0-1')).toBe(true);
    expect(await page.$$('#rows button')).toHaveLength(0);
    await page.context().close();
  });

  it.each([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['phone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
  ] as const)(
    'axe finds no fault, and nothing is wider than the screen: %s',
    async (name, look) => {
      const page = await open('', look);
      await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
      await page.evaluate(AXE);
      const { violations } = await page.evaluate(() => {
        const { axe } = window as unknown as { axe: { run(): Promise<AxeResults> } };
        return axe.run();
      });
      expect(
        violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0]?.html}`),
      ).toEqual([]);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow).toBe(0);
      await page.context().close();
    },
  );
});
