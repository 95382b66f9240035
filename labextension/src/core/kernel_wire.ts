/** The way to the server through the kernel, where the page has none: its calls go as messages of the widget. */

import { text } from '../job.js';
import type { Socket } from '../live.js';
import type { Wire } from './client.js';
import type { KernelLine } from './kernel_line.js';

/** Answers that have no body, as the Fetch standard has them. */
const EMPTY = new Set([204, 205, 304]);

export function kernelWire(line: KernelLine): Wire {
  return {
    url: path => linkOf(line) + path,
    request: (method, path, body) => call(line, { type: 'call', method, path, body: body ?? null }),
    socket: after => new KernelSocket(line, after)
  };
}

/** What links begin with that lead through this kernel: no browser follows them by itself. */
export function linkOf(line: KernelLine): string {
  return `#tapisjobs-${line.own}`;
}

function call(line: KernelLine, message: Record<string, unknown>): Promise<Response> {
  const name = line.name();
  return new Promise((resolve, reject) => {
    let body: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | null = null;
    let taken = 0;
    const end = line.ask(name, message, (told, [bytes]) => {
      switch (told['type']) {
        case 'answer': {
          const status = Number(told['status']);
          const head = { status, headers: { 'Content-Type': text(told['media']) } };
          if (told['isWhole']) {
            end();
            resolve(new Response(EMPTY.has(status) ? null : (bytes ?? null), head));
            return;
          }
          resolve(new Response(EMPTY.has(status) ? null : stream(), head));
          return;
        }
        case 'part':
          taken += 1;
          body?.enqueue(bytes ?? new Uint8Array());
          return;
        case 'end':
          end();
          body?.close();
          return;
        case 'lost':
          end();
          body?.error(new TypeError('lost'));
          reject(new TypeError('lost'));
      }
    });
    const stream = (): ReadableStream<Uint8Array<ArrayBuffer>> =>
      new ReadableStream({
        start: controller => void (body = controller),
        // What has come is read: there is room for as much again.
        pull: () => {
          if (taken) {
            line.say(name, { type: 'more', parts: taken });
            taken = 0;
          }
        },
        cancel: () => {
          end();
          line.say(name, { type: 'stop' });
        }
      });
  });
}

/** Looks like a WebSocket to `Live`. */
class KernelSocket implements Socket {
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;

  constructor(
    private readonly line: KernelLine,
    after: number | null
  ) {
    this.name = line.name();
    this.end = line.ask(this.name, { type: 'open', after }, told => this.hear(told));
  }

  send(data: string): void {
    this.line.say(this.name, { type: 'say', data });
  }

  close(): void {
    this.end();
    this.line.say(this.name, { type: 'stop' });
  }

  private hear(told: Readonly<Record<string, unknown>>): void {
    switch (told['type']) {
      case 'opened':
        this.onopen?.(new Event('open'));
        return;
      case 'told':
        for (const data of told['data'] as string[]) {
          this.onmessage?.({ data } as MessageEvent);
        }
        return;
      case 'closed':
      case 'answer':
        this.end();
        this.onclose?.(new Event('close') as CloseEvent);
    }
  }

  private readonly name: string;
  private readonly end: () => void;
}
