// Heat maps as numbers: rows of buckets, columns of times, how many in each; and where on the ramp a count is.

/** @typedef {{times: number[], step: number, rows: {low: number, high: number, counts: (number | null)[]}[], most: number, ordinal: boolean}} HeatMap */

const MOST_COLUMNS = 240;
const MOST_ROWS = 40;

/**
 * From a histogram: a series for each bucket, with its upper bound; counts are those of the bucket alone.
 * @param {number[]} times @param {{values: (number | null)[]}[]} series @param {(number | string)[]} buckets @returns {HeatMap}
 */
export function fromBuckets(times, series, buckets) {
  const bound = (one) => (one === "Infinity" || one === "+Inf" ? Infinity : Number(one));
  const order = series.map((one, at) => ({ one, high: bound(buckets[at]) })).sort((a, b) => a.high - b.high);
  const rows = order.map(({ one, high }, at) => ({ low: at ? order[at - 1].high : high > 0 ? 0 : -Infinity, high, counts: one.values }));
  return { times, step: stepOf(times), rows, most: largest(rows), ordinal: true };
}

/** Rows whose names are bounds ("0.5", "le=0.5"), or any others, in the order given: for series that are buckets already. */
export function fromNamedSeries(times, series) {
  const bounds = series.map((one) => one.labels?.le ?? one.name.match(/[-+]?(?:\d[\d.e+-]*|Inf)$/i)?.[0]);
  return fromBuckets(times, series, bounds.map((one, at) => (one === undefined ? at + 1 : /inf/i.test(one) ? "Infinity" : one)));
}

/** Values of any series, counted in buckets of value and time. @param {{times: number[], values: (number | null)[]}[]} series @returns {HeatMap} */
export function fromValues(series) {
  let [low, high, from, to] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { times, values } of series) {
    for (let at = 0; at < values.length; at += 1) {
      const value = values[at];
      if (value === null || value === undefined || !Number.isFinite(value)) continue;
      low = Math.min(low, value); high = Math.max(high, value);
      from = Math.min(from, times[at]); to = Math.max(to, times[at]);
    }
  }
  if (low > high) return { times: [], step: 1, rows: [], most: 0, ordinal: false };
  const size = niceStep((high - low || Math.abs(high) || 1) / 20);
  const first = Math.floor(low / size);
  const many = Math.min(MOST_ROWS, Math.floor(high / size) - first + 1);
  const own = stepOf(series[0].times);
  const step = own * Math.max(1, Math.ceil((to - from) / own / MOST_COLUMNS));
  const start = Math.floor(from / step) * step;
  const columns = Math.floor((to - start) / step) + 1;
  const rows = Array.from({ length: many }, (_, at) => ({ low: round((first + at) * size), high: round((first + at + 1) * size), counts: new Array(columns).fill(0) }));
  for (const { times, values } of series) {
    for (let at = 0; at < values.length; at += 1) {
      const value = values[at];
      if (value === null || value === undefined || !Number.isFinite(value)) continue;
      const row = Math.min(many - 1, Math.floor(value / size + 1e-9) - first);
      if (rows[row]) rows[row].counts[Math.floor((times[at] - start) / step)] += 1;
    }
  }
  return { times: Array.from({ length: columns }, (_, at) => start + at * step), step, rows, most: largest(rows), ordinal: false };
}
const round = (value) => Number(value.toPrecision(12));
const largest = (rows) => rows.reduce((most, row) => row.counts.reduce((found, count) => Math.max(count ?? 0, found), most), 0);
export const stepOf = (times) => (times.length > 1 ? times[1] - times[0] : 60_000);
export function niceStep(size) {
  const power = 10 ** Math.floor(Math.log10(size));
  return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= size * 0.999) ?? 10 * power;
}

const clamped = (part) => Math.min(1, Math.max(0, part));

/**
 * Where a count is on a ramp of so many colours, or -1 where no cell is drawn.
 * @param {number | null} count @param {number} most @param {any} heat @param {number} colours
 */
export function rampPlace(count, most, { scale = "exponential", exponent = 0.5, min = null, max = null, hide_below: hide = null } = {}, colours = 64) {
  if (count === null || count === undefined || Number.isNaN(count) || count <= (hide ?? 0) * (hide === null ? 1 : 0) || (hide !== null && count < hide)) return -1;
  const low = min ?? 0;
  const high = max ?? most;
  const part = high > low ? clamped((count - low) / (high - low)) : 1;
  return Math.round((scale === "linear" ? part : part ** exponent) * (colours - 1));
}
