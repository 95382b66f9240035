/** All about one job: how it stands, what it prints, its files, history, request, scripts and notes. */

import { isOlder } from '../card.js';
import { told } from '../core/client.js';
import type { HistoryEntry, JobDetails } from '../core/api.js';
import { t } from '../core/language.js';
import { AGAIN } from '../core/patience.js';
import { eachSecond, element, show, write } from '../dom.js';
import { isTerminal, stdoutName, type HistoryRow, type JobRow } from '../job.js';
import { place, printable, sentence, stateWords } from '../words.js';
import { FailurePane } from './failure_pane.js';
import { FilesView } from './files.js';
import { annotations, NotesView } from './notes.js';
import { OutputView } from './output.js';
import { filePreview } from './preview.js';
import { requestTexts, scriptTexts } from './job_texts.js';
import { isRefused, later, type Later, type Site } from './site.js';
import { Tabs } from './tabs.js';
import { TimelineView } from './timeline.js';

export const TABS = ['Output', 'Files', 'Timeline', 'Request', 'Script', 'Notes'] as const;
type Tab = (typeof TABS)[number];


export class DetailsView {
  readonly node = element('article', 'tj-Details tj-Tone');

  constructor(
    private readonly site: Site,
    readonly uuid: string,
    private readonly wait: Later = later
  ) {
    this.failure = new FailurePane(site, uuid);
    const missed = (): void => this.miss();
    this.files = new FilesView(site, uuid, filePreview(site, uuid, missed), missed);
    this.notes = new NotesView((method, change) => this.annotate(method, change));
    this.tabs = new Tabs(t('Details of the job'), TABS, name => this.open(name as Tab));
    this.build();
    this.stopTicking = eachSecond(() => this.tick());
    this.tabs.open('Output');
    this.setVisible(true);
  }

  /** The page shows or hides the view; a hidden one causes no traffic. */
  setVisible(isVisible: boolean): void {
    if (isVisible === (this.stopWatching !== null) || this.isGone) {
      return;
    }
    if (isVisible) {
      const watcher = { news: (job: JobRow, event: HistoryRow) => this.hear(job, event), ask: () => void this.ask() };
      this.stopWatching = this.site.live.watch(this.uuid, watcher);
      this.output?.wake();
      void this.ask();
    } else {
      this.rest();
    }
  }

  /** Show a tab from outside. */
  show(tab: Tab): void {
    this.tabs.open(tab);
  }

  dispose(): void {
    this.isGone = true;
    this.stopTicking();
    this.rest();
    this.output?.dispose();
    this.files.dispose();
  }

  private rest(): void {
    this.stopWatching?.();
    this.stopWatching = null;
    this.unwait?.();
    this.unwait = null;
    this.output?.rest();
  }

  // -- what happens

  private async ask(): Promise<void> {
    try {
      const { result } = await this.site.client.call('GET /v3/jobs/{jobUuid}', { path: { jobUuid: this.uuid } });
      this.whole = result;
      this.say('');
      this.hear(result as JobRow);
      this.notes.update(annotations(result));
      void this.output?.catchUp();
      this.reopen();
    } catch (fault) {
      if (!isRefused(fault)) {
        this.askLater();
      }
      this.say(isRefused(fault) ? fault.message : t('⚠ The server does not answer; this may be old. It is tried again by itself.'));
    }
    await this.askHistory();
  }

  /** The server may not have told of its return: it is asked even so. */
  private askLater(): void {
    if (this.stopWatching) {
      this.unwait ??= this.wait(() => {
        this.unwait = null;
        void this.ask();
      }, AGAIN);
    }
  }

  /** What a tab shows was not answered. */
  private miss(): void {
    this.isMissing = true;
    this.askLater();
  }

  /** The server answers again: the tab in view asks anew for what it missed, another one when it is opened. */
  private reopen(): void {
    if (this.isMissing) {
      this.isMissing = false;
      this.open(this.tabs.current as Tab);
    }
  }

  private async askHistory(): Promise<void> {
    try {
      const path = { jobUuid: this.uuid };
      const { result } = await this.site.client.call('GET /v3/jobs/{jobUuid}/history', { path, query: { limit: -1 } });
      this.history = result;
      this.drawTimeline();
    } catch {
      // What is known stays; the words above tell of the server.
    }
  }

  private hear(job: JobRow, event?: HistoryRow): void {
    if (this.isGone || isOlder(job, this.job)) {
      return;
    }
    const before = this.job.status;
    this.job = { ...this.job, ...job };
    if (event) {
      void this.askHistory();
    }
    this.output?.update(this.job);
    this.draw();
    if (before !== this.job.status) {
      this.failure.update({ ...this.whole, ...this.job });
      this.refresh();
    }
  }

  /** A tab comes into view. */
  private open(tab: Tab): void {
    if (tab === 'Output') {
      this.openOutput();
    } else if (tab === 'Files') {
      void this.files.look();
    } else if (tab === 'Request' || tab === 'Script') {
      void this.openTexts(tab);
    } else if (tab === 'Timeline') {
      this.drawTimeline();
    }
  }

  /** The job has another state: files may have come, and a text that somebody reads stays. */
  private refresh(): void {
    if (this.tabs.current === 'Files') {
      void this.files.look();
    }
    this.openOutput();
  }

  private openOutput(): void {
    const path = stdoutName({ ...this.whole, ...this.job } as JobRow);
    if (!this.whole || path === this.outputPath) {
      return;
    }
    this.output?.dispose();
    this.outputPath = path;
    this.output = new OutputView(this.site, this.uuid, path, this.wait);
    this.output.update(this.job);
    this.tabs.panel('Output').replaceChildren(this.output.node);
  }

  private async openTexts(tab: 'Request' | 'Script'): Promise<void> {
    const panel = this.tabs.panel(tab);
    try {
      const made = tab === 'Request' ? await requestTexts(this.site, this.uuid, this.whole) : await scriptTexts(this.site, this.uuid);
      panel.replaceChildren(...made);
    } catch (fault) {
      panel.replaceChildren(element('p', 'tj-Empty', {}, printable(told(fault))));
      if (!isRefused(fault)) {
        this.miss();
      }
    }
  }

  private async annotate(method: 'PUT' | 'PATCH', change: { tags?: string[]; notes?: Record<string, unknown> }): Promise<void> {
    await this.site.client.call(`${method} /v3/jobs/{jobUuid}/annotation`, { path: { jobUuid: this.uuid }, body: change });
  }

  // -- drawing

  private build(): void {
    this.tabs.panel('Files').append(this.files.node);
    this.tabs.panel('Timeline').append(this.timeline.node);
    this.tabs.panel('Notes').append(this.notes.node);
    const head = element('header', 'tj-Details-head', {}, this.badge, this.title, this.words, this.where);
    this.node.append(head, this.trouble, this.failure.node, this.tabs.node);
  }

  private draw(): void {
    const { job } = this;
    const { glyph, tone } = stateWords(job.status);
    const name = printable(job.name ?? '');
    this.node.dataset['tone'] = tone;
    this.node.setAttribute('aria-label', t('Job {name}', { name }));
    write(this.badge, `${glyph} ${job.status ?? ''}`);
    write(this.title, name);
    this.title.title = this.uuid;
    write(this.where, printable(place(job)));
    this.tick();
  }

  private tick(): void {
    if (this.job.status) {
      write(this.words, printable(sentence(this.job, Date.now())));
    }
    if (this.tabs.current === 'Timeline' && !isTerminal(this.job.status)) {
      this.drawTimeline();
    }
  }

  private drawTimeline(): void {
    this.timeline.update(this.history, Date.now());
  }

  private say(words: string): void {
    write(this.trouble, printable(words));
    show(this.trouble, Boolean(words));
  }

  private job: JobRow = {};
  private whole: JobDetails | null = null;
  private history: readonly HistoryEntry[] = [];
  private isGone = false;
  private isMissing = false;
  private unwait: (() => void) | null = null;
  private output: OutputView | null = null;
  private outputPath = '';
  private readonly tabs: Tabs;
  private readonly failure: FailurePane;
  private readonly files: FilesView;
  private readonly notes: NotesView;
  private readonly timeline = new TimelineView();
  private readonly stopTicking: () => void;
  private stopWatching: (() => void) | null = null;
  private readonly badge = element('span', 'tj-Status');
  private readonly title = element('h2', 'tj-Name');
  private readonly words = element('span', 'tj-Words');
  private readonly where = element('span', 'tj-Place');
  private readonly trouble = element('div', 'tj-Trouble', { role: 'status' });
}
