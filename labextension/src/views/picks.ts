/** Rows chosen by the mouse: a click on a box takes one, with Shift all from the last one on. */

import type { GridApi } from 'ag-grid-community';

import type { GridRow } from '../core/jobs.js';
import type { Selection } from '../core/selection.js';
import { PICK } from './columns.js';

export class Picks {
  constructor(private readonly selection: Selection) {}

  clicked(api: GridApi<GridRow>, row: GridRow | undefined, event: Event | null, index: number | null): void {
    const { target } = event ?? {};
    if (!row || !(target instanceof Element) || !target.closest(`[col-id="${PICK}"]`)) {
      return;
    }
    if (event instanceof MouseEvent && event.shiftKey && this.last !== null && index !== null) {
      this.selection.add(between(api, this.last, index));
    } else {
      this.selection.toggle(row.uuid);
    }
    this.last = index;
    if (index !== null) {
      // The keys belong to the cell, not to its box.
      api.setFocusedCell(index, PICK);
    }
  }

  private last: number | null = null;
}

function between(api: GridApi<GridRow>, one: number, other: number): string[] {
  const uuids: string[] = [];
  for (let at = Math.min(one, other); at <= Math.max(one, other); at += 1) {
    const uuid = api.getDisplayedRowAtIndex(at)?.data?.uuid;
    if (uuid) {
      uuids.push(uuid);
    }
  }
  return uuids;
}
