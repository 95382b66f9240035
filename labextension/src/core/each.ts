/** Something done with many jobs, a few at a time; each has its own answer. */

import type { Asked } from './api.js';
import { told } from './client.js';

/** What became of one job. */
export type Outcome = Asked;

/** Calls on their way at once. */
const AT_ONCE = 4;

/** `work` returns a sentence, or throws; `step` hears how many are done. */
export async function each(
  uuids: readonly string[],
  work: (uuid: string) => Promise<string>,
  step: (done: number) => void = () => undefined
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  let done = 0;
  const turn = async (): Promise<void> => {
    while (next < uuids.length) {
      const at = next;
      next += 1;
      const uuid = uuids[at] ?? '';
      outcomes[at] = await work(uuid).then(
        message => ({ uuid, status: 'success', message }),
        (fault: unknown) => ({ uuid, status: 'error', message: told(fault) })
      );
      done += 1;
      step(done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, uuids.length) }, turn));
  return outcomes;
}
