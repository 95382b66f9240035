/** The cells that code makes in a notebook. */

/** What a person who has no job yet may run. */
export const FIRST = '%%tapisjob python --name first-job\nprint("Hello from a job")';

const LOAD = '%load_ext jupyter_tapis_jobs';
const LOADED = /^\s*%(re)?load_ext\s+jupyter_tapis_jobs\b/m;
const OURS = /^\s*%%?tapisjobs?\b/;

/** The sources of the new cells for `code`, in a notebook with `sources`: a magic of ours has to be loaded above. */
export function cellsFor(code: string, sources: readonly string[]): string[] {
  const isLoaded = !OURS.test(code) || sources.some(source => LOADED.test(source));
  return isLoaded ? [code] : [LOAD, code];
}

/** True for a cell that is one job, which a form can show. */
export function isJob(source: string): boolean {
  return /^\s*%%?tapisjob\s/.test(source);
}
