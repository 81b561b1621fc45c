/**
 * Columns that sort: every header becomes a button, which says with `aria-sort` how the rows stand.
 * @module
 */

export function makeSortable(table: HTMLTableElement): void {
  const body = table.tBodies[0];
  const headers = [...(table.tHead?.rows[0]?.cells ?? [])];
  if (body === undefined) return;
  for (const [column, header] of headers.entries()) {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener('click', () => {
      const direction = header.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
      for (const other of headers) other.removeAttribute('aria-sort');
      header.setAttribute('aria-sort', direction === 1 ? 'ascending' : 'descending');
      const rows = [...body.rows].map((row) => ({ row, key: keyOf(row.cells[column]) }));
      rows.sort((one, other) => compare(one.key, other.key, direction));
      body.append(...rows.map(({ row }) => row));
    });
  }
}

type SortKey = number | string | undefined;

/** A figure, a text, or nothing for a figure that is not there. */
function keyOf(cell: HTMLTableCellElement | undefined): SortKey {
  const value = cell?.dataset.value;
  if (value === undefined) return cell?.textContent?.trim() ?? '';
  return value === '' ? undefined : Number(value);
}

/** What has no figure stands last either way. */
function compare(one: SortKey, other: SortKey, direction: number): number {
  if (one === undefined || other === undefined) {
    return Number(one === undefined) - Number(other === undefined);
  }
  if (typeof one === 'number' && typeof other === 'number') return direction * (one - other);
  return direction * String(one).localeCompare(String(other), 'en', { numeric: true });
}
