/** What can be done with chosen jobs: one table of words, questions and calls. */

import type { ExtraAction } from '../core/api.js';
import type { Outcome } from '../core/each.js';
import { AT_ONCE, type Extras } from '../core/extras.js';
import type { Jobs } from '../core/jobs.js';
import { element } from '../dom.js';

export interface Deed {
  label: string;
  title: string;
  /** What is asked before, after the number of jobs; without it the deed is done at once. */
  ask?(count: string): string;
  /** The words of the yes. */
  yes?(count: string): string;
  /** Said while it is done. */
  doing: string;
  run(uuids: string[], step: (done: number) => void): Promise<Outcome[]>;
  /** What became of it, of how many. */
  done(good: string, all: string): string;
  /** Takes it back. */
  undo?(uuids: string[], step: (done: number) => void): Promise<Outcome[]>;
  /** Rows look otherwise after it, without any news. */
  isQuiet?: boolean;
  /** The jobs are no more chosen after it. */
  isLast?: boolean;
}

/** `3 jobs`, `1 job`. */
export function jobsOf(number: number): string {
  return `${number.toLocaleString()} ${number === 1 ? 'job' : 'jobs'}`;
}

function these(count: string): string {
  return count === jobsOf(1) ? 'this job' : `these ${count}`;
}

export function cancelling(jobs: Jobs): Deed {
  return {
    label: 'Cancel…',
    title: 'End the selected jobs',
    ask: count => `End ${these(count)}?`,
    yes: count => (count === jobsOf(1) ? 'Cancel the job' : `Cancel ${count}`),
    doing: 'Cancelling',
    run: uuids => jobs.cancel(uuids),
    done: (good, all) => `${good} of ${all} are asked to end.`
  };
}

export function resubmitting(jobs: Jobs): Deed {
  return {
    label: 'Submit again…',
    title: 'Submit the selected jobs again, as they were asked for',
    ask: count => `Submit ${these(count)} again?`,
    yes: count => `Submit ${count}`,
    doing: 'Submitting',
    run: (uuids, step) => jobs.resubmit(uuids, step),
    done: (good, all) => `${good} of ${all} are submitted again.`
  };
}

export function hiding(jobs: Jobs): Deed {
  return {
    label: 'Hide',
    title: 'Leave the selected jobs out of the list; nothing of them is lost',
    doing: 'Hiding',
    run: (uuids, step) => jobs.setVisible(uuids, false, step),
    done: (good, all) => `${good} of ${all} are hidden.`,
    undo: (uuids, step) => jobs.setVisible(uuids, true, step),
    isQuiet: true,
    isLast: true
  };
}

export function showing(jobs: Jobs): Deed {
  return {
    label: 'Show again',
    title: 'Take the selected jobs into the list again',
    doing: 'Showing',
    run: (uuids, step) => jobs.setVisible(uuids, true, step),
    done: (good, all) => `${good} of ${all} are in the list again.`,
    isQuiet: true
  };
}

/** A browser asks its person before many downloads begin; more than these are no help to anybody. */
const ZIPS = 50;

export function downloading(jobs: Jobs, save: (url: string, name: string) => void = saved): Deed {
  return {
    label: 'Download',
    title: `Save the outputs of the selected jobs, a zip for each; at most ${ZIPS} at once`,
    doing: 'Downloading',
    run: async uuids =>
      uuids.map((uuid, at) => {
        if (at >= ZIPS) {
          return { uuid, status: 'error', message: `at most ${ZIPS} are saved at once.` };
        }
        save(jobs.zipUrl(uuid), `${uuid}.zip`);
        return { uuid, status: 'success', message: '' };
      }),
    done: (good, all) => `The browser saves the outputs of ${good} of ${all}.`
  };
}

/** The browser itself fetches it, signed in by its cookie: nothing of it is kept in the page. */
function saved(url: string, name: string): void {
  const link = element('a', '', { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

/** An action of another package. */
export function added(action: ExtraAction, extras: Extras): Deed {
  const { name, title, confirm } = action;
  return {
    label: confirm === null ? title : `${title}…`,
    title: action.statuses.length ? `${title}: for jobs that are ${action.statuses.join(', ')}` : title,
    ...(confirm !== null && { ask: (count: string) => `${confirm} (${count})`, yes: () => title }),
    doing: title,
    run: async (uuids, step) => {
      const outcomes: Outcome[] = [];
      for (let from = 0; from < uuids.length; from += AT_ONCE) {
        outcomes.push(...(await extras.run(name, uuids.slice(from, from + AT_ONCE))));
        step(outcomes.length);
      }
      return outcomes;
    },
    done: (good, all) => `${title}: ${good} of ${all}.`,
    isQuiet: true
  };
}
