/** Why a job failed and what to do next, in the words of the kernel's client (`client/failure.py`). */

import { t } from '../core/language.js';
import { text, type Failure, type JobRow } from '../job.js';
import type { JobDetails } from '../core/api.js';

/** A failure, with the changes of the request that may mend it; null where that is no matter of the request. */
export interface Help extends Failure {
  readonly changes: Readonly<Record<string, number>> | null;
}

export type FailedJob = JobRow & Partial<Pick<JobDetails, 'memoryMB' | 'remoteResultInfo'>>;

/** 128 + SIGKILL (POSIX, "Exit Status for Commands"). */
const KILLED = 137;

/** Why `job` failed, by the last lines of its output; null when it did not. */
export function failureOf(job: FailedJob, tail: readonly string[] = []): Help | null {
  if (job.status !== 'FAILED') {
    return null;
  }
  const condition = conditionOf(job, tail);
  const line = tellingLine(tail);
  let cause = (CAUSES[condition] ?? plainCause)(job);
  const evidence = cause.includes(line) ? '' : line;
  if (evidence && CAUSES[condition]) {
    // It was ended from outside: the line tells how far it came, not why.
    cause = t('{cause}; last line', { cause });
  }
  return { cause, evidence, ...(ADVICE[condition] ? ADVICE[condition](job) : hint(evidence, job)) };
}

type Next = Pick<Help, 'nextStep' | 'changes'>;

/** Where Slurm only looks at memory now and then, its note in the output says it. */
function conditionOf(job: FailedJob, tail: readonly string[]): string {
  const isMemory = job.condition === 'SCHEDULER_TERMINATED' && tail.some(line => MEMORY_NOTE.test(line));
  return isMemory ? 'SCHEDULER_OUT_OF_MEMORY' : text(job.condition);
}

function exitCode(job: FailedJob): number | null {
  const told = job.exitCode ?? (/^\d+$/.test(text(job.remoteResultInfo)) ? Number(job.remoteResultInfo) : null);
  return told;
}

/** SIGKILL in a batch job: a case of a pack that needs too much memory gets no other word. */
function isKilledBatchJob(job: FailedJob): boolean {
  return job.jobType === 'BATCH' && exitCode(job) === KILLED;
}

function plainCause(job: FailedJob): string {
  const number = exitCode(job);
  if (isKilledBatchJob(job)) {
    return t('killed (exit code {code}), most often for want of memory', { code: KILLED });
  }
  if (number) {
    return number > 128 && number < 160 ? t('stopped by signal {signal}', { signal: number - 128 }) : t('exit code {code}', { code: number });
  }
  return unended(text(job.lastMessage).trim()) || text(job.condition) || t('it failed without a message');
}

/** What the scheduler said, else `instead`; an exit code alone says nothing of why. */
function said(instead: string): (job: FailedJob) => string {
  return job => {
    const words = text(job.lastMessage).trim() || text(job.remoteResultInfo).trim();
    return !words || /^\d+$/.test(words) ? t(instead) : unended(words);
  };
}

function unended(words: string): string {
  return words.replace(/\.+$/, '');
}

function timeLimit({ maxMinutes }: FailedJob): string {
  return maxMinutes ? t('stopped at the time limit of {count} min', { count: maxMinutes }) : t('stopped at its time limit');
}

function memoryLimit({ memoryMB }: FailedJob): string {
  return memoryMB ? t('out of memory: more than {count} MB', { count: memoryMB }) : t('out of memory');
}

/** Run again with twice as much of `field`. */
function more(field: 'maxMinutes' | 'memoryMB'): (job: FailedJob) => Next {
  return job => {
    const value = job[field];
    const changes = value ? { [field]: 2 * value } : null;
    return { nextStep: `job.resubmit(${field}=${value ? 2 * value : '…'})`, changes };
  };
}

const again = (): Next => ({ nextStep: 'job.resubmit()', changes: {} });

const CAUSES: Record<string, (job: FailedJob) => string> = {
  SCHEDULER_TIMEOUT: timeLimit,
  JOB_EXECUTION_MONITORING_TIMEOUT: timeLimit,
  SCHEDULER_DEADLINE: said('it could not end before its deadline'),
  SCHEDULER_OUT_OF_MEMORY: memoryLimit,
  SCHEDULER_TERMINATED: said('ended by the scheduler, not by its program'),
  SCHEDULER_CANCELLED: said('cancelled at the scheduler, not by this server')
};
const ADVICE: Record<string, (job: FailedJob) => Next> = {
  SCHEDULER_TIMEOUT: more('maxMinutes'),
  JOB_EXECUTION_MONITORING_TIMEOUT: more('maxMinutes'),
  SCHEDULER_OUT_OF_MEMORY: more('memoryMB'),
  SCHEDULER_TERMINATED: again,
  SCHEDULER_CANCELLED: again
};
/** What a line of output often means, and what to do about it. */
const HINTS: readonly (readonly [RegExp, (named: string) => string])[] = [
  [
    /No module named '([\w.]+)'/,
    named => t('install {named} for the Python that runs the job (TAPIS_PYTHON), or use an app that has it', { named })
  ],
  [/No such file or directory: '([^'/]+)'/, named => t("give it to the job: inputs=['{named}']", { named })],
  [/(?:line \d+: )?(\S+): command not found/, named => t('load {named} in the script, or use an app that has it', { named })]
];

function hint(evidence: string, job: FailedJob): Next {
  for (const [pattern, advice] of HINTS) {
    const found = pattern.exec(evidence);
    if (found) {
      return { nextStep: advice(found[1] ?? ''), changes: null };
    }
  }
  if (isKilledBatchJob(job)) {
    return more('memoryMB')(job);
  }
  return { nextStep: evidence || job.remoteStarted ? 'job.read("tapisjob.out")' : 'job.history()', changes: null };
}

/** What Slurm writes into the output of a job that it ends; the cause tells it already. */
const NOT_THE_PROGRAMS = /^\s*(slurmstepd-\S+: |srun: .*\*\*\* (JOB|STEP) )/;
const MEMORY_NOTE = /^\s*slurmstepd-\S+: .*(memory limit|oom.kill)/i;

/** The last line that says something, cut to what fits. */
function tellingLine(tail: readonly string[]): string {
  const lines = tail.filter(line => line.trim() && !NOT_THE_PROGRAMS.test(line)).map(line => line.trim());
  return lines.at(-1)?.slice(0, 200) ?? '';
}
