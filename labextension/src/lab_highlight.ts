/** In an editor: the body of a `%%tapisjob` cell is coloured as what it is, and its first line as a magic. */

import { highlightingFor } from '@codemirror/language';
import { Prec, RangeSetBuilder, StateEffect, type Extension } from '@codemirror/state';
import { Decoration, ViewPlugin, type DecorationSet, type EditorView, type ViewUpdate } from '@codemirror/view';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { EditorExtensionRegistry, IEditorExtensionRegistry, IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { Parser } from '@lezer/common';
import { highlightTree, tags, type Tag } from '@lezer/highlight';

import { bodyOf, magicWords, type BodyLanguage, type WordKind } from './core/cell_body.js';

/** Longer bodies stay as they are: they are parsed anew with each key. */
const LONGEST = 50_000;

const KINDS: Readonly<Record<WordKind, Tag>> = { magic: tags.meta, option: tags.attributeName, app: tags.keyword };

/** A language of the editor has come. */
const came = StateEffect.define<null>();

/** The parsers that are there, and those on their way. */
class Parsers {
  constructor(private readonly languages: IEditorLanguageRegistry) {}

  /** The parser; null while it is fetched, after which `arrived` is called, or where there is none. */
  get(name: BodyLanguage, arrived: () => void): Parser | null {
    const found = this.found.get(name);
    if (found === undefined) {
      void this.fetch(name).then(arrived);
    }
    return found ?? null;
  }

  private fetch(name: BodyLanguage): Promise<void> {
    const fetched =
      this.asked.get(name) ??
      this.languages.getLanguage(name).then(
        language => void this.found.set(name, language?.support?.language.parser ?? null),
        () => void this.found.set(name, null)
      );
    this.asked.set(name, fetched);
    return fetched;
  }

  private readonly found = new Map<BodyLanguage, Parser | null>();
  private readonly asked = new Map<BodyLanguage, Promise<void>>();
}

class Painter {
  decorations: DecorationSet;

  constructor(
    private readonly view: EditorView,
    private readonly parsers: Parsers
  ) {
    this.decorations = this.paint();
  }

  update(update: ViewUpdate): void {
    const isNew = update.transactions.some(({ effects }) => effects.some(effect => effect.is(came) || effect.is(StateEffect.reconfigure)));
    if (update.docChanged || isNew) {
      this.decorations = this.paint();
    }
  }

  destroy(): void {
    this.isGone = true;
  }

  private paint(): DecorationSet {
    const { state } = this.view;
    if (state.doc.length > LONGEST || !state.doc.line(1).text.startsWith('%%tapisjob')) {
      return Decoration.none;
    }
    const marks = new RangeSetBuilder<Decoration>();
    const style = (tagged: readonly Tag[]): string | null => highlightingFor(state, tagged);
    const line = state.doc.line(1).text;
    let painted = 0;
    const mark = (from: number, to: number, classes: string): void => {
      if (to > from) {
        marks.add(from, to, Decoration.mark({ class: `tj-CellBody ${classes}`.trim() }));
        painted = to;
      }
    };
    for (const { from, to, kind } of magicWords(line)) {
      mark(painted, from, '');
      mark(from, to, style([KINDS[kind]]) ?? '');
    }
    mark(painted, line.length, '');
    const text = state.doc.toString();
    const body = bodyOf(text);
    const parser = body?.language && body.language !== 'python' ? this.parsers.get(body.language, () => this.again()) : null;
    if (body && parser) {
      painted = body.from;
      highlightTree(parser.parse(text.slice(body.from)), { style }, (from, to, classes) => {
        mark(painted, body.from + from, '');
        mark(body.from + from, body.from + to, classes);
      });
      mark(painted, text.length, '');
    }
    return marks.finish();
  }

  private again(): void {
    if (!this.isGone) {
      this.view.dispatch({ effects: came.of(null) });
    }
  }

  private isGone = false;
}

function painting(languages: IEditorLanguageRegistry): Extension {
  const parsers = new Parsers(languages);
  const plugin = ViewPlugin.define(view => new Painter(view, parsers), { decorations: painter => painter.decorations });
  // Inside the marks of Python, which the editor takes the whole cell for.
  return Prec.highest(plugin);
}

export const highlight: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-tapis-jobs:highlight',
  description: 'Colours the body of a job\'s cell as what it is.',
  autoStart: true,
  requires: [IEditorExtensionRegistry, IEditorLanguageRegistry],
  activate: (_: JupyterFrontEnd, extensions: IEditorExtensionRegistry, languages: IEditorLanguageRegistry) => {
    const extension = painting(languages);
    extensions.addExtension({
      name: 'jupyter-tapis-jobs:body',
      factory: () => EditorExtensionRegistry.createImmutableExtension(extension)
    });
  }
};
