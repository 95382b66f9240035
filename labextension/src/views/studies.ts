/** The studies of a person: how far each is, its cases as a map, why some failed, and what is done about it. Live. */

import type { StudyRow } from '../core/api.js';
import { told } from '../core/client.js';
import { t, tn } from '../core/language.js';
import { later, Painter, type Later } from '../core/painter.js';
import { AGAIN } from '../core/patience.js';
import { ended, Studies, type CaseState } from '../core/studies.js';
import { button, element, show, write } from '../dom.js';
import { isTerminal, type HistoryRow, type JobRow } from '../job.js';
import { EVERY } from '../live.js';
import { printable } from '../words.js';
import { Dock, type Docked } from './dock.js';
import { Question } from './question.js';
import type { Site } from './site.js';
import { StudyExtend } from './study_extend.js';
import { StudyFailures } from './study_failures.js';
import { caseWords, countWords, drawBar, progressBar, StudyList } from './study_list.js';
import { StudyMap } from './study_map.js';
import { StudyPlot } from './study_plot.js';

/** Milliseconds: between two looks at the numbers; until the next try where the server did not answer. */
const LOOKED = 1000;
/** Milliseconds between two tables of cases; one that takes long to come waits so many times as long as it took. */
const RELOADED = 3000;
const EASE = 10;

export interface StudiesHost {
  /** Make what is shown of one job beside the study; without it nothing opens. */
  details?(uuid: string): Promise<Docked>;
}

export class StudiesView {
  readonly node = element('div', 'tj-Jobs tj-Studies', { role: 'region', 'aria-label': 'Studies' });

  constructor(
    site: Site,
    host: StudiesHost = {},
    private readonly wait: Later = later,
    private readonly now: () => number = () => performance.now()
  ) {
    this.studies = new Studies(site.client, site.live);
    this.dock = host.details ? new Dock(host.details, () => this.map.node.focus()) : null;
    const open = (uuid: string): void => void this.dock?.open(uuid).catch(fault => this.say(told(fault)));
    this.map = new StudyMap(open);
    this.plot = new StudyPlot(site.client, open);
    this.extend = new StudyExtend(site);
    this.failures = new StudyFailures(site, (cases, changes) => void this.retry(cases, changes), open);
    this.painter = new Painter(changed => this.patch(changed), wait, now);
    this.node.append(this.build());
    this.show(true);
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
    this.unwatch = this.studies.live.watch(EVERY, {
      news: (job, event) => this.hear(job, event),
      ask: () => this.renew()
    });
    this.renew();
  }

  dispose(): void {
    this.rest();
    this.isGone = true;
    this.dock?.dispose();
  }

  private rest(): void {
    this.unwatch?.();
    this.unwatch = null;
    this.unlook?.();
    this.unlook = null;
    this.painter.stop();
  }

  // -- what happens

  private hear({ uuid = '', status = '' }: JobRow, event?: HistoryRow): void {
    if (event?.event === 'JOB_NEW_STATUS') {
      if (this.places.has(uuid)) {
        this.painter.put(uuid, status);
      }
      this.lookSoon(LOOKED);
    }
  }

  /** News may have been missed: look at all again. */
  private renew(): void {
    this.loaded = -Infinity;
    this.isStale = true;
    this.lookSoon(0);
  }

  /** Look again after `ms` at the latest, one look at a time. */
  private lookSoon(ms: number): void {
    if (this.isLooking) {
      this.next = Math.min(this.next ?? ms, ms);
      return;
    }
    if (ms === 0) {
      this.unlook?.();
      this.unlook = null;
    }
    if (this.unwatch) {
      this.unlook ??= this.wait(() => void this.look(), ms);
    }
  }

  private async look(): Promise<void> {
    this.unlook = null;
    this.isLooking = true;
    this.next = null;
    try {
      this.rows = await this.studies.list();
      this.draw();
      await this.lookAtCases();
      this.trouble(null);
      if (this.isStale) {
        this.lookSoon(LOOKED);
      }
    } catch (fault) {
      this.trouble(fault);
      this.lookSoon(AGAIN);
    }
    this.isLooking = false;
    if (this.next !== null) {
      this.lookSoon(this.next);
    }
  }

  /** Get the cases where those that are shown are not what the server counts. */
  private async lookAtCases(): Promise<void> {
    const row = this.current;
    if (!row) {
      return;
    }
    this.isStale ||= !isCounted(row.counts, this.cases);
    if (!this.isStale || this.now() < this.loaded + Math.max(RELOADED, EASE * this.took)) {
      return;
    }
    const begun = this.now();
    const cases = await this.studies.cases(row.name);
    if (this.name === row.name) {
      this.isStale = false;
      this.loaded = this.now();
      this.took = this.loaded - begun;
      this.put(cases);
    }
  }

  private put(cases: CaseState[]): void {
    this.cases = cases;
    this.places = new Map(cases.map(({ jobUuid }, place) => [jobUuid, place]));
    this.drawCases();
  }

  /** States that the live connection told; what has ended is not undone by late news. */
  private patch(changed: Map<string, string>): void {
    for (const [uuid, status] of changed) {
      const place = this.places.get(uuid);
      const before = place === undefined ? undefined : this.cases[place];
      if (before && place !== undefined && !isTerminal(before.status)) {
        this.cases[place] = { ...before, status };
        // Why it failed comes with the table only.
        this.isStale ||= status === 'FAILED';
      }
    }
    this.drawCases();
  }

  private open(name: string): void {
    if (name === this.name) {
      return;
    }
    this.name = name;
    this.put([]);
    this.question.close();
    this.say('');
    this.draw();
    this.renew();
  }

  private askCancel(): void {
    const row = this.current;
    if (row) {
      const number = caseWords(row.cases - ended(row.counts));
      const words = t('End {cases} of study {name} that have not ended?', { cases: number, name: printable(row.name) });
      this.question.ask(words, t('Cancel {cases}', { cases: number }), () => void this.act(() => this.studies.cancel(row.name)));
    }
  }

  private async retry(cases: readonly CaseState[], changes: Readonly<Record<string, number>>): Promise<void> {
    const { name } = this;
    await this.act(async () => {
      const { submitted, errors } = await this.studies.retry(name, cases.map(({ id }) => id), { ...changes });
      const refused = errors.slice(0, 5).map(({ caseId, message }) => `${caseId}: ${message}`);
      return [t('Submitted again: {cases}.', { cases: caseWords(submitted.length) }), ...refused].join(' ');
    });
  }

  private async act(deed: () => Promise<string>): Promise<void> {
    this.say('…');
    try {
      this.say(await deed());
    } catch (fault) {
      this.say(told(fault));
    }
    this.renew();
  }

  private trouble(fault: unknown): void {
    this.since = fault === null ? null : (this.since ?? new Date());
    const at = this.since?.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    write(this.fault, at ? `⚠ ${t('{trouble} What is shown is from before {time}; it is tried again by itself.', { trouble: printable(told(fault)), time: at })}` : '');
    show(this.fault, at !== undefined);
  }

  private say(words: string): void {
    write(this.note, printable(words));
    show(this.note, words !== '');
  }

  // -- what is seen

  private build(): DocumentFragment {
    const body = element('div', 'tj-Body', {}, this.main, ...(this.dock ? [this.dock.node] : []));
    const bar = element('div', 'tj-Bar', {}, this.retryButton, this.cancelButton);
    this.one.append(this.title, this.bar, this.words, bar, this.question.node, this.failures.node, this.map.node, this.plot.node, this.extend.node);
    this.main.append(this.list.node, this.one);
    [this.fault, this.note, this.empty, this.one].forEach(node => show(node, false));
    const whole = document.createDocumentFragment();
    whole.append(this.fault, this.note, this.empty, body);
    return whole;
  }

  private draw(): void {
    show(this.empty, this.rows.length === 0);
    this.list.update(this.rows, this.name);
    const row = this.current;
    show(this.one, row !== null);
    if (!row) {
      return;
    }
    write(this.title, printable(row.name));
    drawBar(this.bar, row);
    write(this.words, [countWords(row), ...limits(row)].join('   '));
    const failed = row.counts['FAILED'] ?? 0;
    write(this.retryButton, tn('Retry {count} failed', 'Retry {count} failed', failed));
    show(this.retryButton, failed > 0);
    show(this.cancelButton, ended(row.counts) < row.cases);
  }

  private drawCases(): void {
    this.map.update(this.name, this.cases);
    this.failures.update(this.cases);
    this.plot.update(this.name, this.cases);
    this.extend.update(this.name, this.cases);
  }

  private get current(): StudyRow | null {
    return this.rows.find(({ name }) => name === this.name) ?? null;
  }

  private get failed(): CaseState[] {
    return this.cases.filter(({ status }) => status === 'FAILED');
  }

  private readonly list = new StudyList(name => this.open(name));
  private readonly question = new Question();
  private readonly main = element('div', 'tj-StudiesMain');
  private readonly one = element('section', 'tj-OneStudy', { 'aria-label': 'The study that is open' });
  private readonly title = element('h3', 'tj-Title');
  private readonly bar = progressBar();
  private readonly words = element('p', 'tj-StudyWords');
  private readonly retryButton = button('', 'Give all failed cases another attempt, as they were', () => void this.retry(this.failed, {}));
  private readonly cancelButton = button('Cancel…', 'End what has not ended of this study', () => this.askCancel());
  private readonly fault = element('div', 'tj-Trouble', { role: 'status' });
  private readonly note = element('div', 'tj-Note', { role: 'status' });
  private readonly empty = element('p', 'tj-Empty', {}, t('No studies yet. A study runs one job for many cases: {code} in a cell.', { code: 'tapis.study(…).run()' }));
  private readonly studies: Studies;
  private readonly dock: Dock | null;
  private readonly map: StudyMap;
  private readonly failures: StudyFailures;
  private readonly plot: StudyPlot;
  private readonly extend: StudyExtend;
  private readonly painter: Painter<string>;
  private rows: StudyRow[] = [];
  private name = '';
  private cases: CaseState[] = [];
  /** job uuid -> place of its case. */
  private places = new Map<string, number>();
  /** Whether the server may know the cases otherwise than they are shown. */
  private isStale = false;
  private isLooking = false;
  private isGone = false;
  private loaded = -Infinity;
  private took = 0;
  /** Milliseconds after which another look was asked for during one. */
  private next: number | null = null;
  private since: Date | null = null;
  private unwatch: (() => void) | null = null;
  private unlook: (() => void) | null = null;
}

function isCounted(counts: Readonly<Record<string, number>>, cases: readonly CaseState[]): boolean {
  const own: Record<string, number> = {};
  cases.forEach(({ status }) => (own[status] = (own[status] ?? 0) + 1));
  const names = new Set([...Object.keys(counts), ...Object.keys(own)]);
  return [...names].every(name => (counts[name] ?? 0) === (own[name] ?? 0));
}

/** The limits that somebody gave, as they stand. */
function limits({ maxRunning, maxFailures, counts }: StudyRow): string[] {
  const isStopped = maxFailures !== null && maxFailures > 0 && (counts['FAILED'] ?? 0) >= maxFailures;
  return [
    ...(maxRunning ? [t('at most {count} at a time', { count: maxRunning.toLocaleString() })] : []),
    ...(isStopped ? [t('no more are begun after {count} failures', { count: maxFailures.toLocaleString() })] : [])
  ];
}
