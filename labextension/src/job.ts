/** A job as it comes over the wire, and the content of a saved card. */

/** A row of the jobs list, or a whole job; Tapis's names. Times are ISO-8601 UTC. */
export interface JobRow {
  uuid?: string;
  name?: string;
  status?: string;
  condition?: string | null;
  created?: string | null;
  ended?: string | null;
  lastUpdated?: string | null;
  remoteStarted?: string | null;
  lastMessage?: string | null;
  exitCode?: number | null;
  execSystemId?: string | null;
  execSystemLogicalQueue?: string | null;
  jobType?: string | null;
  /** How it is handed to its scheduler, and the scheduler's number for it. */
  launchMode?: string | null;
  remoteJobId?: string | null;
  /** The bulk call or study it came with. */
  cohortId?: string | null;
  /** How far its application says it is: percent, and its words. */
  progress?: number | null;
  progressMessage?: string | null;
  nodeCount?: number | null;
  coresPerNode?: number | null;
  maxMinutes?: number | null;
  /** The resolved parameters and inputs as JSON texts; only a whole job has them. */
  parameterSet?: string | null;
  fileInputs?: string | null;
  containerImage?: string | null;
}

/** One file among the outputs; size in bytes. */
export interface OutputFile {
  path: string;
  size: number;
}

/** Why a job failed, in the words of the kernel's client. */
export interface Failure {
  cause: string;
  evidence: string;
  nextStep: string;
}

/** One entry of a job's history. */
export interface HistoryRow {
  event?: string;
  eventDetail?: string;
  created?: string;
  jobUuid?: string;
}

/** What `application/vnd.tapisjobs.job+json` holds. */
export interface SavedCard {
  uuid: string;
  name: string;
  job: JobRow;
  history: [string, string][];
  tail: string[];
  outputs: OutputFile[];
  failure: Failure | null;
}

const TERMINAL = new Set(['FINISHED', 'FAILED', 'CANCELLED']);

export function isTerminal(status: string | undefined): boolean {
  return TERMINAL.has(status ?? '');
}

/** The file that the program prints to. */
export function stdoutName(job: JobRow): string {
  return text(record(record(parsed(job.parameterSet))['logConfig'])['stdoutFilename']) || 'tapisjob.out';
}

/** What a JSON text holds; null when it is none. */
export function parsed(json: unknown): unknown {
  try {
    return JSON.parse(text(json));
  } catch {
    return null;
  }
}

/** The files that the program wrote: inputs and the job's own launch files may lie beside them. */
export function results(files: OutputFile[], job: JobRow): OutputFile[] {
  const given = new Set(list(parsed(job.fileInputs)).map(input => text(record(input)['targetPath'])));
  const printed = stdoutName(job);
  const image = text(job.containerImage).split('/').pop();
  const isOurs = (path: string): boolean => path === image || (/^tapisjob(_app)?\./.test(path) && path !== printed);
  return files.filter(({ path }) => !given.has(path) && !isOurs(path));
}

/** Read a saved card. It may come from any notebook, so nothing in it is taken for granted. */
export function readSavedCard(data: unknown): SavedCard {
  const raw = record(data);
  const job = record(raw['job']) as JobRow;
  const failure = record(raw['failure']);
  return {
    uuid: text(raw['uuid']) || text(job.uuid),
    name: text(raw['name']) || text(job.name),
    job,
    history: list(raw['history'])
      .filter((step): step is unknown[] => Array.isArray(step))
      .map(step => [text(step[0]), text(step[1])]),
    tail: list(raw['tail']).map(text),
    outputs: list(raw['outputs']).map(row => outputFile(record(row))),
    failure: raw['failure']
      ? { cause: text(failure['cause']), evidence: text(failure['evidence']), nextStep: text(failure['nextStep']) }
      : null
  };
}

export function outputFile(row: Record<string, unknown>): OutputFile {
  return { path: text(row['path']), size: Number(row['size']) || 0 };
}

export function record(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string {
  return value === null || value === undefined ? '' : String(value);
}
