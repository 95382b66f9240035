/** The texts that a job was made from: its request, what became of it, its scripts. */

import type { JobDetails } from '../core/api.js';
import { t } from '../core/language.js';
import { element } from '../dom.js';
import { CodeBar } from './code_bar.js';
import { asked, head, isRefused, type Site } from './site.js';
import { givenTexts, opened, pretty, shortened, TextView } from './texts.js';

/** Bytes of a script that are shown. */
const MOST = 256 * 1024;
const LAUNCH = 'tapisjob.sh';

async function request(site: Site, uuid: string): Promise<unknown> {
  return asked(site, 'GET /v3/jobs/{jobUuid}/resubmit_request', { path: { jobUuid: uuid } });
}

/** The request as it was submitted, and the job that it became. */
export async function requestTexts(site: Site, uuid: string, job: JobDetails | null): Promise<HTMLElement[]> {
  const given = await request(site, uuid);
  const views: { node: HTMLElement }[] = [new CodeBar(site, given), new TextView(t('Request as submitted'), pretty(shortened(given)), pretty(given))];
  if (job) {
    views.push(new TextView(t('Job as resolved'), pretty(shortened(opened(job)))));
  }
  return views.map(({ node }) => node);
}

/** The scripts and small inputs that came with the job, and the script that starts it. */
export async function scriptTexts(site: Site, uuid: string): Promise<HTMLElement[]> {
  const given = givenTexts(await request(site, uuid));
  const read = [...given, { path: LAUNCH, told: null }].map(async ({ path, told }) => {
    const found = told ?? (await output(site, uuid, path));
    return found === null ? null : new TextView(path, found).node;
  });
  const views = (await Promise.all(read)).filter(view => view !== null);
  const note = element('p', 'tj-Empty', {}, t('No script is among the files of this job.'));
  return views.length ? views : [note];
}

/** The beginning of an output; null when it is not there. */
async function output(site: Site, uuid: string, path: string): Promise<string | null> {
  try {
    return new TextDecoder().decode(await head(site, uuid, path, MOST));
  } catch (fault) {
    if (isRefused(fault)) {
      return null;
    }
    throw fault;
  }
}
