/** The columns of the grid: what each says about a job. Everything is written as text. */

import type { ColDef, ICellRendererParams } from 'ag-grid-community';

import type { GridRow } from '../core/jobs.js';
import type { Selection } from '../core/selection.js';
import { element } from '../dom.js';
import { isTerminal } from '../job.js';
import { age, clock, duration, moment, printable, sentence, stateWords } from '../words.js';

type Cell = ICellRendererParams<GridRow>;

/** How much room there is. */
export type Shape = 'wide' | 'middle' | 'narrow';

/** What is left out where there is less room. */
const FAR = new Set(['appId', 'execSystemLogicalQueue']);

export function columns(shape: Shape, selection: Selection): ColDef<GridRow>[] {
  const all = wide(selection);
  return shape === 'narrow' ? narrow(selection) : shape === 'wide' ? all : all.filter(({ colId }) => !FAR.has(colId ?? ''));
}

/** State, name and time come first; nothing that matters is cut. */
function wide(selection: Selection): ColDef<GridRow>[] {
  return [
    { colId: 'select', headerName: '', width: 40, resizable: false, sortable: false, suppressMovable: true,
      cellRenderer: (cell: Cell) => box(cell, selection) },
    { colId: 'status', headerName: 'State', width: 158, cellRenderer: state },
    { colId: 'name', headerName: 'Name', flex: 2, minWidth: 150, cellRenderer: words(row => row.name) },
    { colId: 'time', headerName: 'Time', width: 112, sortable: false, cellClass: 'tj-mod-number', cellRenderer: time },
    { colId: 'lastMessage', headerName: 'What is going on', flex: 3, minWidth: 160, cellRenderer: words(said) },
    { colId: 'appId', headerName: 'App', width: 130, cellRenderer: words(app) },
    { colId: 'execSystemId', headerName: 'System', width: 110, cellRenderer: words(row => row.execSystemId) },
    { colId: 'execSystemLogicalQueue', headerName: 'Queue', width: 100, cellRenderer: words(row => row.execSystemLogicalQueue) },
    { colId: 'created', headerName: 'Submitted', width: 142, cellRenderer: (cell: Cell) => local(cell.data?.created) }
  ];
}

/** Two lines a row, where there is no room for columns. */
function narrow(selection: Selection): ColDef<GridRow>[] {
  const [select] = wide(selection);
  return [{ ...select, width: 34 }, { colId: 'name', headerName: 'Jobs', flex: 1, sortable: false, cellRenderer: twoLines }];
}

/** The columns that change as time goes by. */
export const TICKING = ['time', 'lastMessage', 'name'];

function box({ data }: Cell, selection: Selection): HTMLElement {
  const drawn = element('input', 'tj-Pick', { type: 'checkbox', tabindex: '-1' });
  if (!data) {
    drawn.hidden = true;
    return drawn;
  }
  drawn.checked = selection.has(data.uuid);
  drawn.setAttribute('aria-label', `Select ${printable(data.name ?? '')}`);
  return drawn;
}

/** Glyph, word and colour, so that none is needed alone. */
export function badge(status: string | undefined): HTMLElement {
  const look = stateWords(status);
  const drawn = element('span', 'tj-Tone tj-State', {}, element('span', 'tj-Glyph', { 'aria-hidden': 'true' }, look.glyph), ` ${status ?? ''}`);
  drawn.dataset['tone'] = look.tone;
  return drawn;
}

function state({ data }: Cell): HTMLElement {
  return data ? badge(data.status) : element('span', 'tj-Wait', {}, '…');
}

function words(of: (row: GridRow) => string | null | undefined): (cell: Cell) => HTMLElement {
  return ({ data }) => {
    const told = printable((data && of(data)) || '');
    return element('span', 'tj-Words', { title: told }, told);
  };
}

function app(row: GridRow): string {
  return row.appId ? `${row.appId}@${row.appVersion ?? ''}` : '';
}

/** The job's own message where it is over or in trouble, else what it does. */
function said(row: GridRow): string {
  return (row.status === 'FAILED' && row.lastMessage) || sentence(row, Date.now());
}

function passed(row: GridRow): string {
  const seconds = age(row, Date.now());
  return isTerminal(row.status) ? duration(seconds) : clock(seconds);
}

function time({ data }: Cell): HTMLElement {
  return element('span', '', {}, data ? passed(data) : '');
}

function local(told: string | null | undefined): HTMLElement {
  const at = moment(told);
  const shown = at === null ? '' : new Date(at).toLocaleString([], { dateStyle: 'short', timeStyle: 'short' });
  return element('span', '', { title: at === null ? '' : `${told} UTC` }, shown);
}

function twoLines({ data }: Cell): HTMLElement {
  if (!data) {
    return element('span', 'tj-Wait', {}, '…');
  }
  const name = element('span', 'tj-Name', {}, printable(data.name ?? ''));
  const first = element('div', 'tj-First', {}, name, element('span', 'tj-mod-number', {}, passed(data)));
  const second = element('div', 'tj-Second', {}, badge(data.status), ` ${printable([app(data), data.execSystemId].filter(Boolean).join(' · '))}`);
  return element('div', 'tj-TwoLines', { title: printable(said(data)) }, first, second);
}
