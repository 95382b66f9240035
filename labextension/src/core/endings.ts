/** Which jobs have ended, put together so that a person is told once: many at a time, and a study when all of it is done. */

import { isTerminal, type HistoryRow, type JobRow } from '../job.js';
import { EVERY, type Later } from '../live.js';
import { age, duration, printable } from '../words.js';
import type { News } from './jobs.js';
import { t, tn } from './language.js';
import { ended } from './studies.js';
import type { StudyRow } from './api.js';

/** One thing to tell. `uuid` of the one job, `study` is the name of the study it is about. */
export interface Ending {
  readonly words: string;
  readonly isBad: boolean;
  readonly uuid?: string;
  readonly study?: string;
}

/** Milliseconds without another one after which they are told, and how long the first one waits at most. */
const CALM = 2000;
const LONGEST = 30_000;
/** Told jobs that are remembered: the same news may come twice after a lost connection. */
const REMEMBERED = 20_000;

interface Ended extends JobRow {
  owner?: string;
}

export interface Wishes {
  /** Finished jobs that took less than so many seconds are not told; failed ones always are. */
  readonly shortest: number;
  /** Only what failed. */
  readonly failuresOnly: boolean;
}

export class Endings {
  constructor(
    live: News,
    /** One's own studies. */
    private readonly studies: () => Promise<StudyRow[]>,
    /** The person whose jobs are told; those that others share are not. */
    private readonly owner: () => Promise<string>,
    private readonly wishes: () => Wishes,
    private readonly tell: (ending: Ending) => void,
    private readonly later: Later,
    private readonly now: () => number = Date.now
  ) {
    this.unwatch = live.watch(EVERY, { news: (job, event) => this.hear(job, event), ask: () => undefined });
  }

  stop(): void {
    this.unwatch();
    this.unflush?.();
  }

  private hear(job: Ended, event: HistoryRow): void {
    const uuid = job.uuid ?? event.jobUuid ?? '';
    const isEnd = event.event === 'JOB_NEW_STATUS' && isTerminal(job.status);
    if (!isEnd || this.known.has(uuid) || isOwnDoing(job)) {
      return;
    }
    this.remember(uuid);
    this.first ??= this.now();
    this.waiting.push({ ...job, uuid });
    this.unflush?.();
    const ms = Math.min(CALM, Math.max(0, this.first + LONGEST - this.now()));
    this.unflush = this.later(() => void this.flush(), ms);
  }

  private remember(uuid: string): void {
    this.known.add(uuid);
    if (this.known.size > REMEMBERED) {
      this.known.delete(this.known.values().next().value as string);
    }
  }

  private async flush(): Promise<void> {
    const jobs = this.waiting.splice(0);
    this.unflush = null;
    this.first = null;
    const [studies, owner] = await Promise.all([
      jobs.some(({ cohortId }) => cohortId) ? this.studies().catch(() => []) : [],
      this.owner().catch(() => '')
    ]);
    const own = jobs.filter(job => !owner || job.owner === undefined || job.owner === owner);
    const touched = new Set(own.map(({ cohortId }) => cohortId));
    const theirs = studies.filter(({ cohortId }) => touched.has(cohortId));
    const ofStudies = new Set<string | null | undefined>(theirs.map(({ cohortId }) => cohortId));
    const { shortest, failuresOnly } = this.wishes();
    const worth = ({ status }: Ended, seconds: number): boolean => status === 'FAILED' || (!failuresOnly && seconds >= shortest);
    const single = own.filter(job => !ofStudies.has(job.cohortId) && worth(job, age(job, this.now())));
    const told = [...theirs.filter(isOver).map(studyEnding), ...(single.length ? [ending(single)] : [])];
    told.filter(({ isBad }) => isBad || !failuresOnly).forEach(this.tell);
  }

  private readonly known = new Set<string>();
  private readonly waiting: Ended[] = [];
  private first: number | null = null;
  private unflush: (() => void) | null = null;
  private readonly unwatch: () => void;
}

/** The person knows who cancels a job. */
function isOwnDoing({ status, condition }: Ended): boolean {
  return status === 'CANCELLED' && (!condition || condition === 'CANCELLED_BY_USER');
}

function isOver({ cases, counts }: StudyRow): boolean {
  return ended(counts) >= cases;
}

function studyEnding({ name, counts }: StudyRow): Ending {
  const failed = counts['FAILED'] ?? 0;
  const words = t('Study {name} has ended: {parts}', { name: printable(name), parts: parts(counts) });
  return { words, isBad: failed > 0, study: name };
}

function ending(jobs: readonly Ended[]): Ending {
  const [job] = jobs as [Ended];
  const isBad = jobs.some(({ status }) => status === 'FAILED');
  if (jobs.length === 1) {
    return { words: sentence(job), isBad, ...(job.uuid && { uuid: job.uuid }) };
  }
  const counts: Record<string, number> = {};
  jobs.forEach(({ status = '' }) => (counts[status] = (counts[status] ?? 0) + 1));
  const words = tn('{count} job has ended: {parts}', '{count} jobs have ended: {parts}', jobs.length, { parts: parts(counts) });
  return { words, isBad };
}

function sentence(job: Ended): string {
  const name = printable(job.name ?? '');
  const time = duration(age(job, 0));
  switch (job.status) {
    case 'FINISHED':
      return t('✓ {name} is done after {time}.', { name, time });
    case 'FAILED':
      return t('✗ {name} failed after {time}: {why}', { name, time, why: printable(job.lastMessage ?? '') || job.condition || '' });
    default:
      return t('⊘ {name} was cancelled after {time}.', { name, time });
  }
}

/** `✓ 1,497 done, ✗ 3 failed`. */
function parts(counts: Readonly<Record<string, number>>): string {
  const told: string[] = [];
  const add = (status: string, words: (count: number) => string): void => {
    const count = counts[status] ?? 0;
    if (count) {
      told.push(words(count));
    }
  };
  add('FINISHED', count => tn('✓ {count} done', '✓ {count} done', count));
  add('FAILED', count => tn('✗ {count} failed', '✗ {count} failed', count));
  add('CANCELLED', count => tn('⊘ {count} cancelled', '⊘ {count} cancelled', count));
  return told.join(', ');
}
