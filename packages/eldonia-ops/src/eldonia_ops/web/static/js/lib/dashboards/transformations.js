// What is done with results before they are shown: functions of frames, one for each type of transformation.
import { pattern } from "./display.js";
import { columnOf, fitting, joinedByTime, merged, picked, rowsIn } from "./frames.js";
import { reduce } from "./reduce.js";

/** @typedef {import("./frames.js").Frame} Frame */

const CALC_NAMES = { last: "Last", first: "First", min: "Min", max: "Max", mean: "Mean", sum: "Total", count: "Count", median: "Median", last_or_null: "Last", first_or_null: "First" };
export const calcName = (name) => CALC_NAMES[name] ?? name;
const typed = (values) => { const found = values.find((one) => one !== null && one !== undefined); return typeof found === "string" ? "string" : typeof found === "boolean" ? "boolean" : "number"; };
const each = (frames, change) => frames.map((frame) => ({ ...frame, columns: change(frame.columns, frame) })).filter((frame) => frame.columns.length);
const compare = (a, b) => {
  if (a === null || a === undefined) return b === null || b === undefined ? 0 : 1;
  if (b === null || b === undefined) return -1;
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
};
export const rowOrder = (frame, by) => {
  const keys = by.map(({ field, descending }) => ({ values: columnOf(frame, field)?.values, sign: descending ? -1 : 1 })).filter((one) => one.values);
  const rows = Array.from({ length: rowsIn(frame) }, (_, at) => at);
  return keys.length ? rows.sort((a, b) => { for (const { values, sign } of keys) { const found = compare(values[a], values[b]) * (values[a] === null || values[b] === null ? 1 : sign); if (found) return found; } return a - b; }) : rows;
};

/** @param {{op?: string, value?: any, to?: number}} condition @param {any} found @returns {boolean} */
function holds({ op = "=", value = "", to }, found) {
  if (op === "null") return found === null || found === undefined;
  if (op === "not_null") return found !== null && found !== undefined;
  if (op === "regex") return Boolean(pattern(String(value))?.test(String(found ?? "")));
  if (op === "=") return String(found) === String(value) || (found !== null && found !== "" && value !== "" && Number(found) === Number(value));
  if (op === "!=") return !holds({ op: "=", value }, found);
  if (found === null || found === undefined) return false;
  const number = Number(found);
  switch (op) {
    case ">": return number > Number(value);
    case ">=": return number >= Number(value);
    case "<": return number < Number(value);
    case "<=": return number <= Number(value);
    default: return number >= Number(value) && number <= (to ?? Infinity);
  }
}

const ARITHMETIC = { "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b, "%": (a, b) => a % b };
function calculated(frame, { left = "", op = "", right = "", calc, of = [], name = "", replace = false }) {
  const rows = rowsIn(frame);
  const operand = (text) => columnOf(frame, text)?.values ?? (text !== "" && !Number.isNaN(Number(text)) ? new Array(rows).fill(Number(text)) : null);
  let values = null;
  if (calc) {
    const columns = frame.columns.filter((one) => (of.length ? of.includes(one.name) : one.type === "number"));
    values = Array.from({ length: rows }, (_, at) => reduce(calc, columns.map((one) => one.values[at])));
  } else if (ARITHMETIC[op]) {
    const [a, b] = [operand(left), operand(right)];
    if (a && b) values = a.map((one, at) => { const found = one === null || b[at] === null || one === undefined || b[at] === undefined ? null : ARITHMETIC[op](one, b[at]); return Number.isFinite(found) ? found : null; });
  }
  if (!values) return frame;
  const column = { name: name || (calc ? calcName(calc) : `${left} ${op} ${right}`), type: /** @type {const} */ ("number"), values };
  return { ...frame, columns: replace ? [...frame.columns.filter((one) => one.type === "time"), column] : [...frame.columns, column] };
}

function grouped(frame, fields) {
  const keys = fields.filter((one) => one.group && columnOf(frame, one.field));
  const groups = new Map();
  for (let at = 0; at < rowsIn(frame); at += 1) {
    const key = JSON.stringify(keys.map((one) => columnOf(frame, one.field).values[at]));
    groups.set(key, [...(groups.get(key) ?? []), at]);
  }
  const rows = [...groups.values()];
  return {
    ...frame,
    columns: [
      ...keys.map((one) => ({ ...columnOf(frame, one.field), values: rows.map(([at]) => columnOf(frame, one.field).values[at]) })),
      ...fields.filter((one) => !one.group && columnOf(frame, one.field)).flatMap((one) => (one.calcs ?? []).map((calc) => {
        const values = rows.map((group) => reduce(calc, group.map((at) => columnOf(frame, one.field).values[at])));
        return { name: `${one.field} (${calc})`, type: typed(values), values };
      })),
    ],
  };
}

function reducedRows(frames, { calcs = ["max"], columns = false, labels_as_columns: labels = false }) {
  if (columns) {
    return frames.map((frame) => ({ ...frame, columns: frame.columns.filter((one) => one.type === "number").flatMap((one) => calcs.map((calc) => ({ ...one, name: calcs.length > 1 ? `${one.name} (${calc})` : one.name, values: [reduce(calc, one.values)] }))) }));
  }
  const all = frames.flatMap((frame) => frame.columns.filter((one) => one.type !== "time"));
  const names = labels ? [...new Set(all.flatMap((one) => Object.keys(one.labels ?? {})))].sort() : [];
  return [{
    ref: frames[0]?.ref ?? "",
    columns: [
      { name: "Field", type: "string", values: all.map((one) => one.name) },
      ...names.map((name) => ({ name, type: "string", values: all.map((one) => one.labels?.[name] ?? "") })),
      ...calcs.map((calc) => ({ name: calcName(calc), type: "number", values: all.map((one) => reduce(calc, one.values)) })),
    ],
  }];
}

function labelColumns(frames, { value_label: label = "", keep = [] }) {
  const rows = frames.map((frame) => {
    const time = frame.columns.find((one) => one.type === "time");
    const values = frame.columns.filter((one) => one.type !== "time");
    const names = [...new Set(values.flatMap((one) => Object.keys(one.labels ?? {})))].filter((name) => name !== label && (!keep.length || keep.includes(name))).sort();
    return {
      ref: frame.ref,
      columns: [
        ...(time ? [time] : []),
        ...names.map((name) => ({ name, type: /** @type {const} */ ("string"), values: (time?.values ?? values[0].values).map(() => values.find((one) => one.labels?.[name])?.labels[name] ?? "") })),
        ...values.map((one) => ({ ...one, name: (label && one.labels?.[label]) || (label ? one.name : "Value"), labels: {} })),
      ],
    };
  });
  return [merged(rows)];
}

function join(frames, { field = "", mode = "outer" }) {
  const key = (frame) => (field ? columnOf(frame, field) : frame.columns.find((one) => one.type === "time"));
  const having = frames.filter(key);
  if (having.length < 2) return having.length ? having : frames;
  if (!field && mode === "outer") return [joinedByTime(having)];
  const wanted = [];
  const seen = new Set();
  for (const frame of having) for (const value of key(frame).values) if (!seen.has(value)) { seen.add(value); wanted.push(value); }
  const indexes = having.map((frame) => new Map(key(frame).values.map((value, at) => [value, at])));
  const kept = mode === "inner" ? wanted.filter((value) => indexes.every((one) => one.has(value))) : wanted;
  if (key(having[0]).type === "time") kept.sort((a, b) => a - b);
  const names = new Map();
  for (const frame of having) for (const one of frame.columns) if (one !== key(frame)) names.set(one.name, (names.get(one.name) ?? 0) + 1);
  return [{
    ref: having[0].ref,
    columns: [
      { ...key(having[0]), values: kept },
      ...having.flatMap((frame, index) => frame.columns.filter((one) => one !== key(frame)).map((one) => ({ ...one, name: names.get(one.name) > 1 ? `${one.name} ${index + 1}` : one.name, values: kept.map((value) => { const at = indexes[index].get(value); return at === undefined ? null : one.values[at]; }) }))),
    ],
  }];
}

/** @type {Record<string, (frames: Frame[], given: any) => any[]>} */
const BY_TYPE = {
  organize: (frames, { hide = [], rename = {}, order = [] }) => each(frames, (columns) => {
    const rank = (one) => { const at = order.indexOf(one.name); return at < 0 ? order.length : at; };
    return columns.filter((one) => !hide.includes(one.name)).map((one, at) => ({ one, at })).sort((a, b) => rank(a.one) - rank(b.one) || a.at - b.at).map(({ one }) => (rename[one.name] ? { ...one, name: rename[one.name] } : one));
  }),
  merge: (frames) => (frames.length ? [merged(frames)] : frames),
  concatenate: (frames) => {
    const length = Math.max(0, ...frames.map(rowsIn));
    return frames.length ? [{ ref: frames[0].ref, columns: frames.flatMap((frame) => frame.columns.map((one) => ({ ...one, values: Array.from({ length }, (_, at) => one.values[at] ?? null) }))) }] : frames;
  },
  reduce: reducedRows,
  filter_columns: (frames, { names = [], regex = "", exclude = false }) => each(frames, (columns) => columns.filter((one) => (one.type === "time" && !names.includes(one.name) && columns.length > 1) || fitting(names, regex, one) !== exclude)).filter((frame) => frame.columns.some((one) => one.type !== "time") || frame.columns.length > 1),
  filter_queries: (frames, { refs = [], exclude = false }) => frames.filter((frame) => refs.includes(frame.ref) !== exclude),
  filter_rows: (frames, { conditions = [], match = "all", exclude = false }) => frames.map((frame) => {
    const known = conditions.filter((one) => columnOf(frame, one.field));
    if (!known.length) return frame;
    const fits = (at) => (match === "any" ? known.some((one) => holds(one, columnOf(frame, one.field).values[at])) : known.every((one) => holds(one, columnOf(frame, one.field).values[at])));
    return picked(frame, Array.from({ length: rowsIn(frame) }, (_, at) => at).filter((at) => fits(at) !== exclude));
  }),
  sort: (frames, { by = [] }) => frames.map((frame) => picked(frame, rowOrder(frame, by))),
  limit: (frames, { count = 10 }) => frames.map((frame) => picked(frame, Array.from({ length: Math.min(count, rowsIn(frame)) }, (_, at) => at))),
  calculate: (frames, given) => {
    // Series have one column each: a calculation over several of them needs them side by side.
    const apart = frames.length > 1 && frames.every((frame) => frame.columns.length === 2 && frame.columns[0].type === "time");
    return (apart ? [joinedByTime(frames)] : frames).map((frame) => calculated(frame, given));
  },
  group_by: (frames, { fields = [] }) => frames.map((frame) => grouped(frame, fields)),
  join,
  labels_as_columns: labelColumns,
  rename: (frames, { regex = "", replacement = "" }) => {
    const found = pattern(regex);
    return found && regex ? each(frames, (columns) => columns.map((one) => (one.type === "time" ? one : { ...one, name: one.name.replace(found, replacement.replace(/\$\{(\d+)\}/g, "$$$1")) }))) : frames;
  },
  series_as_rows: (frames) => {
    const rows = frames.flatMap((frame) => {
      const time = frame.columns.find((one) => one.type === "time");
      return frame.columns.filter((one) => one !== time).flatMap((one) => one.values.map((value, at) => [time?.values[at] ?? null, one.name, value]));
    }).sort((a, b) => b[0] - a[0]);
    return [{ ref: frames[0]?.ref ?? "", columns: [{ name: "Time", type: "time", values: rows.map((one) => one[0]) }, { name: "Metric", type: "string", values: rows.map((one) => one[1]) }, { name: "Value", type: "number", values: rows.map((one) => one[2]) }] }];
  },
};

/** @param {Frame[]} frames @param {any[]} [transformations] @returns {Frame[]} */
export function transformed(frames, transformations = []) {
  return transformations.reduce((found, one) => (BY_TYPE[one.type] ? BY_TYPE[one.type](found, one) : found), frames);
}
export const TRANSFORMATIONS = Object.keys(BY_TYPE);
