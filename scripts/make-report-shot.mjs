/**
 * Writes docs/report.jpg: the page of a small run on pictures of our own, as Chromium shows it. Takes a few minutes, the
 * programs of the other codecs on the PATH, and Chromium.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { ROOT } from './setup/shell.mjs';

const CHROMIUM = '/usr/bin/chromium';
const PICTURES = ['fixtures/photo.png', 'fixtures/interface.png', 'fixtures/gradients.png'];
const CODECS = ['--codecs', 'ours,jpeg,webp,avif,jxl'];

const folder = mkdtempSync(join(tmpdir(), 'vaerans-shot-'));
try {
  const page = join(folder, 'report.html');
  execFileSync(
    process.execPath,
    ['bin/vaerans.js', 'bench', ...PICTURES, ...CODECS, '--report', page, '--quiet'],
    { cwd: ROOT, stdio: 'inherit' },
  );
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  const tab = await browser.newPage({ viewport: { width: 1180, height: 900 } });
  await tab.goto(`${pathToFileURL(page).href}#view=split&zoom=2&x=420&y=300`);
  await tab.selectOption('#viewer-picture', { label: 'photo.png' });
  await tab.waitForFunction(
    () => document.querySelector('#viewer-stage')?.getAttribute('data-painted') === location.hash,
  );
  await tab.locator('#pictures').screenshot({
    path: join(ROOT, 'docs/report.jpg'),
    type: 'jpeg',
    quality: 70,
  });
  await browser.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
