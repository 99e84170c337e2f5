// What a legend says of each series, and in which order.
import { t } from "../i18n.js";
import { inUnit } from "../units.js";
import { COUNTS, RATIOS, reduce } from "./reduce.js";

export const calcTitle = (name) => (/^p\d+$/.test(name) ? name : t(`calc.${name}`));
export function calcText(name, values, settings) {
  const value = reduce(name, values);
  if (typeof value === "boolean" || typeof value === "string") return String(value);
  return inUnit(value, COUNTS.has(name) ? "none" : RATIOS.has(name) ? "ratio" : settings.unit, { decimals: COUNTS.has(name) ? null : (settings.decimals ?? null) });
}

/**
 * @param {{name: string, values: any[], settings: any}[]} series
 * @param {{calcs?: string[], sort_by?: string, sort_descending?: boolean}} legend
 * @returns {{at: number, name: string, texts: string[]}[]} `at` is the place of the series
 */
export function legendRows(series, { calcs = [], sort_by: by = "", sort_descending: descending = false } = {}) {
  const rows = series.map((one, at) => ({ at, name: one.name, texts: calcs.map((calc) => calcText(calc, one.values, one.settings)) }));
  if (!by) return rows;
  const calc = calcs.find((one) => one === by) ?? calcs.find((one) => calcTitle(one).toLowerCase() === by.toLowerCase());
  const key = calc ? series.map((one) => reduce(calc, one.values)) : series.map((one) => one.name);
  const compare = (a, b) => (typeof key[a.at] === "string" ? String(key[a.at]).localeCompare(String(key[b.at]), undefined, { numeric: true }) : (key[a.at] ?? -Infinity) - (key[b.at] ?? -Infinity));
  return rows.sort((a, b) => (descending ? -compare(a, b) : compare(a, b)) || a.at - b.at);
}

/** Which series are shown after a click on one: it is turned on or off; with `alone`, it becomes the only one, or all come back. */
export function toggled(/** @type {Set<string>} */ hidden, name, all, alone) {
  if (alone) {
    const only = all.every((one) => (one === name ? !hidden.has(one) : hidden.has(one)));
    return new Set(only ? [] : all.filter((one) => one !== name));
  }
  const found = new Set(hidden);
  if (!found.delete(name)) found.add(name);
  return found;
}
