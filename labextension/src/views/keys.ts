/** The keyboard of the grid: one table for what keys do and for the help that tells it. */

import { t } from '../core/language.js';
import { button, element, show } from '../dom.js';

export interface Key {
  keys: string[];
  words: string;
  act: () => void;
}

/** Calls what a key stands for, unless someone types a text; true when the key was taken. */
export function press(keys: readonly Key[], event: KeyboardEvent): boolean {
  const { target } = event;
  const isTyping = target instanceof HTMLElement && target.matches('input:not([type=checkbox]), textarea, select');
  // What opens over the grid has keys of its own.
  const isApart = target instanceof HTMLElement && target.closest('.ag-popup') !== null;
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  const found = isTyping || isApart || !isPlain ? undefined : keys.find(key => key.keys.includes(event.key));
  // A button is pressed by these.
  const isPressed = target instanceof HTMLElement && target.closest('button') !== null && ['Enter', ' '].includes(event.key);
  if (!found || isPressed) {
    return false;
  }
  event.preventDefault();
  event.stopPropagation();
  found.act();
  return true;
}

/** The list of keys; hidden until it is asked for. */
export function help(keys: readonly Key[]): HTMLElement {
  const rows = keys.flatMap(({ keys: names, words }) => [
    element('dt', '', {}, ...names.map(name => element('kbd', '', {}, t(name === ' ' ? 'Space' : name)))),
    element('dd', '', {}, t(words))
  ]);
  const node = element('div', 'tj-Help', { role: 'dialog', 'aria-label': 'Keys' });
  node.append(element('dl', '', {}, ...rows), button('Close', 'Close this help', () => show(node, false)));
  show(node, false);
  return node;
}
