/** Shows the lines of an output: only what has changed is drawn, and what is looked at does not move. */

import { element } from '../dom.js';
import type { Finder, Hit } from './find.js';
import type { Line } from './lines.js';
import { pieces, type Piece } from './paint.js';

/** Lines that are drawn while the newest ones are followed; the others as soon as somebody goes back. */
const FOLLOWED = 1_000;
/** Pixels from the end that still count as the end. */
const NEAR = 8;

export class LineList {
  readonly node = element('div', 'tj-Lines-list', { role: 'region', tabindex: '0' });

  constructor(
    label: string,
    private readonly finder: Finder,
    private readonly scrolled: () => void
  ) {
    this.node.setAttribute('aria-label', label);
    this.node.addEventListener('scroll', () => this.look());
    if (typeof ResizeObserver !== 'undefined') {
      // A view that is made narrower, or comes back into view, is still at its end.
      this.watching = new ResizeObserver(() => this.isAtEnd && this.toEnd());
      this.watching.observe(this.node);
    }
  }

  dispose(): void {
    this.watching?.disconnect();
  }

  /** True while the newest line is in view and is to stay there. */
  isAtEnd = true;

  paint(all: readonly Line[]): void {
    const lines = this.isAtEnd ? all.slice(-FOLLOWED) : all;
    const first = lines[0]?.number ?? Infinity;
    const last = lines[lines.length - 1]?.number ?? -Infinity;
    for (const [number, { node }] of this.drawn) {
      if (number < first || number > last) {
        node.remove();
        this.drawn.delete(number);
      }
    }
    const hits = this.hitsByLine();
    const top = this.node.firstElementChild;
    const [before, after] = [document.createDocumentFragment(), document.createDocumentFragment()];
    const oldest = this.oldest;
    for (const line of lines) {
      const fresh = this.draw(line, hits.get(line.number) ?? NONE);
      if (fresh) {
        (line.number < oldest ? before : after).append(fresh);
      }
    }
    this.oldest = first;
    this.node.insertBefore(before, top);
    this.node.append(after);
    if (this.isAtEnd) {
      this.toEnd();
    }
  }

  toEnd(): void {
    this.node.scrollTop = this.node.scrollHeight;
    this.top = this.node.scrollTop;
    this.isAtEnd = true;
  }

  /** Draw the lines and bring a hit among them into view. */
  reveal(hit: Hit | undefined, lines: readonly Line[]): void {
    this.isAtEnd &&= !hit;
    this.paint(lines);
    if (hit) {
      this.drawn.get(hit.number)?.node.scrollIntoView?.({ block: 'center' });
    }
  }

  private look(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.node;
    // Only who goes back leaves the end; it also moves away when lines come or break otherwise.
    const isBack = scrollTop < this.top;
    const isAtEnd = scrollTop + clientHeight >= scrollHeight - NEAR || (this.isAtEnd && !isBack);
    this.top = scrollTop;
    if (isAtEnd !== this.isAtEnd) {
      this.isAtEnd = isAtEnd;
      this.scrolled();
    }
  }

  private hitsByLine(): Map<number, readonly Hit[]> {
    const found = new Map<number, Hit[]>();
    for (const hit of this.finder.hits) {
      const known = found.get(hit.number);
      if (known) {
        known.push(hit);
      } else {
        found.set(hit.number, [hit]);
      }
    }
    return found;
  }

  /** Draw a line where it is new or another than it was; returns the node of a new one. */
  private draw(line: Line, hits: readonly Hit[]): HTMLElement | null {
    const shown = this.finder.hits[this.finder.current];
    const current = shown?.number === line.number ? shown.start : -1;
    const known = this.drawn.get(line.number);
    if (known && known.line === line && known.current === current && isSame(known.hits, hits)) {
      return null;
    }
    const node = known?.node ?? element('div', 'tj-Line');
    node.replaceChildren(...nodes(pieces(line.raw, line.before), hits, current));
    this.drawn.set(line.number, { node, line, hits, current });
    return known ? null : node;
  }

  private top = 0;
  private watching: ResizeObserver | null = null;
  private readonly drawn = new Map<number, Drawn>();
  private oldest = Infinity;
}

interface Drawn {
  node: HTMLElement;
  line: Line;
  hits: readonly Hit[];
  current: number;
}

const NONE: readonly Hit[] = [];

function isSame(one: readonly Hit[], other: readonly Hit[]): boolean {
  return one.length === other.length && one.every((hit, place) => hit.start === other[place]?.start && hit.end === other[place]?.end);
}

/** The pieces as text, those that are sought marked. */
function nodes(told: readonly Piece[], hits: readonly Hit[], current: number): Node[] {
  if (!told.length) {
    // An empty line is as high as any other.
    return [document.createElement('br')];
  }
  const made: Node[] = [];
  let start = 0;
  for (const piece of told) {
    for (const [text, hit] of cut(piece.text, start, hits)) {
      made.push(hit ? marked(coloured(text, piece), hit.start === current) : coloured(text, piece));
    }
    start += piece.text.length;
  }
  return made;
}

/** A piece's text, which begins at `start` of its line, in parts with the hit that each is of. */
function cut(text: string, start: number, hits: readonly Hit[]): [string, Hit | null][] {
  const parts: [string, Hit | null][] = [];
  let done = 0;
  for (const hit of hits) {
    const [from, to] = [Math.max(hit.start - start, done), Math.min(hit.end - start, text.length)];
    if (from < to) {
      parts.push([text.slice(done, from), null], [text.slice(from, to), hit]);
      done = to;
    }
  }
  parts.push([text.slice(done), null]);
  return parts.filter(([part]) => part);
}

function coloured(text: string, { front, back, marks }: Piece): Node {
  if (!front && !back && !marks.length) {
    return document.createTextNode(text);
  }
  const names = [...marks, named(front) && `front-${front}`, named(back) && `back-${back}`].filter(Boolean);
  const node = element('span', names.map(name => `tj-${name}`).join(' '), {}, text);
  // Set by the object model, as a page's policy may forbid the attribute.
  node.style.color = named(front) ? '' : front;
  node.style.backgroundColor = named(back) ? '' : back;
  return node;
}

function marked(node: Node, isCurrent: boolean): Node {
  return element('mark', 'tj-Hit', isCurrent ? { 'aria-current': 'true' } : {}, node);
}

/** True for a colour of the theme, false for an exact one. */
function named(colour: string): boolean {
  return /^(bright-)?(black|red|green|yellow|blue|magenta|cyan|white)$/.test(colour);
}
