/** The table of jobs: as many rows as there are, of which only those in view are fetched and drawn. */

import {
  CellStyleModule, ColumnApiModule, createGrid, CustomFilterModule, EventApiModule, InfiniteRowModelModule, LocaleModule,
  ModuleRegistry, RenderApiModule, RowApiModule, RowStyleModule, ScrollApiModule, type GridApi, type IDatasource,
  type IGetRowsParams, type IRowNode
} from 'ag-grid-community';

import { isOlder } from '../card.js';
import type { ExtraColumn } from '../core/api.js';
import { FILTERED, filtersOf, isSame, type ColumnFilters } from '../core/column_filters.js';
import { choiceOf, filteredBy, filtersIn, fitted, laidOut, type Layout } from '../core/column_sets.js';
import type { Values } from '../core/extras.js';
import type { Choices, GridRow, Page } from '../core/jobs.js';
import { KnownPages } from '../core/known_pages.js';
import { t } from '../core/language.js';
import type { Order } from '../core/search.js';
import type { Selection } from '../core/selection.js';
import { isTerminal } from '../job.js';
import type { Offer } from './column_menu.js';
import { columns, FAR, PICK, TICKING, type Shape } from './columns.js';
import { THEME } from './grid_theme.js';
import { Picks } from './picks.js';

ModuleRegistry.registerModules([
  CellStyleModule, ColumnApiModule, CustomFilterModule, EventApiModule, InfiniteRowModelModule, LocaleModule, RenderApiModule,
  RowApiModule, RowStyleModule, ScrollApiModule
]);

/** Rows of one request. */
const BLOCK = 100;
/** News that are kept for pages on their way. */
const KEPT = 5000;
/** Pixels: below the first width a row has two lines, below the next ones it has fewer columns. */
const SHAPES: readonly (readonly [number, Shape])[] = [
  [560, 'narrow'], [815, 'small'], [940, 'middle'], [1150, 'large'], [Infinity, 'wide']
];
/** Pixels: the height of a row with one line, and with two. */
const [LOW, HIGH] = [30, 46];

export interface GridHost {
  selection: Selection;
  fetch(orders: readonly Order[], skip: number, limit: number): Promise<Page>;
  open(row: GridRow): void;
  failed(fault: unknown): void;
  /** The columns are laid out otherwise, by a person. */
  arranged(layout: Layout): void;
  /** Single columns are filtered otherwise. */
  filtered(filters: ColumnFilters): void;
  /** The values of a column that jobs have. */
  choices(column: string): Promise<Choices>;
}

export class Grid {
  constructor(
    private readonly node: HTMLElement,
    private readonly host: GridHost,
    private chosen: Layout = []
  ) {
    this.picks = new Picks(host.selection);
    this.api = createGrid<GridRow>(node, {
      theme: THEME,
      rowModelType: 'infinite',
      datasource: this.source(),
      columnDefs: this.definitions(),
      defaultColDef: { resizable: true, sortable: true, sortingOrder: ['desc', 'asc', null], valueGetter: ({ data }) => data },
      getRowId: ({ data }) => data.uuid,
      rowHeight: LOW,
      cacheBlockSize: BLOCK,
      maxBlocksInCache: 20,
      maxConcurrentDatasourceRequests: 2,
      blockLoadDebounceMillis: 60,
      ensureDomOrder: true,
      getLocaleText: ({ defaultValue, variableValues = [] }) =>
        variableValues.reduce((words, value) => words.replace('${variable}', value), t(defaultValue)),
      // The view's own colours and keys hold in what opens over the grid.
      popupParent: node,
      suppressDragLeaveHidesColumns: true,
      rowClassRules: {
        'tj-mod-picked': ({ data }) => data !== undefined && host.selection.has(data.uuid),
        'tj-mod-open': ({ data }) => data !== undefined && data.uuid === this.marked,
        'tj-mod-hidden': ({ data }) => data?.visible === false
      },
      suppressNoRowsOverlay: true,
      onRowClicked: ({ data, event, rowIndex }) => this.picks.clicked(this.api, data, event ?? null, rowIndex),
      onRowDoubleClicked: ({ data }) => data && host.open(data),
      onColumnMoved: ({ finished, source }) => finished && source === 'uiColumnMoved' && this.arranged(),
      onColumnResized: ({ finished, source }) => finished && source === 'uiColumnResized' && this.arranged(),
      onFilterChanged: () => this.filtered(this.api.getFilterModel()),
      onSortChanged: ({ source }) => source === 'uiColumnSorted' && this.arranged()
    });
    this.lay(this.chosen);
    this.size = new ResizeObserver(([entry]) => this.fit(entry?.contentRect.width ?? 0));
    this.size.observe(node);
  }

  dispose(): void {
    this.size.disconnect();
    this.api.destroy();
  }

  /** Something else will be asked for: until it has come, what is seen is told to be on its way. */
  expectOthers(): void {
    this.questions += 1;
    this.node.setAttribute('aria-busy', 'true');
  }

  /** Begin again at the top, as another filter asks for. */
  reload(): void {
    this.left = null;
    this.expectOthers();
    this.news.clear();
    this.extra.clear();
    this.api.setGridOption('datasource', this.source());
  }

  /** Fetch again what is loaded; selection and scroll stay. */
  refresh(): void {
    this.news.clear();
    this.api.refreshInfiniteCache();
  }

  /** Draw news of jobs that are loaded. */
  patch(changed: Map<string, GridRow>): void {
    if (this.news.size > KEPT) {
      this.news.clear();
    }
    for (const [uuid, row] of changed) {
      const before = this.news.get(uuid);
      this.news.set(uuid, before ? { ...before, ...row } : row);
      const node = this.api.getRowNode(uuid);
      if (node?.data && !isOlder(row, node.data)) {
        node.setData({ ...node.data, ...row });
      }
    }
  }

  /** Time has gone by: only rows in view that are not over are drawn again. */
  tick(): void {
    const rowNodes = this.api.getRenderedNodes().filter(({ data }) => data && !isTerminal(data.status));
    if (rowNodes.length) {
      this.api.refreshCells({ rowNodes, columns: TICKING, force: true });
    }
  }

  /** The selection has changed: rows in view that look otherwise now are drawn again. */
  redrawPicks(): void {
    for (const node of this.api.getRenderedNodes()) {
      const { data } = node;
      if (data && this.host.selection.has(data.uuid) !== this.picked.has(data.uuid)) {
        node.setData({ ...data });
      }
    }
    this.picked = new Set(this.host.selection.uuids);
  }

  // -- columns

  get layout(): Layout {
    const columns = this.api.getColumnState().map(state => choiceOf({ ...state }));
    return filteredBy(laidOut(columns, this.chosen, FAR[this.shape], this.said), this.filters);
  }

  /** Lay the columns out, and filter them, as they were kept; as at first where nothing was. */
  lay(layout: Layout): void {
    this.chosen = layout;
    this.said.clear();
    this.order();
    const filters = filtersIn(layout);
    if (!isSame(filters, this.filters)) {
      this.api.setFilterModel(filters);
    }
  }

  /** Filter by a column no more. */
  unfilter(colId: string): void {
    void this.api.setColumnFilterModel(colId, null).then(() => this.api.onFilterChanged());
  }

  /** Open the filter of the column that has the focus, as its header does; where it has none that of the names. */
  filterHere(): void {
    const colId = this.api.getFocusedCell()?.column.getColId() ?? '';
    this.api.showColumnFilter(Object.hasOwn(FILTERED, colId) ? colId : 'name');
  }

  private filtered(model: unknown): void {
    const filters = filtersOf(model);
    if (!isSame(filters, this.filters)) {
      this.filters = filters;
      this.questions += 1;
      this.host.filtered(filters);
      this.arranged();
    }
  }

  private order(): void {
    const layout = this.chosen;
    if (this.shape === 'narrow') {
      return;
    }
    if (layout.length) {
      const state = fitted(layout, FAR[this.shape]).map(choice => ({ ...choice }));
      this.api.applyColumnState({ state, applyOrder: true });
    } else {
      this.api.resetColumnState();
    }
  }

  /** What may be shown or not; nothing where there is no room for columns. */
  get offers(): Offer[] {
    const shown = new Map(this.api.getColumnState().map(({ colId, hide }) => [colId, !hide]));
    return this.definitions()
      .filter(({ colId }) => colId !== PICK && this.shape !== 'narrow')
      .map(({ colId, headerName }) => ({ colId, title: headerName ?? colId, isShown: shown.get(colId) ?? false }));
  }

  setShown(colId: string, isShown: boolean): void {
    this.api.setColumnsVisible([colId], isShown);
    this.said.set(colId, isShown);
    this.arranged();
  }

  /** Columns of other packages; what they say comes by `setExtra`. */
  setExtras(extras: readonly ExtraColumn[]): void {
    this.extras = extras;
    this.redefine();
  }

  /** What one source of columns tells of jobs, beside what others have told. */
  setExtra(values: Values): void {
    for (const [uuid, told] of Object.entries(values)) {
      const extra = { ...this.extra.get(uuid), ...told };
      this.extra.set(uuid, extra);
      const node = this.api.getRowNode(uuid);
      if (node?.data) {
        node.setData({ ...node.data, extra });
      }
    }
  }

  private arranged(): void {
    if (this.shape !== 'narrow') {
      this.chosen = this.layout;
    } else if (this.chosen.length) {
      this.chosen = filteredBy(this.chosen, this.filters);
    }
    this.host.arranged(this.chosen);
  }

  private definitions(): ReturnType<typeof columns> {
    return columns(this.shape, this.host.selection, this.extras, column => this.host.choices(column));
  }

  private redefine(): void {
    this.api.setGridOption('columnDefs', this.definitions());
    this.order();
  }

  // -- rows

  /** Mark the row of the job that is looked at beside the grid; null for none. */
  mark(uuid: string | null): void {
    const before = this.marked;
    this.marked = uuid;
    for (const one of [before, uuid]) {
      const node = one === null ? undefined : this.api.getRowNode(one);
      if (node?.data) {
        node.setData({ ...node.data });
      }
    }
  }

  has(uuid: string): boolean {
    return this.api.getRowNode(uuid) !== undefined;
  }

  /** True where a new row at the top would be seen, and moves nothing else from under the eye. */
  get isAtTop(): boolean {
    return this.api.getVerticalPixelRange().top < LOW;
  }

  get isNewestFirst(): boolean {
    return this.orders.length === 0;
  }

  get focused(): GridRow | null {
    return this.focusedNode()?.data ?? null;
  }

  /** Move the focus up or down. */
  move(step: number): void {
    const now = this.api.getFocusedCell()?.rowIndex ?? (step > 0 ? -1 : 1);
    const next = Math.min(Math.max(0, now + step), this.api.getDisplayedRowCount() - 1);
    if (next >= 0) {
      this.api.ensureIndexVisible(next);
      this.api.setFocusedCell(next, 'name');
    }
  }

  private focusedNode(): IRowNode<GridRow> | undefined {
    const cell = this.api.getFocusedCell();
    return cell ? this.api.getDisplayedRowAtIndex(cell.rowIndex) : undefined;
  }

  private source(): IDatasource {
    return { getRows: params => void this.rows(params) };
  }

  private async rows({ startRow, endRow, sortModel, filterModel, successCallback, failCallback }: IGetRowsParams): Promise<void> {
    this.orders = sortModel.map(({ colId, sort }) => ({ column: colId, isDown: sort === 'desc' }));
    this.filtered(filterModel);
    const { questions } = this;
    const question = JSON.stringify([questions, sortModel]);
    try {
      const page = await this.host.fetch(this.orders, startRow, endRow - startRow);
      this.known.keep(question, startRow, page);
      successCallback(page.rows.map(row => this.newer(row)), page.total);
      this.comeBack();
    } catch (fault) {
      const known = this.known.from(startRow);
      if (known) {
        successCallback(known.rows.map(row => this.newer(row)), known.total);
      } else {
        failCallback();
      }
      this.host.failed(fault);
    }
    if (questions === this.questions) {
      this.node.setAttribute('aria-busy', 'false');
    }
  }

  /** A page may have been read before news that came earlier than it. */
  private newer(row: GridRow): GridRow {
    const news = this.news.get(row.uuid);
    const extra = this.extra.get(row.uuid);
    return { ...row, ...(news && !isOlder(news, row) && news), ...(extra && { extra }) };
  }

  /** Other columns for another width; what is there is drawn anew only when the rows get another height. */
  private fit(width: number): void {
    const shape = SHAPES.find(([limit]) => width < limit)?.[1] ?? 'wide';
    if (width === 0 || shape === this.shape) {
      return;
    }
    const isOtherHeight = (shape === 'narrow') !== (this.shape === 'narrow');
    this.shape = shape;
    const index = this.api.getFocusedCell()?.rowIndex;
    const hasKeys = this.node.contains(document.activeElement);
    this.redefine();
    if (isOtherHeight) {
      this.api.setGridOption('rowHeight', shape === 'narrow' ? HIGH : LOW);
      this.reload();
      // All rows are drawn anew: who was at one of them is there again once they have come.
      this.left = index === undefined ? null : { index, hasKeys };
    } else if (index !== undefined && hasKeys) {
      this.api.setFocusedCell(index, 'name');
    }
  }

  private comeBack(): void {
    const { left } = this;
    this.left = null;
    if (left && left.index < this.api.getDisplayedRowCount()) {
      this.api.ensureIndexVisible(left.index);
      if (left.hasKeys && (this.node.contains(document.activeElement) || document.activeElement === document.body)) {
        this.api.setFocusedCell(left.index, 'name');
      }
    }
  }

  private readonly api: GridApi<GridRow>;
  private readonly size: ResizeObserver;
  private readonly news = new Map<string, GridRow>();
  private readonly extra = new Map<string, Values[string]>();
  private extras: readonly ExtraColumn[] = [];
  private readonly picks: Picks;
  private picked = new Set<string>();
  private orders: readonly Order[] = [];
  private filters: ColumnFilters = {};
  /** Columns that somebody has shown, or not, since they were laid out. */
  private readonly said = new Map<string, boolean>();
  private readonly known = new KnownPages();
  /** How often something else was asked for. */
  private questions = 0;
  private shape: Shape = 'wide';
  private left: { index: number; hasKeys: boolean } | null = null;
  private marked: string | null = null;
}
