/** One system: how its connection stands, its queues with limits and load, its runtimes; it can be looked at now. */

import type { HostLoad, HostReport, HostState } from '../core/api.js';
import { place, type Load, type QueueInfo, type SystemInfo } from '../core/catalog.js';
import { told } from '../core/client.js';
import { t, tn } from '../core/language.js';
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
    this.node.setAttribute('aria-label', t('System {name}', { name: printable(id) }));
    const head = element('div', 'tj-Bar', {}, element('h3', 'tj-Title', {}, printable(id)), this.badge, this.where, this.checkButton);
    this.node.append(head, this.state, this.note, this.about, this.queues);
    [this.note, this.checkButton].forEach(node => show(node, false));
  }

  /** Show the system and its connection; null where it has none, as the server's own machine. */
  update(system: SystemInfo, state: HostState | null, load: Load): void {
    write(this.where, printable(system.host));
    this.drawState(system, state);
    // Why a look failed is told once, and no longer than it holds.
    if (state?.state === 'connected' || state?.message === this.complaint) {
      this.complain('');
    }
    const runs = system.canExec ? system.scheduler || t('no scheduler') : t('files only');
    const parts = [system.description.replace(/\.\s*$/, ''), runs, system.queues.length ? '' : jobWords(load, this.id, ''), system.runtimes.join(', '), system.workDir && t('works in {folder}', { folder: system.workDir })];
    write(this.about, printable(parts.filter(Boolean).join(' · ')));
    this.system = system;
    this.jobs = system.queues.map(({ name }) => jobWords(load, this.id, name));
    this.drawQueues();
  }

  /** Show how full the queues are; null where it is not known. */
  fill(load: HostLoad | null): void {
    this.load = load;
    this.drawQueues();
  }

  private drawQueues(): void {
    const { system, jobs, load } = this;
    const key = JSON.stringify([system?.queues, jobs, load]);
    if (system && key !== this.drawn) {
      this.drawn = key;
      this.queues.replaceChildren(...(system.queues.length ? [queueTable(system, jobs, load)] : []));
    }
  }

  private drawState(system: SystemInfo, state: HostState | null): void {
    const word = !system.isEnabled ? 'disabled' : (state?.state ?? (this.id === LOCAL ? 'here' : 'shared'));
    const [glyph, tone] = STATES[word] ?? ['⊘', 'cancelled'];
    const words = wordOf(word);
    this.badge.dataset['tone'] = tone;
    write(this.badge, `${glyph} ${printable(words)}`);
    write(this.state, printable(system.isEnabled ? stateOf(this.id, state) : t('It takes no new jobs.')));
    write(this.checkButton, state?.state === 'code needed' ? t('Give the code…') : t('Check now'));
    show(this.checkButton, state !== null);
  }

  private async check(): Promise<void> {
    this.checkButton.disabled = true;
    this.complaint = '';
    this.say(t('Connecting …'));
    try {
      const report = await this.host.check();
      this.say(report ? [...report.lines, ...report.warnings.map(words => `⚠ ${words}`)].join('\n') : t('Stopped; nothing was changed.'));
    } catch (fault) {
      this.complain(told(fault));
    }
    this.checkButton.disabled = false;
    this.host.changed();
  }

  /** Tell why a look failed; '' takes that back, and nothing else. */
  private complain(words: string): void {
    if (words || this.complaint) {
      this.say(words && `⚠ ${words}`);
    }
    this.complaint = words;
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
  private system: SystemInfo | null = null;
  private jobs: readonly string[] = [];
  private load: HostLoad | null = null;
  private complaint = '';
  private drawn = '';
}

/** A state in the page's language; one that this page does not know stays as the server has it. */
function wordOf(state: string): string {
  const words: Readonly<Record<string, string>> = {
    here: t('here'),
    shared: t('shared'),
    connected: t('connected'),
    idle: t('idle'),
    trouble: t('trouble'),
    'code needed': t('code needed'),
    disabled: t('disabled')
  };
  return words[state] ?? state;
}

function stateOf(id: string, state: HostState | null): string {
  if (!state) {
    return id === LOCAL ? t("The server's own machine.") : t('It belongs to someone else, who sees how it is connected.');
  }
  return [state.message, nextTry(moment(state.nextTry)), t('User {name}.', { name: state.user })].filter(Boolean).join(' ');
}

/** A time that has gone by says that nothing has wanted the host since. */
function nextTry(at: number | null): string {
  if (at === null) {
    return '';
  }
  return at > Date.now() ? t('The next try is at {time}.', { time: new Date(at).toLocaleTimeString() }) : t('It is tried again when a job or a person needs it.');
}

function queueTable({ id, queues }: SystemInfo, jobs: readonly string[], load: HostLoad | null): HTMLElement {
  const loads = new Map((load?.asked ? load.queues : []).map(queue => [queue.name, queue]));
  const now = loads.size ? [t('Idle now'), t('All jobs now')] : [];
  const heads = [t('Queue'), t('Nodes'), t('Cores per node'), t('Memory per node'), t('Time'), t('Jobs of one person'), ...now, t('Your jobs now')];
  const body = queues.map((queue, row) => {
    const full = now.length ? loadWords(loads.get(queue.hostName || queue.name)) : [];
    const cells = [...limits(queue), ...full, jobs[row] || t('none')];
    return element('tr', '', {}, element('th', '', { scope: 'row' }, queueName(queue)), ...cells.map((words, place) => element('td', '', { 'data-label': heads[place + 1] ?? '' }, words)));
  });
  const asked = moment(load?.asked);
  const most = t('Queues of {name}: the most that one job may ask for', { name: printable(id) });
  const since = now.length && asked !== null ? t('and how full they were at {time}', { time: new Date(asked).toLocaleTimeString() }) : '';
  const why = load && !load.asked && load.message ? t('how full they are is not known: {why}', { why: printable(load.message) }) : '';
  const caption = element('caption', '', {}, [most, since || why].filter(Boolean).join('; '));
  const head = element('tr', '', {}, ...heads.map(words => element('th', '', { scope: 'col' }, words)));
  return element('table', 'tj-Limits', {}, caption, element('thead', '', {}, head), element('tbody', '', {}, ...body));
}

/** `12 of 40 nodes` over `560 of 2,240 cores`, and `▶ 180 running` over `◷ 34 waiting`. */
function loadWords(load: HostLoad['queues'][number] | undefined): string[] {
  if (!load) {
    return [t('not told'), t('not told')];
  }
  const { state, nodes, cores } = load;
  const idle = t('{idle} of {count} nodes', { idle: load.idleNodes.toLocaleString(), count: nodes.toLocaleString() });
  const free = t('{idle} of {count} cores', { idle: load.idleCores.toLocaleString(), count: cores.toLocaleString() });
  const closed = state === 'up' ? '' : t('⚠ queue is {state}', { state: printable(state) });
  const running = `${stateWords('RUNNING').glyph} ${tn('{count} running', '{count} running', load.running)}`;
  const waiting = `${stateWords('QUEUED').glyph} ${tn('{count} waiting', '{count} waiting', load.pending)}`;
  return [[closed, idle, free].filter(Boolean).join('\n'), `${running}\n${waiting}`];
}

/** `▶ 3 running   ◷ 12 queued` of one's own jobs in a queue; '' where there is none. */
function jobWords(load: Load, system: string, queue: string): string {
  const found = [...shares(load.get(place(system, queue)) ?? {})].reverse();
  return found.map(({ group, count }) => `${stateWords(group.status).glyph} ${count.toLocaleString()} ${t(group.name)}`).join('   ');
}

function queueName({ name, hostName, isDefault }: QueueInfo): string {
  const there = hostName && hostName !== name ? ` (${hostName})` : '';
  return printable(`${name}${there}${isDefault ? ` · ${t('default')}` : ''}`);
}

/** Each limit with its unit, or that there is none. */
function limits({ nodes, cores, memoryMB, minutes, jobs }: QueueInfo): string[] {
  const number = (value: number | null): string => value?.toLocaleString() ?? t('no limit');
  return [
    number(nodes),
    number(cores),
    memoryMB === null ? t('no limit') : size(memoryMB * 1e6),
    minutes === null ? t('no limit') : duration(60 * minutes),
    number(jobs)
  ];
}
