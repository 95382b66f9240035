/** Draws one card, and acts for its buttons. */

import { begin, canAct, isTicking, lastLines, reduce, type CardState, type Change } from './card.js';
import { t } from './core/language.js';
import { button, eachSecond, element, show, write } from './dom.js';
import { isTerminal, results, stdoutName, type HistoryRow, type JobRow, type SavedCard } from './job.js';
import { ProgressBar } from './progress.js';
import { RefusedError, type Server } from './server.js';
import { dots, localTime, moment, place, printable, printedLines, sentence, size, stateWords, STATIONS } from './words.js';

/** Lines of output below the dots, files named, bytes read for the opened output. */
const LINES = 3;
const FILES = 8;
const WINDOW = 48 * 1024;

export class CardView {
  readonly node = element('div', 'tj-Card', { role: 'group' });

  constructor(
    private readonly server: Server,
    card: SavedCard
  ) {
    this.state = begin(card);
    this.build();
    this.stopTicking = eachSecond(() => isTicking(this.state, Date.now()) && this.tick());
    this.stopWatching = server.live.watch(card.uuid, {
      news: (job, event) => this.hear(job, event),
      ask: () => void this.ask()
    });
    void this.ask();
    this.draw();
  }

  get uuid(): string {
    return this.state.uuid;
  }

  /** The kernel has redrawn the card. */
  update(card: SavedCard): void {
    this.change({ kind: 'saved', card, now: Date.now() });
  }

  dispose(): void {
    this.isGone = true;
    this.stopTicking();
    this.stopWatching();
    this.stopTail?.();
    this.again?.dispose();
  }

  // -- what happens

  private hear(job: JobRow, event?: HistoryRow): void {
    this.change({ kind: 'row', job, ...(event && { event }) });
    this.change({ kind: 'standing', standing: 'known' });
    this.follow();
  }

  /** Ask the server where the job stands: at the start, and when news may have been missed. */
  private async ask(): Promise<void> {
    if (this.state.standing === 'unknown' || (this.state.standing === 'known' && isTerminal(this.state.job.status))) {
      return;
    }
    try {
      const job = await this.server.job(this.uuid);
      if (!this.isGone) {
        this.hear(job);
      }
    } catch (fault) {
      // That it has no such job is final; all else, silence too, may pass.
      const isUnknown = fault instanceof RefusedError && (fault.status === 404 || fault.status === 400);
      this.change({ kind: 'standing', standing: isUnknown ? 'unknown' : 'away' });
      if (isUnknown) {
        this.stopWatching();
      }
    }
  }

  /** Begin and end what a job's state asks for: its output while it runs, its files at the end. */
  private follow(): void {
    const { job } = this.state;
    if (job.status === 'RUNNING' && !this.stopTail) {
      void this.tail(4096);
    }
    if (isTerminal(job.status) && !this.hasEnded) {
      this.hasEnded = true;
      this.stopWatching();
      void this.end();
    }
  }

  private async end(): Promise<void> {
    if (!this.state.outputs.length) {
      const outputs = await this.server.outputs(this.uuid).catch(() => []);
      this.change({ kind: 'outputs', outputs: results(outputs, this.state.job) });
    }
    if (!this.stopTail && !lastLines(this.state, 1).length) {
      void this.tail(4096);
    }
  }

  /** Follow the output from near its end. */
  private async tail(window: number): Promise<void> {
    this.stopTail?.();
    let isOver = false;
    this.stopTail = () => (isOver = true);
    const path = stdoutName(this.state.job);
    const from = Math.max(0, (await this.server.outputSize(this.uuid, path)) - window);
    if (isOver || this.isGone) {
      return;
    }
    let afresh = true;
    const listener = (told: string): void => {
      // The first line of a window is rarely a whole one.
      const whole = afresh && from > 0 ? told.slice(told.indexOf('\n') + 1) : told;
      this.change({ kind: 'printed', text: whole, afresh });
      afresh = false;
    };
    // One that ended before its job was refused; the next news tries again.
    const ended = (): void => void (isTerminal(this.state.job.status) || (this.stopTail = null));
    this.stopTail = this.server.live.tail(this.uuid, path, from, listener, ended);
  }

  private async act(doing: string, work: () => Promise<string>): Promise<void> {
    this.say(`${doing} …`);
    try {
      this.say(await work());
    } catch (fault) {
      this.say(fault instanceof RefusedError ? fault.message : t('The server does not answer. Try again.'), true);
    }
  }

  private cancel(): void {
    show(this.question, false);
    this.isCancelling = true;
    this.draw();
    void this.act(t('Cancelling'), async () => {
      try {
        await this.server.cancel(this.uuid);
      } catch (fault) {
        this.isCancelling = false;
        this.draw();
        throw fault;
      }
      return t('Asked to cancel; it is over when its processes are gone.');
    });
  }

  private resume(): void {
    // That it goes on is seen by its state.
    void this.act(t('Resuming'), () => this.server.resume(this.uuid).then(() => ''));
  }

  private resubmit(): void {
    void this.act(t('Submitting again'), async () => {
      const job = await this.server.resubmit(this.uuid);
      this.again?.dispose();
      this.again = new CardView(this.server, {
        uuid: job.uuid ?? '',
        name: job.name ?? '',
        job,
        history: [],
        tail: [],
        outputs: [],
        failure: null
      });
      this.below.replaceChildren(this.again.node);
      return t('Submitted again:');
    });
  }

  private toggleOutput(): void {
    const isOpen = this.output.hidden;
    show(this.output, isOpen);
    this.outputButton.setAttribute('aria-expanded', String(isOpen));
    if (isOpen && !this.hasWindow) {
      this.hasWindow = true;
      void this.tail(WINDOW);
    }
    this.draw();
    this.output.scrollTop = this.output.scrollHeight;
  }

  private toggleMore(): void {
    show(this.more, this.more.hidden);
    this.moreButton.setAttribute('aria-expanded', String(!this.more.hidden));
  }

  private askToCancel(): void {
    show(this.question, true);
    this.question.querySelector('button')?.focus();
  }

  private say(told: string, isTrouble = false): void {
    write(this.note, told);
    this.note.classList.toggle('tj-mod-trouble', isTrouble);
    show(this.note, told !== '');
  }

  private change(change: Change): void {
    if (!this.isGone) {
      this.state = reduce(this.state, change);
      this.draw();
    }
  }

  // -- what is seen

  private build(): void {
    this.cancelButton = button('Cancel', 'End this job', () => this.askToCancel());
    this.outputButton = button('Output', 'Show what the program prints', () => this.toggleOutput());
    this.moreButton = button('⋯', 'More', () => this.toggleMore());
    this.moreButton.setAttribute('aria-label', t('More'));
    this.outputButton.setAttribute('aria-expanded', 'false');
    this.moreButton.setAttribute('aria-expanded', 'false');
    this.question.append(
      `${t('End this job?')} `,
      button('Cancel the job', 'End this job now', () => this.cancel()),
      button('Keep it', 'Let the job go on', () => show(this.question, false))
    );
    this.more.append(
      button('Copy uuid', 'Copy the job’s uuid', () => void this.copy()),
      button('Resubmit', 'Submit the same request again', () => this.resubmit())
    );
    this.resumeButton = button('Resume', 'Let the held job go on', () => this.resume());
    this.buttons.append(this.resumeButton, this.cancelButton, this.outputButton, this.moreButton);
    const facts = element('div', 'tj-Facts', {}, this.badge, this.title, this.words, this.where);
    const head = element('div', 'tj-Head', {}, facts, this.buttons);
    this.node.append(head, this.more, this.question, this.stations, this.progress.node, this.trouble, this.failure, this.caption, this.lines);
    this.node.append(this.output, this.files, this.note, this.below);
    [this.more, this.question, this.trouble, this.failure, this.output, this.note].forEach(node => show(node, false));
  }

  private draw(): void {
    const { state, state: { job } } = this;
    const look = stateWords(job.status);
    this.node.dataset['tone'] = look.tone;
    this.node.dataset['status'] = job.status ?? '';
    this.node.dataset['uuid'] = state.uuid;
    this.node.setAttribute('aria-label', t('Job {name}', { name: printable(state.name) }));
    write(this.badge, `${look.glyph} ${job.status ?? ''}`);
    write(this.title, printable(state.name));
    this.title.title = state.uuid;
    write(this.where, printable(place(job)));
    this.tick();
    this.drawDots();
    this.progress.draw(job);
    this.drawTrouble();
    this.drawFailure();
    this.drawOutput();
    this.drawFiles();
    this.drawButtons();
  }

  /** Only the words change from second to second. */
  private tick(): void {
    const { job } = this.state;
    const now = Date.now();
    const isLost = !isTerminal(job.status) && !isTicking(this.state, now) && this.state.standing !== 'asking';
    const seen = moment(job.lastUpdated ?? job.created);
    const told = isLost && seen !== null ? `last known at ${localTime(seen, now)}` : sentence(job, now);
    write(this.words, printable(told));
    const created = moment(job.created);
    this.words.title = created === null ? '' : t('accepted {time} ({utc} UTC)', { time: localTime(created, now), utc: job.created ?? '' });
  }

  private drawDots(): void {
    if (!this.stations.childElementCount) {
      const drawn = STATIONS.map(([word]) =>
        element('li', 'tj-Station', { title: word }, element('span', 'tj-Dot'), element('span', 'tj-Word', {}, t(word)))
      );
      this.stations.append(...drawn);
    }
    dots(this.state.job.status, this.state.history).forEach((dot, place) => {
      const station = this.stations.children[place] as HTMLElement;
      station.dataset['dot'] = dot;
      station.toggleAttribute('aria-current', dot === 'here' || dot === 'stopped');
    });
  }

  private drawTrouble(): void {
    const isAway = this.state.standing === 'away';
    write(this.trouble, isAway ? t('⚠ The server does not answer; this may be old. It is tried again by itself.') : '');
    show(this.trouble, isAway && !isTerminal(this.state.job.status));
  }

  private drawFailure(): void {
    const { job, failure } = this.state;
    show(this.failure, job.status === 'FAILED');
    if (job.status !== 'FAILED') {
      return;
    }
    const cause = failure?.cause || job.lastMessage || job.condition || t('it failed without a message');
    const parts: (Node | string)[] = [element('strong', '', {}, printable(cause))];
    if (failure?.evidence) {
      parts.push(': ', element('code', '', {}, printable(failure.evidence)));
    }
    if (failure?.nextStep) {
      parts.push(element('div', 'tj-Next', {}, '→ ', element('code', '', {}, printable(failure.nextStep))));
    }
    this.failure.replaceChildren(...parts);
  }

  private drawOutput(): void {
    const isOpen = !this.output.hidden;
    const lines = lastLines(this.state, LINES);
    write(this.lines, lines.join('\n'));
    show(this.lines, !isOpen && lines.length > 0);
    const isLive = this.stopTail !== null && !isTerminal(this.state.job.status);
    write(this.caption, `${printable(stdoutName(this.state.job))}${isLive ? ` · ${t('live')}` : ''}`);
    show(this.caption, isOpen || lines.length > 0);
    if (isOpen) {
      const isAtEnd = this.output.scrollTop + this.output.clientHeight >= this.output.scrollHeight - 8;
      write(this.output, printedLines(this.state.printed).join('\n') || t('Nothing printed yet.'));
      this.output.scrollTop = isAtEnd ? this.output.scrollHeight : this.output.scrollTop;
    }
  }

  private drawFiles(): void {
    const { outputs } = this.state;
    const isShown = outputs.length > 0 && isTerminal(this.state.job.status);
    show(this.files, isShown);
    const wanted = JSON.stringify([canAct(this.state), outputs]);
    if (!isShown || wanted === this.drawnFiles) {
      return;
    }
    this.drawnFiles = wanted;
    const drawn = outputs.slice(0, FILES).map(({ path, size: bytes }) => {
      const name = printable(path);
      const shown = canAct(this.state)
        ? element('a', '', { href: this.server.downloadUrl(this.uuid, path), download: '' }, name)
        : element('code', '', {}, name);
      return element('li', 'tj-File', {}, shown, ` ${size(bytes)}`);
    });
    const more = outputs.length - drawn.length;
    this.files.replaceChildren(...drawn, ...(more > 0 ? [element('li', 'tj-File', {}, t('and {more} more', { more }))] : []));
  }

  private drawButtons(): void {
    const ended = isTerminal(this.state.job.status);
    show(this.buttons, canAct(this.state));
    show(this.cancelButton, !ended);
    show(this.resumeButton, this.state.job.status === 'PAUSED');
    this.cancelButton.disabled = this.isCancelling;
    if (ended || !canAct(this.state)) {
      show(this.question, false);
    }
    if (ended && this.isCancelling) {
      this.isCancelling = false;
      this.say('');
    }
    if (!canAct(this.state)) {
      show(this.more, false);
      show(this.output, false);
    }
  }

  private async copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.uuid);
      this.say(t('Copied.'));
    } catch {
      // Without https a page may not write to the clipboard: show it, to be copied by hand.
      this.say(this.uuid);
    }
  }

  private state: CardState;
  private isGone = false;
  private isCancelling = false;
  private hasEnded = false;
  private hasWindow = false;
  private drawnFiles = '';
  private again: CardView | null = null;
  private stopTail: (() => void) | null = null;
  private readonly stopTicking: () => void;
  private readonly stopWatching: () => void;

  private readonly badge = element('span', 'tj-Status');
  private readonly title = element('strong', 'tj-Name');
  private readonly words = element('span', 'tj-Words');
  private readonly where = element('span', 'tj-Place');
  private readonly buttons = element('span', 'tj-Buttons');
  private readonly more = element('div', 'tj-More');
  private readonly question = element('div', 'tj-Question', { role: 'alertdialog', 'aria-label': 'Cancel this job?' });
  private readonly stations = element('ol', 'tj-Stations');
  private readonly progress = new ProgressBar();
  private readonly trouble = element('div', 'tj-Trouble', { role: 'status' });
  private readonly failure = element('div', 'tj-Failure');
  private readonly caption = element('div', 'tj-Caption');
  private readonly lines = element('pre', 'tj-Lines');
  private readonly output = element('pre', 'tj-Output', { role: 'region', tabindex: '0', 'aria-label': 'Output of the job' });
  private readonly files = element('ul', 'tj-Files', { 'aria-label': 'Files of the job' });
  private readonly note = element('div', 'tj-Note', { role: 'status' });
  private readonly below = element('div', 'tj-Below');
  private resumeButton!: HTMLButtonElement;
  private cancelButton!: HTMLButtonElement;
  private outputButton!: HTMLButtonElement;
  private moreButton!: HTMLButtonElement;
}
