// The single values of stat, gauge and bar panels: one for each series and calculation, or one for each row.
import { nameOf, pattern, settingsOf, words } from "./display.js";
import { rowsIn } from "./frames.js";
import { COUNTS, RATIOS, reduce } from "./reduce.js";

const MOST = 200;

/** @typedef {{name: string, value: any, settings: any, field: any, values: any[], times: number[], row?: Record<string, any>}} Single */
/** @param {any} panel @param {import("./frames.js").Frame[]} frames @returns {Single[]} */
export function singleValues(panel, frames) {
  const { calcs = ["last"], values: everyRow = false, limit = 0, fields = "" } = panel.options?.reduce ?? {};
  const wanted = (column) => (fields ? Boolean(pattern(fields)?.test(column.name)) && column.type !== "time" : column.type === "number" || column.type === "boolean");
  const most = Math.min(MOST, limit || MOST);
  const found = [];
  for (const frame of frames) {
    const time = frame.columns.find((one) => one.type === "time");
    const strings = frame.columns.filter((one) => one.type === "string");
    const chosen = frame.columns.filter(wanted);
    // A table with names in a row each, and one number: each row is a value, as people expect of a table.
    const rows = everyRow || (strings.length > 0 && !fields && chosen.length > 0 && rowsIn(frame) > 0);
    if (rows) {
      for (let at = 0; at < rowsIn(frame) && found.length < most; at += 1) {
        const row = Object.fromEntries(frame.columns.map((one) => [one.name, one.values[at]]));
        const label = strings.map((one) => one.values[at]).filter((one) => one !== "" && one !== null).join(" ");
        for (const column of chosen) {
          const field = { ...column, name: chosen.length > 1 || !label ? [label, column.name].filter(Boolean).join(" ") : label, ref: column.ref ?? frame.ref };
          const settings = settingsOf(panel, { ...field, name: column.name });
          found.push({ name: words(settings.display_name) ? nameOf(settings, field) : field.name, value: column.values[at], settings, field, values: [], times: [], row });
        }
      }
      continue;
    }
    for (const column of chosen) {
      const field = { ...column, ref: column.ref ?? frame.ref };
      const settings = settingsOf(panel, field);
      if (settings.hidden) continue;
      for (const calc of calcs) {
        if (found.length >= most) break;
        const own = COUNTS.has(calc) ? { ...settings, unit: "none" } : RATIOS.has(calc) ? { ...settings, unit: "ratio" } : settings;
        found.push({ name: calcs.length > 1 ? `${nameOf(settings, field)} ${calc}` : nameOf(settings, field), value: reduce(calc, column.values), settings: own, field, values: column.values, times: time?.values ?? [] });
      }
    }
  }
  return found;
}

/** The bounds that a gauge or bar fills: of its settings, else of all values, for percentages 0 to the whole. */
export function boundsOf(/** @type {Single} */ one, /** @type {Single[]} */ all) {
  const { min, max, unit } = one.settings;
  const whole = unit === "percent" ? 100 : unit === "ratio" ? 1 : null;
  const values = all.flatMap((each) => [each.value, ...(each.values ?? [])]).filter((value) => typeof value === "number" && Number.isFinite(value));
  const low = min ?? Math.min(0, ...values);
  const high = max ?? whole ?? values.reduce((most, value) => Math.max(most, value), 0);
  return /** @type {[number, number]} */ ([low, high > low ? high : low + 1]);
}
export const partOf = (value, [low, high]) => (typeof value === "number" && Number.isFinite(value) ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0);

/** By how much the last value differs from the first, as a part of it; null where that says nothing. */
export const change = (values) => reduce("diff_percent", values);
