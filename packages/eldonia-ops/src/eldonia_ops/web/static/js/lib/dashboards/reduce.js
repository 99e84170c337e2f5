// One value of many: the calculations of legends, single values and footers. Gaps are null; NaN counts as a gap.
const known = (values) => values.filter((value) => value !== null && value !== undefined && !Number.isNaN(value));
const sum = (values) => values.reduce((total, value) => total + value, 0);
const mean = (values) => (values.length ? sum(values) / values.length : null);
function variance(values) {
  if (!values.length) return null;
  const middle = mean(values);
  return sum(values.map((value) => (value - middle) ** 2)) / values.length;
}
// Between the two nearest ranks, as Prometheus' quantile does.
function quantile(values, part) {
  if (!values.length) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const rank = part * (sorted.length - 1);
  const low = Math.floor(rank);
  return sorted[low] + (sorted[Math.min(sorted.length - 1, low + 1)] - sorted[low]) * (rank - low);
}
const least = (values) => { let found = null; for (const value of values) if (found === null || value < found) found = value; return found; };
const most = (values) => { let found = null; for (const value of values) if (found === null || value > found) found = value; return found; };
const first = (values) => values.find((value) => value !== null && value !== undefined && !Number.isNaN(value)) ?? null;
function last(values) {
  for (let at = values.length - 1; at >= 0; at -= 1) {
    const value = values[at];
    if (value !== null && value !== undefined && !Number.isNaN(value)) return value;
  }
  return null;
}
// How much a counter grew, resets counted in.
const grown = (values) => (values.length < 2 ? (values.length ? 0 : null) : values.slice(1).reduce((total, value, at) => total + (value < values[at] ? value : value - values[at]), 0));

/** @type {Record<string, (values: any[]) => any>} */
const CALCULATIONS = {
  last, first, last_or_null: (values) => values.at(-1) ?? null, first_or_null: (values) => values[0] ?? null,
  min: (values) => least(known(values)), max: (values) => most(known(values)), mean: (values) => mean(known(values)),
  median: (values) => quantile(known(values), 0.5), sum: (values) => (known(values).length ? sum(known(values)) : null), count: (values) => known(values).length,
  range: (values) => (known(values).length ? most(known(values)) - least(known(values)) : null), delta: (values) => grown(known(values)),
  step: (values) => least(known(values).slice(1).map((value, at) => value - known(values)[at])),
  diff: (values) => (known(values).length ? last(values) - first(values) : null),
  diff_percent: (values) => (first(values) ? (last(values) - first(values)) / Math.abs(first(values)) : null),
  log_min: (values) => least(known(values).filter((value) => value > 0)),
  all_zero: (values) => known(values).every((value) => value === 0), all_null: (values) => known(values).length === 0,
  change_count: (values) => { const all = known(values); return all.filter((value, at) => at > 0 && value !== all[at - 1]).length; },
  distinct_count: (values) => new Set(known(values)).size, variance: (values) => variance(known(values)),
  std_dev: (values) => { const found = variance(known(values)); return found === null ? null : Math.sqrt(found); },
  all_values: (values) => known(values).join(", "), unique_values: (values) => [...new Set(known(values))].join(", "),
};
for (const part of [1, 5, 10, 25, 50, 75, 80, 90, 95, 99]) CALCULATIONS[`p${part}`] = (values) => quantile(known(values), part / 100);

export const REDUCERS = Object.keys(CALCULATIONS);
/** @param {string} name @param {any[]} values */
export const reduce = (name, values) => (CALCULATIONS[name] ?? last)(values);
// What keeps no unit of the values.
export const COUNTS = new Set(["count", "change_count", "distinct_count"]);
export const RATIOS = new Set(["diff_percent"]);
