/** The columns of the grid: what each says about a job. Everything is written as text. */

import type { ColDef, ICellRendererComp, ICellRendererParams } from 'ag-grid-community';

import type { ExtraColumn } from '../core/api.js';
import { FILTERED } from '../core/column_filters.js';
import type { Choices, GridRow } from '../core/jobs.js';
import { t } from '../core/language.js';
import { Selection } from '../core/selection.js';
import { element } from '../dom.js';
import { isTerminal } from '../job.js';
import { progressBar } from '../progress.js';
import { ColumnFilterForm, type FilterSetting } from './column_filter.js';
import { age, clock, duration, moment, printable, progressWords, sentence, stateWords } from '../words.js';

type Cell = ICellRendererParams<GridRow>;
type Column = ColDef<GridRow> & { colId: string };

/** How much room there is. */
export type Shape = 'wide' | 'large' | 'middle' | 'small' | 'narrow';

/** What is left out where there is less room, unless somebody has chosen; what a job does is never. */
export const FAR: Readonly<Record<Shape, ReadonlySet<string>>> = {
  wide: new Set(),
  large: new Set(['execSystemLogicalQueue', 'execSystemId']),
  middle: new Set(['appId', 'execSystemLogicalQueue', 'execSystemId']),
  small: new Set(['appId', 'execSystemLogicalQueue', 'execSystemId', 'created']),
  narrow: new Set()
};
/** The column of the boxes: it is always there. */
export const PICK = 'select';

/** Pixels: what these columns have at least, so that what they say is not cut; less where there is no room for it. */
const LEAST: Readonly<Record<string, readonly [enough: number, little: number]>> = { name: [130, 100], lastMessage: [250, 100] };

/** Tells the values of a column that jobs have. */
type Choose = (column: string) => Promise<Choices>;

/** `extras` are columns of others; they stand after our own. */
export function columns(shape: Shape, selection: Selection, extras: readonly ExtraColumn[], choose: Choose): Column[] {
  const own = wide(selection).map(column => filterable(column, choose));
  if (shape === 'narrow') {
    return own.map(twoLined);
  }
  const fitting = own.map(column => {
    const least = LEAST[column.colId];
    return least ? { ...column, minWidth: least[shape === 'small' ? 1 : 0] } : column;
  });
  return [...fitting, ...extras.map(added)].map(column => (FAR[shape].has(column.colId) ? { ...column, hide: true } : column));
}

/** What the head of a column says. */
export function titleOf(colId: string): string {
  return t(wide(new Selection()).find(column => column.colId === colId)?.headerName ?? colId);
}

/** The column with its title in the page's language, and the filter that it has. */
function filterable(column: Column, choose: Choose): Column {
  const { colId } = column;
  const title = t(column.headerName ?? '');
  const kind = FILTERED[colId];
  if (!kind) {
    return { ...column, headerName: title };
  }
  const setting: FilterSetting = { kind, title, ...(kind === 'choice' && { choices: () => choose(colId) }) };
  return { ...column, headerName: title, filter: ColumnFilterForm, filterParams: setting };
}

/** State, name and time come first; nothing that matters is cut. What is hidden at first is shown when it is chosen. */
function wide(selection: Selection): Column[] {
  return [
    { colId: PICK, headerName: t('Selected'), headerClass: 'tj-mod-unseen', width: 40, resizable: false, sortable: false, suppressMovable: true, lockPosition: 'left',
      cellRenderer: boxOf(selection) },
    { colId: 'status', headerName: 'State', width: 154, cellRenderer: state },
    { colId: 'name', headerName: 'Name', flex: 3, cellRenderer: words(row => row.name) },
    { colId: 'time', headerName: 'Time', width: 92, sortable: false, cellClass: 'tj-mod-number', cellRenderer: time },
    { colId: 'lastMessage', headerName: 'What is going on', flex: 4, cellRenderer: words(said) },
    { colId: 'progress', headerName: 'Progress', width: 190, hide: true, cellRenderer: progress },
    { colId: 'appId', headerName: 'App', width: 130, cellRenderer: words(app) },
    { colId: 'execSystemId', headerName: 'System', width: 110, cellRenderer: words(row => row.execSystemId) },
    { colId: 'execSystemLogicalQueue', headerName: 'Queue', width: 100, cellRenderer: words(row => row.execSystemLogicalQueue) },
    { colId: 'created', headerName: 'Submitted', width: 146, cellRenderer: (cell: Cell) => local(cell.data?.created) },
    { colId: 'ended', headerName: 'Ended', width: 150, hide: true, cellRenderer: (cell: Cell) => local(cell.data?.ended) },
    number('nodeCount', 'Nodes', row => row.nodeCount),
    number('coresPerNode', 'Cores a node', row => row.coresPerNode),
    number('maxMinutes', 'Limit (min)', row => row.maxMinutes),
    number('exitCode', 'Exit code', row => row.exitCode ?? row.remoteResultInfo),
    { colId: 'owner', headerName: 'Owner', width: 120, hide: true, cellRenderer: words(row => row.owner) },
    { colId: 'remoteJobId', headerName: 'Scheduler id', width: 120, hide: true, cellRenderer: words(row => row.remoteJobId) },
    { colId: 'tags', headerName: 'Tags', width: 140, hide: true, sortable: false, cellRenderer: words(row => row.tags?.join(', ')) },
    { colId: 'uuid', headerName: 'UUID', width: 300, hide: true, cellRenderer: words(row => row.uuid) }
  ];
}

function number(colId: string, headerName: string, of: (row: GridRow) => number | string | null | undefined): Column {
  const cellRenderer = words(row => of(row)?.toLocaleString());
  return { colId, headerName, width: 104, hide: true, cellClass: 'tj-mod-number', cellRenderer };
}

/** A column of another package: the server does not sort by it. */
function added({ name, title, kind }: ExtraColumn): Column {
  const of = (row: GridRow | undefined): string => String(row?.extra?.[name] ?? '');
  const cellRenderer = kind === 'time' ? ({ data }: Cell) => local(of(data)) : words(of);
  const cellClass = kind === 'number' ? 'tj-mod-number' : '';
  return { colId: `extra:${name}`, headerName: printable(title), width: 120, sortable: false, cellClass, cellRenderer };
}

/** Two lines a row, where there is no room for columns; the others are there unseen, as they may be filtered. */
function twoLined(column: Column): Column {
  if (column.colId === PICK) {
    return { ...column, width: 34 };
  }
  const isName = column.colId === 'name';
  return isName ? { ...column, headerName: t('Jobs'), flex: 1, minWidth: 0, sortable: false, cellRenderer: twoLines } : { ...column, hide: true };
}

/** The columns that change as time goes by. */
export const TICKING = ['time', 'lastMessage', 'name'];

/** A box stays the same element while its job changes: a click that has begun is not lost by news. */
function boxOf(selection: Selection): new () => ICellRendererComp<GridRow> {
  return class {
    init(cell: Cell): void {
      this.refresh(cell);
    }

    getGui(): HTMLElement {
      return this.box;
    }

    refresh({ data }: Cell): boolean {
      this.box.hidden = !data;
      this.box.checked = data !== undefined && selection.has(data.uuid);
      this.box.setAttribute('aria-label', t('Select {name}', { name: printable(data?.name ?? '') }));
      return true;
    }

    private readonly box = element('input', 'tj-Pick', { type: 'checkbox', tabindex: '-1' });
  };
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

/** The job's own message where it is over or in trouble; how far it says it is while it runs; else what it does. */
function said(row: GridRow): string {
  return (row.status === 'FAILED' && row.lastMessage) || (row.status === 'RUNNING' && progressWords(row)) || sentence(row, Date.now());
}

function progress({ data }: Cell): HTMLElement {
  return data ? progressBar(data) : element('span', 'tj-Wait', {}, '…');
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
  return element('span', '', { title: at === null ? '' : t('{time} UTC', { time: told ?? '' }) }, shown);
}

function twoLines({ data }: Cell): HTMLElement {
  if (!data) {
    return element('span', 'tj-Wait', {}, '…');
  }
  const name = element('span', 'tj-Name', {}, printable(data.name ?? ''));
  const first = element('div', 'tj-First', {}, name);
  const where = [data.appId, data.execSystemId].filter(Boolean).join(' · ');
  const tells = element('span', 'tj-Words', {}, printable(data.status === 'FINISHED' ? where : said(data)));
  const second = element('div', 'tj-Second', {}, badge(data.status), tells, element('span', 'tj-mod-number', {}, passed(data)));
  return element('div', 'tj-TwoLines', { title: printable(`${data.name ?? ''}: ${said(data)}`) }, first, second);
}
