// The y axes of a chart: which series share one, where it is, and what range fits their data.

/**
 * The axis of every series: those of one unit, side and scale share it. The first is left, others are right unless they say.
 * @param {{settings: any}[]} series @returns {{key: string, side: "left" | "right" | "hidden", unit: string, settings: any, members: number[]}[]}
 */
export function axesOf(series) {
  const found = new Map();
  series.forEach(({ settings }, at) => {
    const { unit = "", axis = "auto", axis_scale: scale = "linear", axis_label: label = "" } = settings;
    const key = `y:${axis === "auto" ? "" : axis}:${unit}:${scale}:${axis === "auto" ? "" : label}`;
    const known = found.get(key);
    if (known) known.members.push(at);
    else found.set(key, { key, side: axis, unit, settings, members: [at] });
  });
  const all = [...found.values()];
  let left = all.some((one) => one.side === "left");
  for (const one of all) {
    if (one.side !== "auto") continue;
    one.side = left ? "right" : "left";
    left = true;
  }
  return all;
}

const bound = (value) => (value === null || value === undefined ? null : value);
/**
 * The range of an axis. Settings bound it; else it fits what is shown, with some room, and includes zero where areas or bars
 * are measured from it or where the data are near it.
 * @param {(number | null | undefined)[][]} columns @param {any} settings @param {{zero?: boolean, percent?: boolean}} [options]
 * @returns {[number, number]}
 */
export function rangeOf(columns, settings, { zero = false, percent = false } = {}) {
  let [low, high] = [Infinity, -Infinity];
  const log = settings.axis_scale === "log2" || settings.axis_scale === "log10";
  for (const column of columns) {
    for (const value of column) {
      if (value === null || value === undefined || !Number.isFinite(value) || (log && value <= 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  const [fixedLow, fixedHigh] = [bound(settings.min), bound(settings.max)];
  const [softLow, softHigh] = [bound(settings.axis_soft_min), bound(settings.axis_soft_max)];
  if (low > high) [low, high] = log ? [1, 10] : [softLow ?? fixedLow ?? 0, softHigh ?? fixedHigh ?? 1];
  if (softLow !== null) low = Math.min(low, softLow);
  if (softHigh !== null) high = Math.max(high, softHigh);
  if (percent) [low, high] = [Math.min(0, low), Math.max(100, high)];
  if (log) {
    const base = settings.axis_scale === "log2" ? 2 : 10;
    const floor = base ** Math.floor(Math.log(low) / Math.log(base) + 1e-9);
    let top = base ** Math.ceil(Math.log(high) / Math.log(base) - 1e-9);
    if (top <= floor) top = floor * base;
    return [fixedLow !== null && fixedLow > 0 ? fixedLow : floor, fixedHigh !== null && fixedHigh > 0 ? fixedHigh : top];
  }
  if (settings.axis_centered) { const size = Math.max(Math.abs(low), Math.abs(high)) * 1.05 || 1; return [fixedLow ?? -size, fixedHigh ?? size]; }
  const near = low >= 0 && low <= (high - low) * 2;
  const below = high <= 0 && -high <= (high - low) * 2;
  if (zero || near) low = Math.min(0, low);
  if (zero || below) high = Math.max(0, high);
  const size = high - low || Math.abs(high) || 1;
  const pad = size * 0.07;
  if (!(percent || low === softLow || (low === 0 && (zero || near)))) low -= high === low ? size * 0.1 : pad;
  if (!(percent || high === softHigh || (high === 0 && (zero || below)))) high += high === low ? size * 0.1 : pad;
  const found = [fixedLow ?? low, fixedHigh ?? high];
  if (!(found[0] < found[1])) return fixedLow !== null ? [found[0], found[0] + (Math.abs(found[0]) || 1)] : [found[1] - (Math.abs(found[1]) || 1), found[1]];
  return /** @type {[number, number]} */ (found);
}
