/** Keys that are pressed in a part of a notebook's page: most are the part's own, some stay the notebook's. */

/** Saving, and what has Ctrl and Shift (the palette of commands, …). */
export function isNotebooks(event: Pick<KeyboardEvent, 'ctrlKey' | 'metaKey' | 'shiftKey' | 'key'>): boolean {
  return (event.ctrlKey || event.metaKey) && (event.shiftKey || event.key.toLowerCase() === 's');
}

/**
 * Keeps keys pressed in `place` from the notebook's shortcuts, except those above; returns what ends that.
 *
 * Lumino looks for `data-lm-suppress-shortcuts` when the key reaches the document, so the window, which
 * hears of it before, is where the mark can still be changed.
 */
export function keepKeys(place: HTMLElement): () => void {
  const mark = (event: KeyboardEvent) => place.toggleAttribute('data-lm-suppress-shortcuts', !isNotebooks(event));
  const page = place.ownerDocument.defaultView as Window;
  place.toggleAttribute('data-lm-suppress-shortcuts', true);
  page.addEventListener('keydown', mark, true);
  return () => page.removeEventListener('keydown', mark, true);
}
