/** A copy of a job's file among the files of Jupyter, under a name that takes nothing's place. */

import { t } from './language.js';

/** What is used of Jupyter's contents. */
export interface Contents {
  get(path: string, options: { content: false }): Promise<{ readonly size?: number | null }>;
  save(path: string, options: { type: 'directory' } | { type: 'file'; format: 'base64'; content: string }): Promise<unknown>;
}

/** Bytes of a file that is copied through the page. */
export const LARGEST = 64 * 1024 * 1024;
/** Names that are tried. */
const TRIES = 100;

/** Keep `file` as `name` in a folder of Jupyter's, made where it is not there; the path of the copy.
 *
 * A file of that name and size is taken for the copy of before, which somebody may have open.
 */
export async function copyInto(contents: Contents, folder: string, name: string, file: Blob): Promise<string> {
  await contents.save(folder, { type: 'directory' });
  for (let number = 1; number <= TRIES; number += 1) {
    const path = `${folder}/${number > 1 ? numbered(name, number) : name}`;
    const there = await contents.get(path, { content: false }).catch(missing);
    if (there?.size === file.size) {
      return path;
    }
    if (!there) {
      await contents.save(path, { type: 'file', format: 'base64', content: await base64(file) });
      return path;
    }
  }
  throw new TypeError(t('There are too many files named {name} in {folder}.', { name, folder }));
}

/** `data-2.csv`, `Makefile-2`. */
function numbered(name: string, number: number): string {
  const dot = name.lastIndexOf('.');
  const at = dot > 0 ? dot : name.length;
  return `${name.slice(0, at)}-${number}${name.slice(at)}`;
}

/** Nothing has that name; anything else that is wrong is told. */
function missing(fault: unknown): null {
  if ((fault as { response?: { status?: number } }).response?.status === 404) {
    return null;
  }
  throw fault;
}

async function base64(file: Blob): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const parts: string[] = [];
  for (let start = 0; start < bytes.length; start += PART) {
    parts.push(btoa(String.fromCharCode(...bytes.subarray(start, start + PART))));
  }
  return parts.join('');
}

/** Bytes that are coded at once: a multiple of three, so that the parts fit together. */
const PART = 3 * 8192;
