/** What can be done with chosen jobs: one table of words, questions and calls. */

import type { ExtraAction } from '../core/api.js';
import type { Outcome } from '../core/each.js';
import { AT_ONCE, type Extras } from '../core/extras.js';
import type { Jobs } from '../core/jobs.js';
import { t, tn } from '../core/language.js';
import { element } from '../dom.js';

/** Numbers of jobs, as a person reads them. */
export type Counts = Readonly<Record<'good' | 'all', string>>;

export interface Deed {
  label: string;
  title: string;
  /** What is asked before, after the number of jobs; without it the deed is done at once. */
  ask?(count: number): string;
  /** The words of the yes. */
  yes?(count: number): string;
  /** Said while it is done. */
  doing: string;
  run(uuids: string[], step: (done: number) => void): Promise<Outcome[]>;
  /** What became of it, of how many. */
  done(counts: Counts): string;
  /** Takes it back. */
  undo?(uuids: string[], step: (done: number) => void): Promise<Outcome[]>;
  /** Rows look otherwise after it, without any news. */
  isQuiet?: boolean;
  /** The jobs are no more chosen after it. */
  isLast?: boolean;
  /** Whether it makes sense now; always, where this is not said. */
  isOffered?(): boolean;
}

/** `3 jobs`, `1 job`. */
export function jobsOf(number: number): string {
  return tn('{count} job', '{count} jobs', number);
}

export function cancelling(jobs: Jobs): Deed {
  return {
    label: t('Cancel…'),
    title: t('End the selected jobs'),
    ask: count => tn('End this job?', 'End these {count} jobs?', count),
    yes: count => tn('Cancel the job', 'Cancel {count} jobs', count),
    doing: t('Cancelling'),
    run: uuids => jobs.cancel(uuids),
    done: counts => t('{good} of {all} are asked to end.', counts)
  };
}

export function pausing(jobs: Jobs): Deed {
  return {
    label: t('Pause'),
    title: t('Hold those of the selected jobs back that have not begun'),
    doing: t('Pausing'),
    run: uuids => jobs.pause(uuids),
    done: counts => t('{good} of {all} are held.', counts),
    undo: uuids => jobs.resume(uuids)
  };
}

export function resuming(jobs: Jobs): Deed {
  return {
    label: t('Resume'),
    title: t('Let those of the selected jobs go on that are held'),
    doing: t('Resuming'),
    run: uuids => jobs.resume(uuids),
    done: counts => t('{good} of {all} go on.', counts)
  };
}

export function resubmitting(jobs: Jobs): Deed {
  return {
    label: t('Submit again…'),
    title: t('Submit the selected jobs again, as they were asked for'),
    ask: count => tn('Submit this job again?', 'Submit these {count} jobs again?', count),
    yes: count => tn('Submit {count} job', 'Submit {count} jobs', count),
    doing: t('Submitting'),
    run: (uuids, step) => jobs.resubmit(uuids, step),
    done: counts => t('{good} of {all} are submitted again.', counts)
  };
}

export function hiding(jobs: Jobs): Deed {
  return {
    label: t('Hide'),
    title: t('Leave the selected jobs out of the list; nothing of them is lost'),
    doing: t('Hiding'),
    run: (uuids, step) => jobs.setVisible(uuids, false, step),
    done: counts => t('{good} of {all} are hidden.', counts),
    undo: (uuids, step) => jobs.setVisible(uuids, true, step),
    isQuiet: true,
    isLast: true
  };
}

/** `isOffered` tells whether hidden jobs are in the list. */
export function showing(jobs: Jobs, isOffered: () => boolean): Deed {
  return {
    isOffered,
    label: t('Show again'),
    title: t('Take the selected jobs into the list again'),
    doing: t('Showing'),
    run: (uuids, step) => jobs.setVisible(uuids, true, step),
    done: counts => t('{good} of {all} are in the list again.', counts),
    isQuiet: true
  };
}

/** A browser asks its person before many downloads begin; more than these are no help to anybody. */
const ZIPS = 50;

export function downloading(jobs: Jobs, save: (url: string, name: string) => void = saved): Deed {
  return {
    label: t('Download'),
    title: t('Save the outputs of the selected jobs, a zip for each; at most {count} at once', { count: ZIPS }),
    doing: t('Downloading'),
    run: async uuids =>
      uuids.map((uuid, at) => {
        if (at >= ZIPS) {
          return { uuid, status: 'error', message: t('at most {count} are saved at once.', { count: ZIPS }) };
        }
        save(jobs.zipUrl(uuid), `${uuid}.zip`);
        return { uuid, status: 'success', message: '' };
      }),
    done: counts => t('The browser saves the outputs of {good} of {all}.', counts)
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
  const states = action.statuses.join(', ');
  return {
    label: confirm === null ? title : `${title}…`,
    title: states ? t('{title}: for jobs that are {states}', { title, states }) : title,
    ...(confirm !== null && { ask: (count: number) => `${confirm} (${jobsOf(count)})`, yes: () => title }),
    doing: title,
    run: async (uuids, step) => {
      const outcomes: Outcome[] = [];
      for (let from = 0; from < uuids.length; from += AT_ONCE) {
        outcomes.push(...(await extras.run(name, uuids.slice(from, from + AT_ONCE))));
        step(outcomes.length);
      }
      return outcomes;
    },
    done: counts => t('{title}: {good} of {all}.', { title, ...counts }),
    isQuiet: true
  };
}
