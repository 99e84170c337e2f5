// Stacks of a chart: what each series is drawn at, on top of those before it.

/**
 * @param {(number | null | undefined)[][]} columns
 * @param {{group: string | null, shown: boolean}[]} series `group` is null for one that is not stacked
 * @param {boolean} percent whether each time's stack is a whole of 100
 * @returns {{columns: any[][], bands: [number, number][]}} bands are pairs of series between which is filled
 */
export function stacked(columns, series, percent = false) {
  const bands = [];
  const below = new Map(); // group → [totals above zero, index of the last]
  const wholes = new Map();
  if (percent) {
    series.forEach(({ group, shown }, at) => {
      if (group === null || !shown) return;
      const whole = wholes.get(group) ?? new Array(columns[at].length).fill(0);
      columns[at].forEach((value, index) => { if (value) whole[index] += Math.abs(value); });
      wholes.set(group, whole);
    });
  }
  const found = columns.map((column, at) => {
    const { group, shown } = series[at];
    if (group === null || !shown) return column;
    // Values above and below zero are stacks of their own.
    const side = `${group}:${column.some((value) => value < 0) ? "-" : "+"}`;
    const known = below.get(side);
    const whole = wholes.get(group);
    const totals = known ? [...known.totals] : new Array(column.length).fill(0);
    const drawn = column.map((value, index) => {
      if (value === null || value === undefined || Number.isNaN(value)) return known?.any[index] ? totals[index] : (value ?? null);
      totals[index] += whole ? (whole[index] ? (value / whole[index]) * 100 : 0) : value;
      return totals[index];
    });
    if (known) bands.push([at, known.at]);
    below.set(side, { totals, at, any: column.map((value, index) => (value !== null && value !== undefined) || Boolean(known?.any[index])) });
    return drawn;
  });
  return { columns: found, bands };
}

/** Gaps up to so many ms are joined: null breaks a line, undefined does not. */
export function connected(times, values, longest) {
  if (!longest) return values;
  const found = [...values];
  let last = -1;
  for (let at = 0; at < found.length; at += 1) {
    if (found[at] === null || found[at] === undefined) continue;
    if (last >= 0 && times[at] - times[last] <= longest) for (let gap = last + 1; gap < at; gap += 1) found[gap] = undefined;
    last = at;
  }
  return found;
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 };
/** A duration such as "1h30m" in ms; null when it is none. @param {string} text */
export function milliseconds(text) {
  const parts = [...(text ?? "").trim().matchAll(/(\d+(?:\.\d+)?)(ms|[smhdwy])/g)];
  if (!parts.length || parts.map((one) => one[0]).join("") !== text.trim()) return null;
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit], 0);
}
