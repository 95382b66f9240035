/** How a job is told: glyph and word of each state, times and sizes as a person reads them. */

import { t, tn } from './core/language.js';
import { isTerminal, type JobRow } from './job.js';

/** A state's glyph, the group that its colour belongs to, and the words beside it. */
export interface StateWords {
  glyph: string;
  tone: string;
  words: string;
}

const STATES: Record<string, StateWords> = {
  PENDING: { glyph: '○', tone: 'waiting', words: 'accepted' },
  PROCESSING_INPUTS: { glyph: '○', tone: 'waiting', words: 'checking inputs' },
  STAGING_INPUTS: { glyph: '◌', tone: 'staging', words: 'copying inputs' },
  STAGING_JOB: { glyph: '◌', tone: 'staging', words: 'putting the job in place' },
  SUBMITTING_JOB: { glyph: '◷', tone: 'queued', words: 'being handed to its scheduler' },
  QUEUED: { glyph: '◷', tone: 'queued', words: 'in the queue' },
  RUNNING: { glyph: '▶', tone: 'running', words: 'running' },
  ARCHIVING: { glyph: '⇪', tone: 'archiving', words: 'archiving' },
  FINISHED: { glyph: '✓', tone: 'finished', words: 'done' },
  FAILED: { glyph: '✗', tone: 'failed', words: 'failed' },
  CANCELLED: { glyph: '⊘', tone: 'cancelled', words: 'cancelled by you' },
  PAUSED: { glyph: '⏸', tone: 'paused', words: 'held by you; resume' },
  BLOCKED: { glyph: '⚠', tone: 'blocked', words: 'held back by trouble that passes; nothing is lost' }
};
/** A newer server may know further states. */
const UNKNOWN: StateWords = { glyph: '·', tone: 'waiting', words: '' };

/** The dots of a card: a word, and the statuses that stand for it. */
export const STATIONS: readonly (readonly [string, readonly string[]])[] = [
  ['pending', ['PENDING']],
  ['inputs', ['PROCESSING_INPUTS', 'STAGING_INPUTS']],
  ['job', ['STAGING_JOB']],
  ['submit', ['SUBMITTING_JOB']],
  ['queue', ['QUEUED']],
  ['run', ['RUNNING']],
  ['archive', ['ARCHIVING']],
  ['done', ['FINISHED']]
];

/** How the dot of one station looks: behind the job, where it is, where it stopped, or to come. */
export type Dot = 'past' | 'here' | 'stopped' | 'ahead';

export function stateWords(status: string | undefined): StateWords {
  const known = STATES[status ?? ''] ?? UNKNOWN;
  return { ...known, words: t(known.words) };
}

/** The dots of a job: `history` are (status, when) in order. */
export function dots(status: string | undefined, history: readonly (readonly [string, string])[]): Dot[] {
  const reached = history.map(([step]) => station(step));
  const own = station(status);
  const here = own >= 0 ? own : Math.max(0, ...reached);
  const mark: Dot = status === 'FINISHED' ? 'past' : isTerminal(status) ? 'stopped' : 'here';
  return STATIONS.map((_, place) => (place < here ? 'past' : place === here ? mark : 'ahead'));
}

function station(status: string | undefined): number {
  return STATIONS.findIndex(([, statuses]) => statuses.includes(status ?? ''));
}

/** Seconds to show beside the state at `now` (ms since the epoch): in this run, else since acceptance. */
export function age(job: JobRow, now: number): number {
  const created = moment(job.created);
  if (created === null) {
    return 0;
  }
  const ended = moment(job.ended);
  if (ended !== null) {
    return (ended - created) / 1000;
  }
  const started = job.status === 'RUNNING' ? moment(job.remoteStarted) : null;
  return Math.max(0, now - (started ?? created)) / 1000;
}

/** What a card says beside the state: `running 00:07 of 05:00 at most`, `done in 12 s`. */
export function sentence(job: JobRow, now: number): string {
  const { words } = stateWords(job.status);
  const seconds = age(job, now);
  const time = clock(seconds);
  const said = (job.lastMessage ?? '').trim().replace(/\.+$/, '');
  switch (job.status) {
    case 'RUNNING':
      return job.maxMinutes
        ? t('{words} {time} of {limit} at most', { words, time, limit: clock(60 * job.maxMinutes) })
        : `${words} ${time}`;
    case 'FINISHED':
      return t('{words} in {duration}', { words, duration: duration(seconds) });
    case 'FAILED':
      return after(words, seconds);
    case 'CANCELLED':
      return after(!job.condition || job.condition === 'CANCELLED_BY_USER' ? words : t('cancelled'), seconds);
    case 'BLOCKED':
      return job.lastMessage || `${words} ${time}`;
    case 'SUBMITTING_JOB':
    case 'QUEUED': {
      const queue = job.status === 'QUEUED' ? job.execSystemLogicalQueue : null;
      return `${queue ? t('in queue {queue}', { queue }) : words} ${time}${said && `: ${said}`}`;
    }
    case 'STAGING_INPUTS':
    case 'STAGING_JOB':
    case 'ARCHIVING':
      return `${said || words} ${time}`;
    default:
      return `${words} ${time}`.trim();
  }
}

/** How far its application says a job is: `40 % · step 12`; '' where it has said nothing. */
export function progressWords(job: JobRow): string {
  const percent = typeof job.progress === 'number' ? `${Number(job.progress.toPrecision(4)).toLocaleString()} %` : '';
  return [percent, (job.progressMessage ?? '').trim()].filter(Boolean).join(' · ');
}

function after(words: string, seconds: number): string {
  return t('{words} after {duration}', { words, duration: duration(seconds) });
}

/** `rig · normal · BATCH array 4711_17 · 1 node x 1 core · 5 min`, as far as it is known. */
export function place(job: JobRow): string {
  const size = job.nodeCount && job.coresPerNode ? `${tn('{count} node', '{count} nodes', job.nodeCount)} x ${tn('{count} core', '{count} cores', job.coresPerNode)}` : '';
  const limit = job.maxMinutes ? t('{count} min', { count: job.maxMinutes }) : '';
  return [job.execSystemId, job.execSystemLogicalQueue, launch(job), size, limit].filter(Boolean).join(' · ');
}

/** How it is started, with the scheduler's number; a process number tells a person nothing. */
function launch(job: JobRow): string {
  if (job.jobType !== 'BATCH') {
    return job.jobType ?? '';
  }
  const mode = job.launchMode === 'array' || job.launchMode === 'pack' ? job.launchMode : '';
  return ['BATCH', mode, job.remoteJobId].filter(Boolean).join(' ');
}

/** A running time: `00:07`, `12:40`, `1:04:09`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${two(minutes)}:${two(rest)}`;
}

/** A time that has passed: `0.4 s`, `12 s`, `3 min 05 s`, `1 h 04 min`, `2 d 03 h`. */
export function duration(seconds: number): string {
  if (seconds < 1) {
    return `${Math.max(0, seconds).toFixed(1)} s`;
  }
  const whole = Math.floor(seconds);
  const [minutes, hours, days] = [Math.floor(whole / 60), Math.floor(whole / 3600), Math.floor(whole / 86400)];
  if (days) {
    return `${days} d ${two(hours % 24)} h`;
  }
  if (hours) {
    return `${hours} h ${two(minutes % 60)} min`;
  }
  return minutes ? `${minutes} min ${two(whole % 60)} s` : `${whole} s`;
}

/** A number of bytes: `512 B`, `4.1 KB`, `41 MB`; thousands, as disks are sold. */
export function size(bytes: number): string {
  if (bytes < 1000) {
    return `${bytes} B`;
  }
  let value = bytes;
  for (const unit of ['KB', 'MB', 'GB']) {
    value /= 1000;
    if (value < 999.5) {
      return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${unit}`;
    }
  }
  return `${(value / 1000).toFixed(1)} TB`;
}

/** Tapis's time text as ms since the epoch; UTC when it names no zone. */
export function moment(told: string | null | undefined): number | null {
  if (!told) {
    return null;
  }
  const at = Date.parse(/Z|[+-]\d\d:?\d\d$/.test(told) ? told : `${told}Z`);
  return Number.isNaN(at) ? null : at;
}

/* Colours and moves of the cursor that a program prints for a terminal, what else is not text, and marks
   that change the direction of text and could show a line as another one. */
// eslint-disable-next-line no-control-regex
const CONTROL = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
const TURNING = /[\u202a-\u202e\u2066-\u2069\u200e\u200f]/g;

/** `told` without what is not plain text. */
export function printable(told: string): string {
  return told.replace(CONTROL, '').replace(TURNING, '');
}

/** The printed lines; of a line rewritten by `\r` (a progress bar) the last form. */
export function printedLines(told: string): string[] {
  return told.split('\n').map(line => printable(line.replace(/\r+$/, '').split('\r').pop() ?? ''));
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}

/** `14:02`, with the day when it is not today. */
export function localTime(at: number, now: number): string {
  const [then, today] = [new Date(at), new Date(now)];
  const time = then.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return then.toDateString() === today.toDateString() ? time : `${then.toLocaleDateString()} ${time}`;
}
