/** Hours in which nobody wants to be told. */

/** Minutes since midnight of `22:30`; null for what is no time. */
export function minutes(told: string): number | null {
  const found = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(told.trim());
  return found ? 60 * Number(found[1]) + Number(found[2]) : null;
}

/** True when `at` (local time) lies from `from` up to `to`, also over midnight; never where one of them is no time. */
export function isQuiet(from: string, to: string, at: Date): boolean {
  const [begin, end] = [minutes(from), minutes(to)];
  if (begin === null || end === null || begin === end) {
    return false;
  }
  const now = 60 * at.getHours() + at.getMinutes();
  return begin < end ? begin <= now && now < end : now >= begin || now < end;
}
