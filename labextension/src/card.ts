/** What one card knows, and how news changes it: pure, a new state for each change. */

import { isTerminal, type Failure, type HistoryRow, type JobRow, type OutputFile, type SavedCard } from './job.js';
import { printedLines } from './words.js';

/** Whether this server knows the job. `asking` until it has answered; `away` while it does not answer. */
export type Standing = 'asking' | 'known' | 'unknown' | 'away';

export interface CardState {
  readonly uuid: string;
  readonly name: string;
  readonly job: JobRow;
  readonly history: readonly (readonly [string, string])[];
  /** The end of what the program printed. */
  readonly printed: string;
  readonly outputs: readonly OutputFile[];
  readonly failure: Failure | null;
  readonly standing: Standing;
  /** When the kernel last redrew the card, ms; 0 for a card as it was saved. */
  readonly fed: number;
}

export type Change =
  | { kind: 'saved'; card: SavedCard; now: number }
  | { kind: 'row'; job: JobRow; event?: HistoryRow }
  | { kind: 'printed'; text: string; afresh: boolean }
  | { kind: 'outputs'; outputs: OutputFile[] }
  | { kind: 'standing'; standing: Standing };

/** Characters of output that a card keeps. */
const KEPT = 64 * 1024;
/** Milliseconds after which a card that only the kernel feeds counts as left alone. */
const FED = 60_000;

export function begin(card: SavedCard): CardState {
  const { uuid, name, job, history, outputs, failure } = card;
  return { uuid, name, job, history, printed: card.tail.join('\n'), outputs, failure, standing: 'asking', fed: 0 };
}

export function reduce(state: CardState, change: Change): CardState {
  switch (change.kind) {
    case 'saved':
      return redrawn(state, change.card, change.now);
    case 'row':
      return moved(state, change.job, change.event);
    case 'printed':
      return { ...state, printed: ((change.afresh ? '' : state.printed) + change.text).slice(-KEPT) };
    case 'outputs':
      return { ...state, outputs: change.outputs };
    case 'standing':
      return { ...state, standing: change.standing };
  }
}

/** The kernel has redrawn the card: the newer of both rows wins, the longer of both outputs. */
function redrawn(state: CardState, card: SavedCard, now: number): CardState {
  const next = moved(state, card.job);
  const tail = card.tail.join('\n');
  return {
    ...next,
    name: card.name,
    history: card.history.length > next.history.length ? card.history : next.history,
    printed: tail.length > next.printed.length || state.standing !== 'known' ? tail : next.printed,
    outputs: card.outputs.length ? card.outputs : next.outputs,
    failure: card.failure ?? next.failure,
    fed: now
  };
}

/** News about the job; what is older than what is shown changes nothing. */
function moved(state: CardState, job: JobRow, event?: HistoryRow): CardState {
  const step = event?.event === 'JOB_NEW_STATUS' ? ([event.eventDetail ?? '', event.created ?? ''] as const) : null;
  const isNewStep = step !== null && !state.history.some(([status, at]) => status === step[0] && at === step[1]);
  return {
    ...state,
    history: isNewStep ? [...state.history, step] : state.history,
    job: isOlder(job, state.job) ? state.job : { ...state.job, ...job }
  };
}

export function isOlder(row: JobRow, shown: JobRow): boolean {
  if (isTerminal(shown.status) && !isTerminal(row.status)) {
    return true;
  }
  return (row.lastUpdated ?? '') < (shown.lastUpdated ?? '') && !(isTerminal(row.status) && !isTerminal(shown.status));
}

/** The last `limit` lines that say something. */
export function lastLines(state: CardState, limit: number): string[] {
  return printedLines(state.printed)
    .filter(line => line.trim())
    .slice(-limit);
}

/** True while time goes on for this card: its job runs on, and someone tells us so. */
export function isTicking(state: CardState, now: number): boolean {
  return !isTerminal(state.job.status) && (state.standing === 'known' || now - state.fed < FED);
}

/** True when the buttons work: the server knows the job. */
export function canAct(state: CardState): boolean {
  return state.standing === 'known';
}
