/** A job's history as a timeline: each state with its beginning and how long it took, and what else was noted. */

import type { HistoryEntry } from '../core/api.js';
import { t } from '../core/language.js';
import { element } from '../dom.js';
import { isTerminal, text } from '../job.js';
import { duration, moment, printable, stateWords } from '../words.js';

/** One entry. `seconds` in it are null where it is a single moment; `share` is of the whole time, 0 to 1. */
export interface Step {
  readonly status: string;
  readonly words: string;
  readonly at: number;
  readonly seconds: number | null;
  readonly share: number;
  readonly isOpen: boolean;
}

const NOTED: Record<string, string> = {
  JOB_INPUT_TRANSACTION_ID: 'inputs are on their way',
  JOB_ARCHIVE_TRANSACTION_ID: 'outputs are on their way',
  JOB_SUBSCRIPTION: 'a subscription changed',
  JOB_SHARE_EVENT: 'sharing changed',
  JOB_ERROR_MESSAGE: 'trouble',
  JOB_USER_EVENT: 'told by the job'
};

/** The detail of the server's own entry about what a function has made of the outputs. */
const PROCESSING = 'PROCESSING';

/** The steps of a history (oldest first) as of `now`, ms since the epoch. */
export function steps(history: readonly HistoryEntry[], now: number): Step[] {
  const known = history.flatMap(entry => {
    const at = moment(entry.created);
    return at === null ? [] : [{ entry, at }];
  });
  const states = known.filter(({ entry }) => entry.event === 'JOB_NEW_STATUS');
  const last = states.at(-1);
  const end = last && isTerminal(last.entry.eventDetail) ? last.at : Math.max(now, last?.at ?? now);
  const whole = Math.max(1, end - (states[0]?.at ?? end));
  return known.map(({ entry, at }) => {
    const place = states.findIndex(state => state.entry === entry);
    if (place < 0) {
      return { status: '', words: noted(entry), at, seconds: null, share: 0, isOpen: false };
    }
    const isEnd = isTerminal(entry.eventDetail);
    const until = states[place + 1]?.at ?? end;
    return {
      status: entry.eventDetail,
      words: text(entry.description),
      at,
      seconds: isEnd ? null : Math.max(0, until - at) / 1000,
      share: isEnd ? 0 : Math.max(0, until - at) / whole,
      isOpen: !isEnd && place === states.length - 1
    };
  });
}

function noted({ event, eventDetail, description }: HistoryEntry): string {
  const words = event === 'JOB_USER_EVENT' && eventDetail === PROCESSING ? 'processed' : (NOTED[event] ?? event);
  return [t(words), text(description) || text(eventDetail)].filter(Boolean).join(': ');
}

export class TimelineView {
  readonly node = element('section', 'tj-Timeline');

  /** Show a history; redrawn only where something is another than before. */
  update(history: readonly HistoryEntry[], now: number): void {
    const found = steps(history, now);
    this.list.replaceChildren(...found.map(step => drawn(step, now)));
    const isEmpty = !found.length;
    this.node.replaceChildren(isEmpty ? element('p', 'tj-Empty', {}, t('No history yet.')) : this.list);
  }

  private readonly list = element('ol', 'tj-Steps', { 'aria-label': t('History of the job') });
}

function drawn({ status, words, at, seconds, share, isOpen }: Step, now: number): HTMLElement {
  const { glyph, tone } = stateWords(status);
  const time = element('time', 'tj-When', { datetime: new Date(at).toISOString(), title: `${new Date(at).toISOString()} (UTC)` }, clockTime(at, now));
  const long = duration(seconds ?? 0);
  const took = seconds === null ? '' : isOpen ? t('{duration} so far', { duration: long }) : long;
  const bar = element('span', 'tj-Portion', { 'aria-hidden': 'true' });
  bar.style.width = `${(100 * share).toFixed(1)}%`;
  const name = status ? [element('span', 'tj-Status', {}, `${glyph} ${printable(status)}`)] : [];
  const told = element('span', 'tj-Step-words', {}, ...name, ' ', printable(words));
  const node = element('li', 'tj-Step tj-Tone', isOpen ? { 'aria-current': 'step' } : {}, time, told, element('span', 'tj-Took', {}, took), bar);
  node.dataset['tone'] = status ? tone : 'note';
  return node;
}

/** `14:02:07`, with the day when it is not today. */
export function clockTime(at: number, now: number): string {
  const [then, today] = [new Date(at), new Date(now)];
  const time = then.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  return then.toDateString() === today.toDateString() ? time : `${then.toLocaleDateString()} ${time}`;
}
