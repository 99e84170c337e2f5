// Results of queries as frames: columns of equal length. Charts read series from them, tables rows.
import { pattern } from "./display.js";

/** @typedef {{name: string, type: "time" | "number" | "string" | "boolean" | "other", values: any[], labels?: Record<string, string>, ref?: string}} Column */
/** @typedef {{ref: string, name?: string, columns: Column[]}} Frame */

const SPECIAL = { NaN: Number.NaN, Infinity, "-Infinity": -Infinity, "+Inf": Infinity, "-Inf": -Infinity };
/** Numbers as they travel: what JSON cannot hold is a word. The array is changed in place, since it is only ours. */
export function numbers(values) {
  for (let at = 0; at < values.length; at += 1) if (typeof values[at] === "string") values[at] = SPECIAL[values[at]] ?? null;
  return values;
}

/** A result of the server with its words made numbers, once. @template {{series?: {values: any[]}[]}} R @param {R} result @returns {R} */
export function decoded(result) {
  for (const one of result.series ?? []) numbers(one.values);
  return result;
}

const lastKnown = (values) => { for (let at = values.length - 1; at >= 0; at -= 1) if (values[at] !== null) return values[at]; return null; };

// One query as a table: a row for each series, a column for each label.
function labelTable(result, valueName) {
  // The metric's own name says nothing where it is the same in all rows, and would keep tables of two metrics apart.
  const named = new Set(result.series.map((one) => one.labels?.__name__)).size > 1;
  const names = [...new Set(result.series.flatMap((one) => Object.keys(one.labels ?? {})))].filter((name) => named || name !== "__name__").sort();
  const time = result.timestamps.at(-1) ?? null;
  return {
    ref: result.ref,
    columns: [
      { name: "Time", type: "time", values: result.series.map(() => time) },
      ...names.map((name) => ({ name, type: "string", values: result.series.map((one) => one.labels[name] ?? "") })),
      { name: valueName, type: "number", ref: result.ref, values: result.series.map((one) => lastKnown(one.values)) },
    ],
  };
}

/**
 * Frames of a panel's results, before its transformations.
 * @param {any} panel @param {any[]} results @returns {Frame[]}
 */
export function framesOf(panel, results) {
  const usable = results.filter((one) => (one.kind === "series" || one.kind === "heatmap") && !one.error);
  const asTable = (result) => {
    const query = (panel.queries ?? []).find((one) => one.ref === result.ref) ?? {};
    return query.format === "table" || (panel.type === "table" && query.instant);
  };
  const tables = usable.filter(asTable).length;
  return usable.flatMap((result) => {
    if (asTable(result)) return [labelTable(result, tables > 1 ? `Value #${result.ref}` : "Value")];
    return result.series.map((one) => ({
      ref: result.ref,
      name: one.name,
      columns: [
        { name: "Time", type: "time", values: result.timestamps },
        { name: one.name || "Value", type: "number", values: one.values, labels: one.labels, ref: result.ref },
      ],
    }));
  });
}

/**
 * The series of frames: each numeric column beside a time column. Those that share their time share the array.
 * @param {Frame[]} frames @returns {{name: string, labels: Record<string, string>, ref: string, times: number[], values: any[], type: string}[]}
 */
export function seriesOf(frames, types = ["number", "boolean"]) {
  return frames.flatMap((frame) => {
    const time = frame.columns.find((one) => one.type === "time");
    if (!time) return [];
    return frame.columns
      .filter((one) => types.includes(one.type))
      .map((one) => ({ name: one.name, labels: one.labels ?? {}, ref: one.ref ?? frame.ref, times: time.values, values: one.values, type: one.type }));
  });
}

/**
 * One time axis for all series; a value is put where its time is, and the rest is null.
 * @param {{times: number[], values: any[]}[]} series @returns {{times: number[], columns: any[][]}}
 */
export function aligned(series) {
  if (!series.length) return { times: [], columns: [] };
  const first = series[0].times;
  if (series.every((one) => one.times === first || sameTimes(one.times, first))) return { times: first, columns: series.map((one) => one.values) };
  const times = [...new Set(series.flatMap((one) => one.times))].sort((a, b) => a - b);
  const at = new Map(times.map((time, index) => [time, index]));
  return {
    times,
    columns: series.map((one) => {
      const column = new Array(times.length).fill(null);
      one.times.forEach((time, index) => { column[at.get(time)] = one.values[index]; });
      // Between the samples of a slower query there is no gap: undefined joins, null breaks.
      const step = one.times.length > 1 ? one.times[1] - one.times[0] : 0;
      const shortest = times.length > 1 ? times[1] - times[0] : 0;
      if (step > shortest) fillBetween(column, one, at);
      return column;
    }),
  };
}
const sameTimes = (a, b) => a.length === b.length && a[0] === b[0] && a.at(-1) === b.at(-1) && a.every((one, at) => one === b[at]);
function fillBetween(column, one, at) {
  for (let index = 1; index < one.times.length; index += 1) {
    if (one.values[index - 1] === null || one.values[index] === null) continue;
    for (let place = at.get(one.times[index - 1]) + 1; place < at.get(one.times[index]); place += 1) column[place] = undefined;
  }
}

export const rowsIn = (frame) => frame.columns[0]?.values.length ?? 0;
/** The frame with these rows, in this order. @param {Frame} frame @param {number[]} rows @returns {Frame} */
export const picked = (frame, rows) => ({ ...frame, columns: frame.columns.map((one) => ({ ...one, values: rows.map((at) => one.values[at]) })) });

/** Several tables as one: columns of one name are one; rows that agree in all of those become one row. @returns {Frame} */
export function merged(/** @type {Frame[]} */ frames) {
  if (frames.length < 2) return frames[0] ?? { ref: "", columns: [] };
  /** @type {Column[]} */
  const columns = [];
  for (const frame of frames) for (const one of frame.columns) if (!columns.some((known) => known.name === one.name)) columns.push({ ...one, values: [] });
  const shared = columns.filter((one) => frames.every((frame) => frame.columns.some((own) => own.name === one.name))).map((one) => one.name);
  const rows = [];
  const places = new Map();
  for (const frame of frames) {
    const own = new Map(frame.columns.map((one) => [one.name, one]));
    for (let at = 0; at < rowsIn(frame); at += 1) {
      const key = JSON.stringify(shared.map((name) => own.get(name).values[at]));
      const known = (places.get(key) ?? []).find((row) => frame.columns.every((one) => !row.has(one.name) || row.get(one.name) === one.values[at]));
      const row = known ?? new Map();
      if (!known) { rows.push(row); places.set(key, [...(places.get(key) ?? []), row]); }
      for (const one of frame.columns) row.set(one.name, one.values[at]);
    }
  }
  for (const column of columns) column.values = rows.map((row) => row.get(column.name) ?? null);
  return { ref: frames[0].ref, columns };
}

/** All series beside each other by time. @param {Frame[]} frames @returns {Frame} */
export function joinedByTime(frames) {
  const series = seriesOf(frames, ["number", "string", "boolean", "other"]);
  const { times, columns } = aligned(series);
  return {
    ref: frames[0]?.ref ?? "",
    columns: [{ name: "Time", type: "time", values: times }, ...series.map((one, at) => ({ name: one.name, labels: one.labels, type: /** @type {any} */ (one.type), ref: one.ref, values: columns[at].map((value) => value ?? null) }))],
  };
}

/** Frames as the table that a table panel shows. @param {Frame[]} frames @returns {Frame} */
export function tableOf(frames) {
  if (!frames.length) return { ref: "", columns: [] };
  if (frames.length === 1) return frames[0];
  const timed = frames.every((frame) => frame.columns.length === 2 && frame.columns[0].type === "time");
  return timed ? joinedByTime(frames) : merged(frames);
}

/** @param {Frame} frame @param {string} name */
export const columnOf = (frame, name) => frame.columns.find((one) => one.name === name);
export const fitting = (names, regex, column) => names.includes(column.name) || Boolean(regex && pattern(regex)?.test(column.name));

// --- CSV ---
const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
// A cell that a spreadsheet would take for a formula is text.
const cell = (value, type) => {
  if (value === null || value === undefined) return "";
  if (type === "time") return new Date(value).toISOString();
  if (typeof value === "number") return String(value);
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return quoted(/^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text);
};
/** @param {Frame} frame */
export function csv(frame) {
  const lines = [frame.columns.map((one) => quoted(one.name)).join(",")];
  for (let at = 0; at < rowsIn(frame); at += 1) lines.push(frame.columns.map((one) => cell(one.values[at], one.type)).join(","));
  return `${lines.join("\r\n")}\r\n`;
}
