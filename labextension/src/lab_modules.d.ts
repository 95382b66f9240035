/* What is used of packages of Lab that are there at run time, but whose own dependencies (diagrams, every language of the
   editor: two hundred packages) nothing here needs to be built. */

declare module '@jupyterlab/notebook' {
  import type { DocumentRegistry } from '@jupyterlab/docregistry';
  import type { Token } from '@lumino/coreutils';
  import type { Widget } from '@lumino/widgets';

  export interface SharedCell {
    readonly cell_type: string;
    getSource(): string;
    setSource(source: string): void;
  }

  export interface SharedNotebook {
    readonly cells: readonly SharedCell[];
    insertCell(index: number, cell: { cell_type: string; source: string; metadata?: Record<string, unknown> }): SharedCell;
  }

  export interface NotebookPanel extends Widget {
    readonly context: DocumentRegistry.Context;
    readonly content: {
      readonly model: { readonly sharedModel: SharedNotebook } | null;
      activeCellIndex: number;
      mode: 'command' | 'edit';
    };
  }

  export interface INotebookTracker {
    readonly currentWidget: NotebookPanel | null;
  }

  export const INotebookTracker: Token<INotebookTracker>;
}

declare module '@jupyterlab/codemirror' {
  import type { LanguageSupport } from '@codemirror/language';
  import type { Extension } from '@codemirror/state';
  import type { Token } from '@lumino/coreutils';

  export interface IEditorLanguageRegistry {
    getLanguage(name: string): Promise<{ readonly support?: LanguageSupport } | null>;
  }

  export interface IEditorExtensionRegistry {
    addExtension(extension: { name: string; factory: () => object }): void;
  }

  export const IEditorExtensionRegistry: Token<IEditorExtensionRegistry>;
  export const IEditorLanguageRegistry: Token<IEditorLanguageRegistry>;
  export const EditorExtensionRegistry: { createImmutableExtension(extension: Extension): object };
}
