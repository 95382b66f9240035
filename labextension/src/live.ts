/** News of jobs: one WebSocket for the whole page, shared by all cards, that comes back by itself. */

import { Pulse } from './core/pulse.js';
import { parsed, record, text, type HistoryRow, type JobRow } from './job.js';

/** What a card hears. `ask` = look at the job by yourself now: news may have been missed, or does not come. */
export interface Watcher {
  news(job: JobRow, event: HistoryRow): void;
  ask(): void;
}

/** The part of a WebSocket that is used. */
export interface Socket {
  onopen: ((event: Event) => unknown) | null;
  onmessage: ((event: MessageEvent) => unknown) | null;
  onclose: ((event: CloseEvent) => unknown) | null;
  send(data: string): void;
  close(): void;
}

interface Tail {
  uuid: string;
  path: string;
  offset: number;
  listener: Told;
  ended: () => void;
  /** True while a part that is missing was asked for. */
  isBehind: boolean;
}

/** What was printed next, up to the byte `end`. */
export type Told = (told: string, end: number) => void;

/** In place of a uuid: news of every job. */
export const EVERY = '*';

/** Milliseconds: the first wait after a lost connection, the longest, and how long an unused one is kept. */
const FIRST = 500;
const LONGEST = 30_000;
const LINGER = 20_000;

/** Opens a socket that sends the events after the one with this number, or only new ones. */
export type Connect = (after: number | null) => Socket;
/** Calls later; the result takes it back. */
export type Later = (work: () => void, ms: number) => () => void;

export class Live {
  constructor(
    private readonly connect: Connect,
    private readonly later: Later = (work, ms) => {
      const timer = setTimeout(work, ms);
      return () => clearTimeout(timer);
    },
    now: () => number = Date.now
  ) {
    this.pulse = new Pulse(later, now, () => this.silent());
  }

  /** Tell `watcher` about the job from now on; the result ends it. */
  watch(uuid: string, watcher: Watcher): () => void {
    const watchers = this.watchers.get(uuid) ?? new Set();
    this.watchers.set(uuid, watchers.add(watcher));
    this.hold();
    return () => {
      watchers.delete(watcher);
      if (!watchers.size && this.watchers.get(uuid) === watchers) {
        this.watchers.delete(uuid);
      }
      this.release();
    };
  }

  /** Hear what is appended to an output from `offset` (bytes) on, and that no more comes; the result ends it. */
  tail(
    uuid: string,
    path: string,
    offset: number,
    listener: Told,
    ended: () => void = () => undefined
  ): () => void {
    const tail: Tail = { uuid, path, offset, listener, ended, isBehind: false };
    // The server follows an output once for us: who wants an earlier part has it begin there again.
    const isCovered = this.tailsOf(uuid, path).some(other => other.offset <= offset);
    this.tails.add(tail);
    this.hold();
    if (this.isOpen && !isCovered) {
      this.send({ type: 'tail', uuid, path, offset });
    }
    return () => {
      if (this.tails.delete(tail) && this.isOpen && !this.tailsOf(uuid, path).length) {
        this.send({ type: 'untail', uuid, path });
      }
      this.release();
    };
  }

  /** The network may be there again: the next try is made now. */
  hurry(): void {
    if (this.unwait) {
      this.unwait();
      this.unwait = null;
      this.open();
    } else {
      this.pulse.look();
    }
  }

  private hold(): void {
    this.unlinger?.();
    this.unlinger = null;
    if (!this.socket && !this.unwait) {
      this.open();
    }
  }

  private release(): void {
    if (!this.watchers.size && !this.tails.size && !this.unlinger) {
      this.unlinger = this.later(() => this.leave(), LINGER);
    }
  }

  private leave(): void {
    this.unlinger = null;
    this.unwait?.();
    this.unwait = null;
    const socket = this.socket;
    this.socket = null;
    this.isOpen = false;
    this.isListening = false;
    this.lastId = null;
    this.pulse.end();
    socket?.close();
  }

  private open(): void {
    const socket = this.connect(this.lastId);
    this.socket = socket;
    this.pulse.begin();
    socket.onopen = () => {
      this.isOpen = true;
      for (const { uuid, path, offset } of this.firstTails()) {
        this.send({ type: 'tail', uuid, path, offset });
      }
      this.tails.forEach(tail => void (tail.isBehind = false));
    };
    socket.onmessage = ({ data }) => this.hear(record(parsed(data)));
    socket.onclose = () => {
      if (this.socket === socket) {
        this.lost();
      }
    };
  }

  /** The server has begun to listen for us: what happened before is asked for, once. */
  private listens(): void {
    if (!this.isListening) {
      this.isListening = true;
      this.askAll();
    }
  }

  /** Nothing comes, and nobody says that the connection has ended: a network that went away, a laptop that slept. */
  private silent(): void {
    const { socket } = this;
    if (socket) {
      this.lost();
      socket.close();
    }
  }

  private lost(): void {
    this.pulse.end();
    this.socket = null;
    this.isOpen = false;
    this.isListening = false;
    // Each card asks over HTTP while there is no socket, so a proxy without WebSockets only slows it.
    this.askAll();
    this.unwait = this.later(() => {
      this.unwait = null;
      this.open();
    }, this.pause);
    this.pause = Math.min(2 * this.pause, LONGEST);
  }

  private hear(told: Record<string, unknown>): void {
    // A connection that brings something is a good one; the next loss begins with a short wait again.
    this.pause = FIRST;
    this.pulse.beat();
    switch (told['type']) {
      case 'idle':
        this.pulse.learn(Number(told['every']) || 0);
        this.listens();
        return;
      case 'event':
        this.hearEvent(told);
        return;
      case 'tail':
        this.hearTail(text(told['uuid']), text(told['path']), text(told['text']), Number(told['offset']) || 0, told['end']);
        return;
      case 'tailEnd':
      case 'error':
        this.hearEnd(text(told['uuid']), text(told['path']));
        return;
    }
  }

  private hearEvent(told: Record<string, unknown>): void {
    this.lastId = Number(told['id']) || this.lastId;
    const [job, event] = [record(told['job']) as JobRow, record(told['event']) as HistoryRow];
    for (const key of [event.jobUuid ?? job.uuid ?? '', EVERY]) {
      this.watchers.get(key)?.forEach(watcher => watcher.news(job, event));
    }
  }

  private hearTail(uuid: string, path: string, told: string, offset: number, given: unknown): void {
    const bytes = new TextEncoder().encode(told);
    // What is no UTF-8 comes as signs of another length.
    const end = typeof given === 'number' ? given : offset + bytes.length;
    for (const tail of this.tailsOf(uuid, path)) {
      if (offset > tail.offset) {
        this.fillUp(tail);
        continue;
      }
      tail.isBehind = false;
      // Another view or tab may have asked for an earlier part of the same output.
      const known = tail.offset - offset;
      if (tail.offset < end) {
        tail.offset = end;
        tail.listener(known ? new TextDecoder().decode(bytes.slice(known)) : told, end);
      }
    }
  }

  /** Another tab had it begin behind what this one has heard. */
  private fillUp(tail: Tail): void {
    if (!tail.isBehind) {
      tail.isBehind = true;
      this.send({ type: 'tail', uuid: tail.uuid, path: tail.path, offset: tail.offset });
    }
  }

  private hearEnd(uuid: string, path: string): void {
    for (const tail of this.tailsOf(uuid, path)) {
      this.tails.delete(tail);
      tail.ended();
    }
    this.release();
  }

  private askAll(): void {
    for (const watchers of [...this.watchers.values()]) {
      [...watchers].forEach(watcher => watcher.ask());
    }
  }

  private tailsOf(uuid: string, path: string): Tail[] {
    return [...this.tails].filter(tail => tail.uuid === uuid && tail.path === path);
  }

  /** Of each output the one that is least far. */
  private firstTails(): Tail[] {
    return [...this.tails].filter(tail => earliest(this.tailsOf(tail.uuid, tail.path)) === tail);
  }

  private send(message: Record<string, unknown>): void {
    this.socket?.send(JSON.stringify(message));
  }

  private readonly pulse: Pulse;
  private readonly watchers = new Map<string, Set<Watcher>>();
  private readonly tails = new Set<Tail>();
  private socket: Socket | null = null;
  private isOpen = false;
  private isListening = false;
  private lastId: number | null = null;
  private pause = FIRST;
  private unwait: (() => void) | null = null;
  private unlinger: (() => void) | null = null;
}

/** `live`, which looks at once when the page has a network again, or somebody looks at it again. */
export function hurried(live: Live): Live {
  document.defaultView?.addEventListener('online', () => live.hurry());
  document.addEventListener('visibilitychange', () => document.hidden || live.hurry());
  return live;
}

function earliest(tails: readonly Tail[]): Tail | undefined {
  return tails.reduce<Tail | undefined>((least, tail) => (least && least.offset <= tail.offset ? least : tail), undefined);
}
