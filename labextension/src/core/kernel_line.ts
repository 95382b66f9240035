/** Messages between a widget and its kernel, and whether one waits: a kernel hears nothing while a cell runs. */

import { record, text } from '../job.js';
import { later, type Later } from './painter.js';

/** The part of a widget's model that is used; anywidget's is one. */
export interface Model {
  get(name: string): unknown;
  on(name: string, hear: (...told: never[]) => void): void;
  off(name: string, hear: (...told: never[]) => void): void;
  send(content: unknown): void;
}

export type Message = Readonly<Record<string, unknown>>;
/** Hears what comes for one name; `beside` are the bytes that came with it. */
export type Hear = (message: Message, beside: Uint8Array<ArrayBuffer>[]) => void;

/** Milliseconds: an answer that takes no longer waited for nothing. */
const AT_ONCE = 400;

export class KernelLine {
  /** Tells this page from others that have the same widget. */
  readonly own = Math.random().toString(36).slice(2);

  constructor(
    private readonly model: Model,
    private readonly wait: Later = later
  ) {
    model.on('msg:custom', this.take);
  }

  /** A name that no other page has made. */
  name(): string {
    return `${this.own}-${(this.made += 1)}`;
  }

  /** Say something, and hear what comes for its name; the result ends the hearing. */
  ask(name: string, message: Message, hear: Hear): () => void {
    this.heard.set(name, hear);
    this.unwaits.set(name, this.wait(() => this.late(name), AT_ONCE));
    this.say(name, message);
    return () => this.forget(name);
  }

  say(name: string, message: Message): void {
    this.model.send({ ...message, id: name });
  }

  /** Hear whether something waits for the kernel; the result ends it. */
  watch(tell: (isWaiting: boolean) => void): () => void {
    this.watchers.add(tell);
    tell(this.waiting.size > 0);
    return () => this.watchers.delete(tell);
  }

  dispose(): void {
    this.model.off('msg:custom', this.take);
    [...this.heard.keys()].forEach(name => this.forget(name));
  }

  private readonly take = (told: unknown, beside: DataView<ArrayBuffer>[] = []): void => {
    const message = record(told);
    const name = text(message['id']);
    this.arrived(name);
    this.heard.get(name)?.(message, beside.map(view => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)));
  };

  private late(name: string): void {
    this.waiting.add(name);
    this.tell();
  }

  private arrived(name: string): void {
    this.unwaits.get(name)?.();
    this.unwaits.delete(name);
    if (this.waiting.delete(name)) {
      this.tell();
    }
  }

  private forget(name: string): void {
    this.heard.delete(name);
    this.arrived(name);
  }

  private tell(): void {
    this.watchers.forEach(watcher => watcher(this.waiting.size > 0));
  }

  private made = 0;
  private readonly heard = new Map<string, Hear>();
  private readonly unwaits = new Map<string, () => void>();
  private readonly waiting = new Set<string>();
  private readonly watchers = new Set<(isWaiting: boolean) => void>();
}
