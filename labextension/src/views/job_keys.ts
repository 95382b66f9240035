/** What the keys of the grid do: one table, of which the help is made, too. */

import type { Key } from './keys.js';

export interface JobActs {
  move(step: number): void;
  open(): void;
  close(): void;
  select(): void;
  cancel(): void;
  pause(): void;
  resubmit(): void;
  hide(): void;
  share(): void;
  filter(): void;
  search(): void;
  help(): void;
}

export function jobKeys(acts: JobActs): Key[] {
  return [
    { keys: ['j'], words: 'one row down', act: () => acts.move(1) },
    { keys: ['k'], words: 'one row up', act: () => acts.move(-1) },
    { keys: ['Enter'], words: 'details', act: () => acts.open() },
    { keys: ['Escape'], words: 'close the details', act: () => acts.close() },
    { keys: ['x', ' '], words: 'select', act: () => acts.select() },
    { keys: ['c', 'Delete'], words: 'cancel, after a question', act: () => acts.cancel() },
    { keys: ['p'], words: 'pause; can be undone', act: () => acts.pause() },
    { keys: ['r'], words: 'submit again, after a question', act: () => acts.resubmit() },
    { keys: ['h'], words: 'hide; can be undone', act: () => acts.hide() },
    { keys: ['s'], words: 'share', act: () => acts.share() },
    { keys: ['f'], words: 'filter by this column', act: () => acts.filter() },
    { keys: ['/'], words: 'search', act: () => acts.search() },
    { keys: ['?'], words: 'these keys', act: () => acts.help() }
  ];
}
