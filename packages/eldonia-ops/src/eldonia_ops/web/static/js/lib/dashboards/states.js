// State timelines: how long a series had one value.

/** @typedef {{from: number, to: number, value: any}} Span */
/**
 * Spans of one series. A value holds until the next time; the last one for a step more. Gaps are no spans.
 * @param {number[]} times @param {any[]} values @param {{merge?: boolean, until?: number, key?: (value: any) => any}} [options]
 * @returns {Span[]}
 */
export function spans(times, values, { merge = true, until = Infinity, key = (value) => value } = {}) {
  const step = times.length > 1 ? times[1] - times[0] : 60_000;
  const found = [];
  for (let at = 0; at < times.length; at += 1) {
    const value = values[at];
    if (value === null || value === undefined) continue;
    const to = Math.min(until, at + 1 < times.length ? Math.min(times[at + 1], times[at] + step) : times[at] + step);
    const last = found.at(-1);
    if (merge && last && last.to >= times[at] && Object.is(key(last.value), key(value))) last.to = to;
    else found.push({ from: times[at], to, value });
  }
  return found;
}

/** How long each value was had, in ms, the longest first. @param {Span[]} all @param {(value: any) => string} name */
export function shares(all, name) {
  const found = new Map();
  for (const { from, to, value } of all) found.set(name(value), (found.get(name(value)) ?? 0) + to - from);
  return [...found].sort((a, b) => b[1] - a[1]);
}
