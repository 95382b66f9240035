/** The jobs of a person: search, chips, the grid, and what is done to the chosen ones. Live while it is seen. */

import { told } from '../core/client.js';
import { ColumnSets, filtersIn } from '../core/column_sets.js';
import type { Extras } from '../core/extras.js';
import type { GridRow, Jobs, Page } from '../core/jobs.js';
import { t, tn } from '../core/language.js';
import { Newcomers } from '../core/newcomers.js';
import { later, Painter } from '../core/painter.js';
import { EVERYTHING, isNarrow, type Filter, type Order } from '../core/search.js';
import { Selection } from '../core/selection.js';
import { Soon } from '../core/soon.js';
import type { Studies } from '../core/studies.js';
import { button, eachSecond, element, show, write } from '../dom.js';
import type { HistoryRow, JobRow } from '../job.js';
import { EVERY } from '../live.js';
import { Additions } from './additions.js';
import { Bulk } from './bulk.js';
import { Chips } from './chips.js';
import { ColumnMenu } from './column_menu.js';
import { titleOf } from './columns.js';
import { cancelling, downloading, hiding, pausing, resubmitting, resuming, showing, type Deed } from './deeds.js';
import { Dock, type Docked } from './dock.js';
import { FilterChips } from './filter_chips.js';
import { Grid } from './grid.js';
import { printable } from '../words.js';
import { jobKeys } from './job_keys.js';
import { help, press } from './keys.js';
import { askToShare } from './share.js';
import { Stale } from './stale.js';
import { StudyFilter } from './study_filter.js';

/** Milliseconds: after the last key of a search; between two looks at the counts, and at the top for new jobs. */
const TYPED = 250;
const COUNTED = 1000;

export interface JobsHost {
  /** Make what is shown of one job beside the grid; without it nothing opens. */
  details?(uuid: string): Promise<Docked>;
  /** Go to the form that submits a job. */
  submit?(): void;
  /** Put a first cell into the notebook in front. */
  insertFirstCell?(): void;
  /** Columns and actions of others. */
  extras?: readonly Extras[];
  /** The studies to show beside the grid. */
  studies?: Studies;
}

export class JobsView {
  readonly node = element('div', 'tj-Jobs', { role: 'region', 'aria-label': 'Jobs' });

  constructor(
    private readonly jobs: Jobs,
    private readonly host: JobsHost = {}
  ) {
    const sets = new ColumnSets();
    this.deeds = { cancel: cancelling(jobs), pause: pausing(jobs), resubmit: resubmitting(jobs), hide: hiding(jobs) };
    this.filter = { ...EVERYTHING, columns: filtersIn(sets.now) };
    this.grid = new Grid(this.table, {
      selection: this.selection,
      fetch: (orders, skip, limit) => this.fetch(orders, skip, limit),
      open: row => this.open(row),
      failed: fault => this.stale.tell(fault),
      arranged: layout => sets.keep(layout),
      filtered: columns => this.narrow({ columns }, true),
      choices: column => jobs.choices(column, this.filter)
    }, sets.now);
    this.bulk = new Bulk({
      selection: this.selection,
      shown: () => this.matching,
      name: uuid => this.names.get(uuid),
      all: () => this.all(),
      total: () => Math.max(0, this.total),
      changed: () => this.renew()
    }, [
      this.deeds.cancel, this.deeds.pause, resuming(jobs), this.deeds.resubmit, this.deeds.hide,
      showing(jobs, () => this.filter.isHiddenToo), downloading(jobs)
    ]);
    this.bulk.addButton(button('Share…', 'Let somebody read the selected jobs', () => this.share(this.selection.uuids)));
    this.menu = new ColumnMenu({
      offers: () => this.grid.offers,
      setShown: (colId, isShown) => this.grid.setShown(colId, isShown),
      layout: () => this.grid.layout,
      lay: layout => {
        this.grid.lay(layout);
        sets.keep(layout);
      },
      hiddenToo: isHiddenToo => this.narrow({ isHiddenToo }),
      sharedToo: isSharedToo => this.narrow({ isSharedToo })
    }, sets);
    this.additions = new Additions(host.extras ?? [], {
      columns: extras => this.grid.setExtras(extras),
      values: values => this.grid.setExtra(values),
      deed: deed => this.bulk.add(deed),
      say: words => this.say(words),
      loaded: () => [...this.matching]
    });
    void this.additions.learn();
    const { details, studies } = host;
    this.studies = studies ? new StudyFilter(() => studies.list(), study => this.narrow({ study })) : null;
    this.dock = details ? new Dock(details, () => this.closed()) : null;
    this.node.append(this.build());
    this.node.addEventListener('keydown', event => press(this.keys, event));
    this.listen();
    this.countSoon();
    this.studies?.renew();
  }

  /** The page shows or hides the view; a hidden one causes no traffic. */
  show(isShown: boolean): void {
    if (isShown === (this.unwatch !== null) || this.isGone) {
      return;
    }
    this.dock?.setVisible(isShown);
    if (!isShown) {
      this.rest();
      return;
    }
    this.listen();
    this.renew();
  }

  private listen(): void {
    const ends = [
      this.jobs.live.watch(EVERY, { news: (job, event) => this.hear(job, event), ask: () => this.renew() }),
      eachSecond(() => this.grid.tick()),
      // A network that is gone closes no connection at once: the browser knows it first.
      hearing('offline', () => this.renew()),
      hearing('online', () => this.renew())
    ];
    this.unwatch = () => ends.forEach(end => end());
  }

  dispose(): void {
    this.isGone = true;
    this.additions.dispose();
    this.rest();
    this.unsearch?.();
    this.dock?.dispose();
    this.studies?.dispose();
    this.grid.dispose();
  }

  private rest(): void {
    this.unwatch?.();
    this.unwatch = null;
    this.painter.stop();
    this.additions.stop();
    this.counter.stop();
    this.studies?.rest();
    this.stale.stop();
  }

  // -- what happens

  private async fetch(orders: readonly Order[], skip: number, limit: number): Promise<Page> {
    const { filter } = this;
    const came = this.newJobs.asked();
    const page = await this.jobs.page(filter, orders, skip, limit);
    if (filter === this.filter) {
      if (filter !== this.matched) {
        this.matched = filter;
        this.matching.clear();
      }
      for (const { uuid, name } of page.rows) {
        this.names.set(uuid, name ?? '');
        this.matching.add(uuid);
      }
      this.additions.ask(page.rows.map(({ uuid }) => uuid));
      this.total = page.total;
      came(page.rows);
      this.draw();
    }
    this.stale.tell(null);
    return page;
  }

  private async all(): Promise<string[]> {
    const { filter } = this;
    const uuids = await this.jobs.uuids(filter);
    if (filter === this.filter) {
      uuids.forEach(uuid => this.matching.add(uuid));
    }
    return uuids;
  }

  /** News may have been missed: look again at all that is loaded. */
  private renew(): void {
    this.additions.renew();
    this.grid.refresh();
    this.countSoon();
    this.studies?.renew();
  }

  private hear(job: JobRow, event?: HistoryRow): void {
    const uuid = job.uuid ?? '';
    if (!uuid) {
      return;
    }
    const isNew = !this.grid.has(uuid) && event?.event === 'JOB_NEW_STATUS' && event.eventDetail === 'PENDING';
    if (isNew) {
      this.newJobs.add(uuid);
    }
    this.painter.put(uuid, { ...this.painted(uuid), ...job, uuid });
    if (event?.event === 'JOB_NEW_STATUS') {
      this.countSoon();
      this.studies?.hear(job);
      if (!isNew) {
        this.additions.ask([uuid]);
      }
    }
  }

  private painted(uuid: string): Partial<GridRow> {
    return this.painter.pending(uuid) ?? {};
  }

  /** Look at the numbers, and at the top where new jobs would be seen, soon and not too often. */
  private countSoon(): void {
    this.counter.ask();
  }

  private async count(): Promise<void> {
    const { filter } = this;
    if (this.newJobs.size && this.grid.isAtTop && this.grid.isNewestFirst) {
      this.grid.refresh();
    }
    this.draw();
    try {
      const counts = await this.jobs.counts(filter);
      if (filter === this.filter && !this.isGone) {
        this.chips.tell(counts);
      }
    } catch (fault) {
      this.stale.tell(fault);
    }
  }

  /** Look at other jobs; `isAsked` where the grid asks for them by itself. What was known stays until they have come. */
  private narrow(change: Partial<Filter>, isAsked = false): void {
    this.filter = { ...this.filter, ...change };
    this.newJobs.clear();
    this.filters.draw(this.filter.columns);
    if (!isAsked) {
      this.grid.reload();
    }
    this.countSoon();
  }

  private retry(): void {
    if (this.unwatch !== null) {
      this.renew();
    }
  }

  private typed(): void {
    this.unsearch?.();
    this.grid.expectOthers();
    this.unsearch = later(() => this.narrow({ text: this.entry.value.trim() }), TYPED);
  }

  /** Show one job beside the grid. */
  async openJob(uuid: string): Promise<void> {
    this.grid.mark(uuid);
    await this.dock?.open(uuid).catch(fault => this.say(told(fault)));
  }

  private closed(): void {
    this.grid.mark(null);
    this.grid.move(0);
  }

  private open({ uuid }: GridRow): void {
    void this.openJob(uuid);
  }

  /** What a key is about: the chosen ones, else the one with the focus. */
  private get meant(): string[] {
    const { focused } = this.grid;
    return this.selection.size ? this.selection.uuids : focused ? [focused.uuid] : [];
  }

  private share(uuids: string[]): void {
    askToShare(this.bulk, this.jobs, uuids);
  }

  private say(words: string): void {
    write(this.note, printable(words));
    show(this.note, words !== '');
  }

  // -- what is seen

  private build(): DocumentFragment {
    this.entry.addEventListener('input', () => this.typed());
    this.entry.addEventListener('keydown', ({ key }) => (key === 'Escape' || key === 'Enter') && this.grid.move(0));
    this.newButton = button('', 'Show the new jobs at the top', () => this.narrow({}));
    const chips = [this.chips.node, this.filters.node];
    const { studies } = this;
    const head = element('div', 'tj-Bar', {}, ...(studies?.controls ?? []), this.entry, ...chips, this.newButton, this.number, this.menu.opener);
    const { submit } = this.host;
    if (submit) {
      head.append(button('Submit…', 'Submit a job by a form', () => submit()));
    }
    const first = this.host.insertFirstCell;
    this.empty.append(element('p', ''));
    if (first) {
      this.empty.append(button('Insert a cell that runs the first one', 'Put a cell into the notebook', () => first()));
    }
    this.filters.draw(this.filter.columns);
    [this.note, this.empty, this.newButton].forEach(node => show(node, false));
    const body = element('div', 'tj-Body', {}, ...(studies ? [studies.node] : []), this.table, ...(this.dock ? [this.dock.node] : []));
    studies?.fitInto(this.node);
    const whole = document.createDocumentFragment();
    whole.append(head, this.menu.node, this.bulk.node, this.stale.node, this.note, this.keyHelp, this.empty, body);
    return whole;
  }

  private draw(): void {
    const none = isNarrow(this.filter) ? t('No job is like this.') : t('No jobs yet.');
    write(this.number, this.total < 0 ? '' : tn('{count} job', '{count} jobs', this.total));
    show(this.empty, this.total === 0);
    write(this.empty.firstElementChild ?? this.empty, none);
    write(this.newButton, t('↑ {count} new', { count: this.newJobs.size.toLocaleString() }));
    show(this.newButton, this.newJobs.size > 0);
    this.bulk.draw();
  }

  private readonly selection = new Selection(() => {
    this.grid.redrawPicks();
    this.bulk.draw();
  });
  private readonly chips = new Chips(groups => this.narrow({ groups }));
  private readonly painter = new Painter<GridRow>(changed => this.grid.patch(changed));
  private readonly keys = jobKeys({
    move: step => this.grid.move(step),
    open: () => this.grid.focused && this.open(this.grid.focused),
    close: () => this.dock?.isOpen && this.dock.close(),
    select: () => this.grid.focused && this.selection.toggle(this.grid.focused.uuid),
    cancel: () => this.bulk.ask(this.deeds.cancel, this.meant),
    pause: () => this.bulk.ask(this.deeds.pause, this.meant),
    resubmit: () => this.bulk.ask(this.deeds.resubmit, this.meant),
    hide: () => this.bulk.ask(this.deeds.hide, this.meant),
    share: () => this.share(this.meant),
    filter: () => this.grid.filterHere(),
    search: () => this.entry.focus(),
    help: () => show(this.keyHelp, this.keyHelp.hidden)
  });
  private readonly keyHelp = help(this.keys);
  private readonly entry = element('input', 'tj-Search', {
    type: 'search', placeholder: 'Search name, uuid, app, system', 'aria-label': 'Search jobs', spellcheck: 'false'
  });
  private readonly number = element('span', 'tj-Total', { role: 'status' });
  private readonly stale = new Stale(() => this.retry());
  private readonly filters = new FilterChips(titleOf, column => this.grid.unfilter(column));
  private readonly note = element('div', 'tj-Note', { role: 'status' });
  private readonly empty = element('div', 'tj-Empty');
  private readonly table = element('div', 'tj-Grid');
  private readonly deeds: Readonly<Record<'cancel' | 'pause' | 'resubmit' | 'hide', Deed>>;
  private readonly menu: ColumnMenu;
  private readonly additions: Additions;
  private readonly names = new Map<string, string>();
  private readonly newJobs = new Newcomers();
  private readonly counter = new Soon(() => this.count(), COUNTED);
  /** uuids that are known to pass the filter. */
  private readonly matching = new Set<string>();
  private matched: Filter = EVERYTHING;
  private readonly grid: Grid;
  private readonly bulk: Bulk;
  private readonly dock: Dock | null;
  private readonly studies: StudyFilter | null;
  private newButton!: HTMLButtonElement;
  private filter: Filter;
  private total = -1;
  private isGone = false;
  private unwatch: (() => void) | null = null;
  private unsearch: (() => void) | null = null;
}

/** Hear of something that happens to the page; the result ends it. */
function hearing(name: string, act: () => void): () => void {
  globalThis.addEventListener(name, act);
  return () => globalThis.removeEventListener(name, act);
}
