/** What the body of a `%%tapisjob` cell is written in, as far as the cell itself tells. */

export type BodyLanguage = 'python' | 'shell' | 'yaml' | 'json';

export interface CellBody {
  /** Where the body begins. */
  readonly from: number;
  /** null where nothing tells. */
  readonly language: BodyLanguage | null;
}

const MAGIC = /^%%tapisjob\b([^\n]*)\n/;
/** The apps whose script the body is. */
const APPS: Readonly<Record<string, BodyLanguage>> = { python: 'python', bash: 'shell', slurm: 'shell' };
/** The first line of a script says what runs it. */
const PROGRAM = /^#!.*?\b(python|bash|sh|zsh|dash|ksh)[\d.]*(?:\s|$)/;
/** A request: its first line that is no comment has a key. */
const KEY = /^(?:[ \t]*(?:#[^\n]*)?\n)*(?:---[ \t]*\n)?[ \t]*["']?[\w.-]+["']?:(?:[ \t]|$)/m;

/** The body of `cell`; null for another cell. */
export function bodyOf(cell: string): CellBody | null {
  const found = MAGIC.exec(cell);
  if (!found) {
    return null;
  }
  const from = found[0].length;
  return { from, language: byApp(found[1] ?? '') ?? byText(cell.slice(from)) };
}

/** A kind of word in the line of the magic. */
export type WordKind = 'magic' | 'option' | 'app';

export interface Word {
  readonly from: number;
  readonly to: number;
  readonly kind: WordKind;
}

/** The words of the first line that mean something to the magic. */
export function magicWords(line: string): Word[] {
  const words: Word[] = [];
  for (const found of line.matchAll(/\S+/g)) {
    const [word] = found;
    const from = found.index;
    if (!from) {
      words.push({ from, to: word.length, kind: 'magic' });
    } else if (/^--?[a-z]/i.test(word)) {
      words.push({ from, to: from + word.split('=', 1)[0]!.length, kind: 'option' });
    } else if (words.length === 1 && words[0]?.to === from - 1) {
      words.push({ from, to: from + word.length, kind: 'app' });
    }
  }
  return words;
}

function byApp(line: string): BodyLanguage | null {
  const named = line.split(/\s+/).map(word => word.replace(/^--app=/, '').split('@', 1)[0] ?? '');
  const app = named.find(word => Object.hasOwn(APPS, word));
  return app === undefined ? null : (APPS[app] as BodyLanguage);
}

function byText(body: string): BodyLanguage | null {
  const program = body.startsWith('#!') ? PROGRAM.exec(body.split('\n', 1)[0] ?? '') : null;
  if (program) {
    return program[1] === 'python' ? 'python' : 'shell';
  }
  if (/^\s*\{/.test(body)) {
    return 'json';
  }
  const [first = ''] = KEY.exec(body) ?? [];
  return first && body.startsWith(first) ? 'yaml' : null;
}
