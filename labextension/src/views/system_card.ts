/** One system: how its connection stands, its queues with their limits, its runtimes; it can be looked at now. */

import type { HostReport, HostState } from '../core/api.js';
import { place, type Load, type QueueInfo, type SystemInfo } from '../core/catalog.js';
import { told } from '../core/client.js';
import { shares } from '../core/studies.js';
import { button, element, show, write } from '../dom.js';
import { duration, moment, printable, size, stateWords } from '../words.js';

/** The system that is the server's own machine. */
const LOCAL = 'local';
/** Connection state -> glyph and tone; the word stands beside them. Of someone else's system no state is told. */
const STATES: Record<string, readonly [string, string]> = {
  here: ['●', 'finished'],
  shared: ['○', 'waiting'],
  connected: ['●', 'finished'],
  idle: ['○', 'waiting'],
  trouble: ['⚠', 'failed'],
  'code needed': ['⚿', 'queued']
};

export interface CardHost {
  /** Connect now, asking the person for what the host wants; null where the person stopped. */
  check(): Promise<HostReport | null>;
  /** Something is otherwise now. */
  changed(): void;
}

export class SystemCard {
  readonly node = element('article', 'tj-System');

  constructor(
    private readonly id: string,
    private readonly host: CardHost
  ) {
    this.node.setAttribute('aria-label', `System ${printable(id)}`);
    const head = element('div', 'tj-Bar', {}, element('h3', 'tj-Title', {}, printable(id)), this.badge, this.where, this.checkButton);
    this.node.append(head, this.state, this.note, this.about, this.queues);
    [this.note, this.checkButton].forEach(node => show(node, false));
  }

  /** Show the system and its connection; null where it has none, as the server's own machine. */
  update(system: SystemInfo, state: HostState | null, load: Load): void {
    write(this.where, printable(system.host));
    this.drawState(system, state);
    const runs = system.canExec ? system.scheduler || 'no scheduler' : 'files only';
    const parts = [system.description.replace(/\.\s*$/, ''), runs, system.queues.length ? '' : jobWords(load, this.id, ''), system.runtimes.join(', '), system.workDir && `works in ${system.workDir}`];
    write(this.about, printable(parts.filter(Boolean).join(' · ')));
    const jobs = system.queues.map(({ name }) => jobWords(load, this.id, name));
    const key = JSON.stringify([system.queues, jobs]);
    if (key !== this.drawn) {
      this.drawn = key;
      this.queues.replaceChildren(...(system.queues.length ? [queueTable(system, jobs)] : []));
    }
  }

  private drawState(system: SystemInfo, state: HostState | null): void {
    const word = !system.isEnabled ? 'disabled' : (state?.state ?? (this.id === LOCAL ? 'here' : 'shared'));
    const [glyph, tone] = STATES[word] ?? ['⊘', 'cancelled'];
    this.badge.dataset['tone'] = tone;
    write(this.badge, `${glyph} ${printable(word)}`);
    write(this.state, printable(system.isEnabled ? stateOf(this.id, state) : 'It takes no new jobs.'));
    write(this.checkButton, state?.state === 'code needed' ? 'Give the code…' : 'Check now');
    show(this.checkButton, state !== null);
  }

  private async check(): Promise<void> {
    this.checkButton.disabled = true;
    this.say('Connecting …');
    try {
      const report = await this.host.check();
      this.say(report ? [...report.lines, ...report.warnings.map(words => `⚠ ${words}`)].join('\n') : 'Stopped; nothing was changed.');
    } catch (fault) {
      this.say(`⚠ ${told(fault)}`);
    }
    this.checkButton.disabled = false;
    this.host.changed();
  }

  private say(words: string): void {
    write(this.note, printable(words));
    show(this.note, words !== '');
  }

  private readonly badge = element('span', 'tj-Tone tj-State');
  private readonly where = element('span', 'tj-Words');
  private readonly checkButton = button('Check now', 'Connect to the host and look at its queues and runtimes again', () => void this.check());
  private readonly state = element('p', 'tj-StudyWords', { role: 'status' });
  private readonly note = element('p', 'tj-Note', { role: 'status' });
  private readonly about = element('p', 'tj-StudyWords');
  private readonly queues = element('div', 'tj-Queues');
  private drawn = '';
}

function stateOf(id: string, state: HostState | null): string {
  if (!state) {
    return id === LOCAL ? "The server's own machine." : 'It belongs to someone else, who sees how it is connected.';
  }
  const until = moment(state.nextTry);
  const next = until === null ? '' : ` The next try is at ${new Date(until).toLocaleTimeString()}.`;
  return `${state.message}${next} User ${state.user}.`;
}

const HEADS = ['Queue', 'Nodes', 'Cores per node', 'Memory per node', 'Time', 'Jobs of one person', 'Your jobs now'];

function queueTable({ id, queues }: SystemInfo, jobs: readonly string[]): HTMLElement {
  const heads = HEADS.map(words => element('th', '', { scope: 'col' }, words));
  const rows = queues.map((queue, row) => element('tr', '', {}, element('th', '', { scope: 'row' }, queueName(queue)), ...[...limits(queue), jobs[row] || 'none'].map((words, place) => element('td', '', { 'data-label': HEADS[place + 1] ?? '' }, words))));
  const caption = element('caption', '', {}, `Queues of ${printable(id)}: the most that one job may ask for`);
  return element('table', 'tj-Limits', {}, caption, element('thead', '', {}, element('tr', '', {}, ...heads)), element('tbody', '', {}, ...rows));
}

/** `▶ 3 running   ◷ 12 queued` of one's own jobs in a queue; '' where there is none. */
function jobWords(load: Load, system: string, queue: string): string {
  const found = [...shares(load.get(place(system, queue)) ?? {})].reverse();
  return found.map(({ group, count }) => `${stateWords(group.status).glyph} ${count.toLocaleString()} ${group.name}`).join('   ');
}

function queueName({ name, hostName, isDefault }: QueueInfo): string {
  const there = hostName && hostName !== name ? ` (${hostName})` : '';
  return printable(`${name}${there}${isDefault ? ' · default' : ''}`);
}

/** Each limit with its unit, or that there is none. */
function limits({ nodes, cores, memoryMB, minutes, jobs }: QueueInfo): string[] {
  const number = (value: number | null): string => value?.toLocaleString() ?? 'no limit';
  return [
    number(nodes),
    number(cores),
    memoryMB === null ? 'no limit' : size(memoryMB * 1e6),
    minutes === null ? 'no limit' : duration(60 * minutes),
    number(jobs)
  ];
}
