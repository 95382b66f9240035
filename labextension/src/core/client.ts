/** Calls the server's routes, typed by its own OpenAPI document. Knows neither Lab nor the notebook. */

import { list, record, text } from '../job.js';
import type { Socket } from '../live.js';
import type { Calls } from './api.js';
import { t } from './language.js';
import type { Later } from './painter.js';
import { inTime, patience } from './patience.js';

/** How a page reaches the server: signed in as the browser is. */
export interface Wire {
  /** `path` begins with a slash, below the mount; `body` is JSON. */
  request(method: string, path: string, body?: string, signal?: AbortSignal): Promise<Response>;
  /** Where a browser gets `path`, for links. */
  url(path: string): string;
  /** True where a call that takes long is a lost one; a kernel answers only when its cell has ended. */
  readonly isPrompt?: boolean;
  socket: (after: number | null) => Socket;
}

/** What a sentence of the server begins with, for programs: `JOBS_CONFLICT There is a system …`. */
const CODE = /^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+) (?=\S)/;

/** The server refused, in its own words; `details` are what it tells beside them. */
export class RefusedError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {}
  ) {
    super(message.replace(CODE, ''));
    this.code = CODE.exec(message)?.[1] ?? '';
  }

  /** As `JOBS_CONFLICT`, '' where it said none. */
  readonly code: string;
}

export type Given<K extends keyof Calls> = Omit<Calls[K], 'result'>;
/** The result, and how many there are in all where that was asked for (else -1). */
export interface Answer<T> {
  result: T;
  total: number;
}

interface Parts {
  path?: Record<string, unknown>;
  query?: Record<string, unknown>;
  body?: unknown;
}

export class Client {
  constructor(
    private readonly wire: Wire,
    private readonly wait?: Later
  ) {}

  async call<K extends keyof Calls>(route: K, given: Given<K>): Promise<Answer<Calls[K]['result']>> {
    const ask = (signal?: AbortSignal): Promise<Answer<Calls[K]['result']>> => this.ask(route, given as Parts, signal);
    return this.wire.isPrompt ? inTime(patience(route), ask, this.wait) : ask();
  }

  private async ask<K extends keyof Calls>(route: K, parts: Parts, signal?: AbortSignal): Promise<Answer<Calls[K]['result']>> {
    const { body } = parts;
    const [method, path] = address(route, parts);
    const response = await this.wire.request(method, path, body === undefined ? undefined : JSON.stringify(body), signal);
    const answer = record(await response.json().catch(() => null));
    if (!response.ok) {
      const words = text(answer['message']) || t('The server answered {status}.', { status: response.status });
      throw new RefusedError(response.status, words, record(answer['result']));
    }
    const total = Number(record(answer['metadata'])['totalCount'] ?? -1);
    return { result: answer['result'] as Calls[K]['result'], total: Number.isFinite(total) ? total : -1 };
  }
}

/** Method and path of a call, with what goes into both. */
export function address(route: string, { path, query }: Parts): [string, string] {
  const [method = '', pattern = ''] = route.split(' ', 2);
  const filled = pattern.replace(/\{(\w+)\}/g, (_, name: string) =>
    text(path?.[name]).split('/').map(encodeURIComponent).join('/')
  );
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined);
  const asked = new URLSearchParams(pairs.map(([name, value]) => [name, text(value)]));
  return [method, filled + (pairs.length ? `?${asked}` : '')];
}

/** What to tell a person when a call went wrong. */
export function told(fault: unknown): string {
  return fault instanceof RefusedError ? fault.message : t('The server does not answer.');
}

/** Rows of a list whose form the document leaves open. */
export function rows<T>(result: unknown): T[] {
  return list(result).map(row => record(row) as T);
}
