/** One WebSocket for all tabs and bundles of a browser: one of them leads and shares what it hears.

The leader holds a Web Lock, which goes to another one when it is gone; they talk over a BroadcastChannel. Where a
browser has neither (a page without https from another machine), each page has a socket of its own. */

import { parsed, record, text } from '../job.js';
import type { Connect, Socket } from '../live.js';

/** What is used of a browser; given in tests. */
export interface Browser {
  /** Calls `lead` once this one leads, until the result of `lead` is settled; aborting gives up waiting. */
  lock(name: string, signal: AbortSignal, lead: () => Promise<void>): void;
  channel(name: string): Channel;
  id(): string;
}

export interface Channel {
  onmessage: ((event: MessageEvent) => unknown) | null;
  postMessage(message: unknown): void;
  close(): void;
}

const browser: Browser = {
  lock: (name, signal, lead) => {
    navigator.locks.request(name, { signal }, lead).catch(() => undefined);
  },
  channel: name => new BroadcastChannel(name),
  id: () => crypto.randomUUID()
};

/** `connect`, shared between all pages that belong to the server at `base`. */
export function shared(base: string, connect: Connect, by: Browser | null = found()): Connect {
  return by === null ? connect : after => new Member(`tapisjobs ${base}`, connect, after, by);
}

function found(): Browser | null {
  const isThere = typeof navigator !== 'undefined' && navigator.locks && typeof BroadcastChannel !== 'undefined';
  return isThere ? browser : null;
}

/** Looks like a WebSocket to `Live`: the real one where this one leads, else what the leader passes on. */
class Member implements Socket {
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;

  constructor(
    name: string,
    private readonly connect: Connect,
    private readonly after: number | null,
    by: Browser
  ) {
    this.id = by.id();
    this.channel = by.channel(name);
    this.channel.onmessage = ({ data }) => this.hear(record(data));
    by.lock(name, this.waiting.signal, () => this.lead());
    this.channel.postMessage({ kind: 'hello', from: this.id });
  }

  send(data: string): void {
    if (this.real) {
      this.pass(this.id, data);
    } else {
      this.channel.postMessage({ kind: 'say', from: this.id, data });
    }
  }

  close(): void {
    this.end();
  }

  // -- as the leader

  private lead(): Promise<void> {
    if (this.isOver) {
      return Promise.resolve();
    }
    const wasFollowing = this.isOpen;
    return new Promise(resolve => {
      this.resign = resolve;
      if (wasFollowing) {
        // The one that led is gone; what it asked for us is begun anew, on a connection of our own.
        this.fail();
        return;
      }
      this.open();
    });
  }

  private open(): void {
    const real = this.connect(this.after);
    this.real = real;
    real.onopen = event => {
      this.isOpen = true;
      this.channel.postMessage({ kind: 'open' });
      this.onopen?.(event);
    };
    real.onmessage = event => {
      this.channel.postMessage({ kind: 'told', data: event.data });
      this.onmessage?.(event);
    };
    real.onclose = () => this.fail();
  }

  /** Pass a wish on to the server; a tail is ended when the last one that wanted it has gone. */
  private pass(from: string, data: string): void {
    const wish = record(parsed(data));
    const key = JSON.stringify([wish['uuid'], wish['path']]);
    const wanting = this.wanted.get(key) ?? new Set();
    this.wanted.set(key, wanting);
    if (wish['type'] === 'untail') {
      wanting.delete(from);
    } else {
      wanting.add(from);
    }
    if (wish['type'] !== 'untail' || !wanting.size) {
      this.real?.send(data);
    }
  }

  private forget(from: string): void {
    for (const [key, wanting] of this.wanted) {
      if (wanting.delete(from) && !wanting.size) {
        const [uuid, path] = parsed(key) as [string, string];
        this.real?.send(JSON.stringify({ type: 'untail', uuid, path }));
      }
    }
  }

  // -- as one that follows

  private hear(message: Record<string, unknown>): void {
    const from = text(message['from']);
    if (this.real) {
      this.hearMember(text(message['kind']), from, message);
      return;
    }
    switch (message['kind']) {
      case 'open':
        if (text(message['to'] ?? this.id) === this.id) {
          this.opened();
        }
        return;
      case 'told':
        if (this.isOpen) {
          this.onmessage?.({ data: message['data'] } as MessageEvent);
        }
        return;
      case 'gone':
        if (this.isOpen) {
          this.fail();
        }
        return;
    }
  }

  private hearMember(kind: string, from: string, message: Record<string, unknown>): void {
    if (kind === 'hello' && this.isOpen) {
      this.channel.postMessage({ kind: 'open', to: from });
    } else if (kind === 'say') {
      this.pass(from, text(message['data']));
    } else if (kind === 'bye') {
      this.forget(from);
    }
  }

  private opened(): void {
    if (this.isOpen) {
      return;
    }
    this.isOpen = true;
    this.onopen?.(new Event('open'));
    // What happened before is not told again: each view asks for it.
    this.onmessage?.({ data: '{"type": "idle"}' } as MessageEvent);
  }

  // -- the end

  private fail(): void {
    const { onclose } = this;
    this.end();
    onclose?.(new Event('close') as CloseEvent);
  }

  private end(): void {
    if (this.isOver) {
      return;
    }
    this.isOver = true;
    this.waiting.abort();
    this.onclose = null;
    const { real } = this;
    this.channel.postMessage(real ? { kind: 'gone' } : { kind: 'bye', from: this.id });
    this.channel.close();
    if (real) {
      real.onclose = null;
      real.close();
    }
    this.resign?.();
  }

  private readonly id: string;
  private readonly channel: Channel;
  private readonly waiting = new AbortController();
  private readonly wanted = new Map<string, Set<string>>();
  private real: Socket | null = null;
  private isOpen = false;
  private isOver = false;
  private resign: (() => void) | null = null;
}
