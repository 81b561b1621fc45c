/**
 * Brings the page to life: sorts its table, opens its viewer.
 * @module
 */
import type { ViewedPicture } from './data.js';
import { makeSortable } from './table.js';
import { Viewer } from './viewer.js';

const rowsTable = document.getElementById('rows');
if (rowsTable instanceof HTMLTableElement) makeSortable(rowsTable);

const viewerRoot = document.getElementById('viewer');
const viewerData = document.getElementById('viewer-data');
if (viewerRoot && viewerData) {
  new Viewer(viewerRoot, JSON.parse(viewerData.textContent ?? '[]') as ViewedPicture[]);
  document.documentElement.classList.add('scripted');
}
