/** Tags and a note of a job, to be read and changed. */

import { told } from '../core/client.js';
import { t } from '../core/language.js';
import { button, element, write } from '../dom.js';
import { list, parsed, record, text } from '../job.js';
import { printable } from '../words.js';
import { pretty } from './texts.js';

/** The key of a job's notes that holds what a person wrote. */
export const NOTE = 'note';

export interface Annotations {
  readonly tags: readonly string[];
  readonly notes: Readonly<Record<string, unknown>>;
}

/** Stores what was changed: all tags, keys of notes. */
export type Annotate = (method: 'PUT' | 'PATCH', change: { tags?: string[]; notes?: Record<string, unknown> }) => Promise<unknown>;

export function annotations(job: { tags?: unknown; notes?: unknown }): Annotations {
  return { tags: list(job.tags).map(text), notes: record(parsed(job.notes)) };
}

/** The tags in `a, b`: without doubles, in the order given. */
export function tagsIn(told: string): string[] {
  return [...new Set(told.split(',').map(tag => tag.trim()).filter(Boolean))];
}

export class NotesView {
  readonly node = element('section', 'tj-Notes');

  constructor(private readonly annotate: Annotate) {
    const saving = button(t('Save'), t('Store tags and note with the job'), () => void this.save());
    this.saveButton = saving;
    this.node.append(
      element('label', 'tj-Field', {}, t('Tags, separated by commas'), this.tags),
      element('label', 'tj-Field', {}, t('Note'), this.note),
      element('div', 'tj-Bar', {}, saving, this.status),
      this.others
    );
    for (const input of [this.tags, this.note]) {
      input.addEventListener('input', () => this.tell());
    }
    this.tell();
  }

  /** What is stored has changed; what is being written is left alone. */
  update(stored: Annotations): void {
    const isClean = !this.isChanged;
    this.stored = stored;
    if (isClean) {
      this.tags.value = stored.tags.join(', ');
      this.note.value = text(stored.notes[NOTE]);
    }
    const { [NOTE]: _, ...others } = stored.notes;
    const drawn = Object.keys(others).length ? pretty(others) : '';
    this.others.hidden = !drawn;
    write(this.otherText, printable(drawn));
    this.tell();
  }

  /** True while something is written that is not stored. */
  get isChanged(): boolean {
    return this.areTagsChanged || this.isNoteChanged;
  }

  private get areTagsChanged(): boolean {
    return tagsIn(this.tags.value).sort().join() !== [...this.stored.tags].sort().join();
  }

  private get isNoteChanged(): boolean {
    return this.note.value !== text(this.stored.notes[NOTE]);
  }

  private async save(): Promise<void> {
    const [tags, note] = [tagsIn(this.tags.value), this.note.value];
    this.isSaving = true;
    this.tell();
    try {
      if (this.areTagsChanged) {
        await this.annotate('PUT', { tags });
        this.stored = { ...this.stored, tags };
      }
      if (this.isNoteChanged) {
        // Only this key, so that what a program has noted meanwhile stays.
        await this.annotate('PATCH', { notes: { [NOTE]: note } });
        this.stored = { ...this.stored, notes: { ...this.stored.notes, [NOTE]: note } };
      }
      this.said = t('Saved.');
    } catch (fault) {
      this.said = told(fault);
    }
    this.isSaving = false;
    this.tell(this.said);
  }

  private tell(said = ''): void {
    this.saveButton.disabled = this.isSaving || !this.isChanged;
    write(this.status, printable(said) || (this.isChanged ? t('not saved yet') : ''));
  }

  private stored: Annotations = { tags: [], notes: {} };
  private said = '';
  private isSaving = false;
  private readonly saveButton: HTMLButtonElement;
  private readonly tags = element('input', 'tj-Input', { type: 'text' });
  private readonly note = element('textarea', 'tj-Input', { rows: '6' });
  private readonly status = element('span', 'tj-Note', { role: 'status' });
  private readonly otherText = element('pre', 'tj-Text');
  private readonly others = element('details', 'tj-Others', {}, element('summary', '', {}, t('What programs have noted')), this.otherText);
}
