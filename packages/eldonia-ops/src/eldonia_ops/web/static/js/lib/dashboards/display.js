// How values are shown: settings of one series or column (the panel's, then those of overrides), mappings, thresholds, colours.
import { language } from "../i18n.js";
import { faded, heatRamp, isLight, namedColour, places, seriesColour, seriesDash, variable } from "../palette.js";
import { inUnit } from "../units.js";
import { reduce } from "./reduce.js";

/** A text of a document in the page's language. @param {any} text */
export const words = (text) => (text && typeof text === "object" ? (language === "ja" && text.ja) || text.en : (text ?? ""));

/** A part of a regular expression that a document holds; one that is not valid matches nothing. */
const compiled = new Map();
export function pattern(source) {
  if (!compiled.has(source)) {
    let found = null;
    try {
      const [, body, flags] = /^\/(.*)\/([a-z]*)$/s.exec(source) ?? [null, source, ""];
      found = new RegExp(body, flags.replace(/[gy]/g, ""));
    } catch { /* a pattern of another dialect */ }
    compiled.set(source, found);
    if (compiled.size > 2000) compiled.delete(compiled.keys().next().value);
  }
  return compiled.get(source);
}

/** @typedef {{name: string, ref?: string, type?: string, labels?: Record<string, string>, values?: any[]}} Field */

export function matches(match, /** @type {Field} */ field) {
  let found = false;
  if (match.name !== undefined && match.name !== null) found = field.name === match.name;
  else if (match.names) found = match.names.includes(field.name);
  else if (match.regex !== undefined && match.regex !== null) found = Boolean(pattern(match.regex)?.test(field.name));
  else if (match.ref !== undefined && match.ref !== null) found = field.ref === match.ref;
  else if (match.type) found = (field.type ?? "number") === match.type;
  return match.exclude ? !found : found;
}

const FIELD_KEYS = ["unit", "decimals", "min", "max", "no_value", "thresholds", "mappings", "color", "display_name"];
/**
 * What counts for one series or column: the panel's settings with those of its overrides, later ones first.
 * @param {any} panel @param {Field} field @returns {any}
 */
export function settingsOf(panel, field) {
  const settings = { ...panel.options, links: panel.value_links };
  for (const key of FIELD_KEYS) settings[key] = panel[key];
  for (const { match, set } of panel.overrides ?? []) {
    if (matches(match, field)) for (const [key, value] of Object.entries(set ?? {})) if (value !== null && value !== undefined) settings[key] = value;
  }
  return settings;
}

/** The name of a series: what an override or the panel calls it, with its labels filled in. */
export function nameOf(settings, field) {
  const given = words(settings.display_name);
  if (!given) return field.name;
  return given.replace(/\$\{__field\.labels\.([^}]+)\}|\{\{\s*([\w.]+)\s*\}\}|\$\{__field\.(?:displayName|name)\}|\$\{__series\.name\}/g, (_, a, b) => (a || b ? (field.labels?.[a || b] ?? "") : field.name));
}

// --- mappings ---
function mappingFits(mapping, value) {
  if (mapping.special) {
    const nothing = value === null || value === undefined;
    const nan = typeof value === "number" && Number.isNaN(value);
    switch (mapping.special) {
      case "null": return nothing;
      case "nan": return nan;
      case "null_or_nan": return nothing || nan;
      case "true": return value === true || value === "true";
      case "false": return value === false || value === "false";
      default: return value === "";
    }
  }
  if (value === null || value === undefined) return false;
  if (mapping.value !== undefined && mapping.value !== null) return String(value) === mapping.value || (mapping.value.trim() !== "" && Number(mapping.value) === Number(value));
  if (mapping.range) {
    const number = Number(value);
    return !Number.isNaN(number) && number >= (mapping.range.from ?? -Infinity) && number <= (mapping.range.to ?? Infinity);
  }
  return mapping.regex !== undefined && mapping.regex !== null && Boolean(pattern(mapping.regex)?.test(String(value)));
}
/** The mapping that a value has, if any; its text with the groups of its pattern filled in. */
export function mapped(value, mappings) {
  const found = mappings?.find((one) => mappingFits(one, value));
  if (!found) return null;
  let text = words(found.text);
  if (found.regex && text) text = text.replace(/\$(\d)/g, (_, group) => pattern(found.regex).exec(String(value))?.[Number(group)] ?? "");
  return { text, colour: namedColour(found.color) };
}

// --- thresholds ---
/** Steps as [from value, colour]; percentages become values between the bounds. */
export function steps(settings, [low, high] = [settings.min ?? 0, settings.max ?? 100]) {
  const { mode = "absolute", steps: given = [] } = settings.thresholds ?? {};
  const of = (value) => (mode === "percentage" ? low + ((high - low) * value) / 100 : value);
  return given.map(({ value, color }) => [value === null || value === undefined ? -Infinity : of(value), namedColour(color ?? "green", variable("--ok"))]).sort((a, b) => a[0] - b[0]);
}
export const thresholdColour = (value, all) => (value === null || value === undefined || Number.isNaN(value) ? "" : (all.findLast(([from]) => value >= from)?.[1] ?? all[0]?.[1] ?? ""));

// --- colours of series ---
const SCHEMES = {
  green_yellow_red: ["green", "yellow", "red"], red_yellow_green: ["red", "yellow", "green"], blue_yellow_red: ["blue", "yellow", "red"], yellow_red: ["yellow", "red"],
  blue_purple: ["blue", "purple"], yellow_blue: ["yellow", "blue"], blues: ["super-light-blue", "dark-blue"], reds: ["super-light-red", "dark-red"],
  greens: ["super-light-green", "dark-green"], purples: ["super-light-purple", "dark-purple"],
};
function onScale(scheme, part) {
  const stops = SCHEMES[scheme] ?? SCHEMES.green_yellow_red;
  const exact = Math.min(1, Math.max(0, part)) * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(exact));
  const read = (name) => namedColour(name).match(/[0-9a-f]{2}/gi).map((one) => Number.parseInt(one, 16));
  const [a, b] = [read(stops[low]), read(stops[low + 1])];
  return `rgb(${a.map((value, at) => Math.round(value + (b[at] - value) * (exact - low))).join(",")})`;
}

/** The colour of one value: its mapping's, else what the colour mode says. @returns {string} */
export function valueColour(value, settings, bounds, otherwise = "") {
  const mapping = mapped(value, settings.mappings);
  if (mapping?.colour) return mapping.colour;
  const { mode = "auto", color = "", scheme } = settings.color ?? {};
  if (mode === "fixed" || mode === "shades") return namedColour(color, otherwise);
  if (mode === "palette" || mode === "name") return otherwise;
  const [low, high] = bounds ?? [settings.min ?? 0, settings.max ?? 100];
  if (mode === "scale" && typeof value === "number") return onScale(scheme, high > low ? (value - low) / (high - low) : 0);
  if (settings.thresholds?.steps?.length) return thresholdColour(Number(value), steps(settings, [low, high])) || otherwise;
  return otherwise;
}

/**
 * Colour and stroke of every series of a chart. They follow from names, so that a series looks the same in every panel and
 * after every refresh; settings may say another colour.
 * @param {(Field & {settings: any, values: any[]})[]} series
 */
export function coloursOf(series) {
  // Two of one name are two: of two queries, for example.
  const many = new Map();
  const names = series.map(({ name }) => { const before = many.get(name) ?? 0; many.set(name, before + 1); return before ? `${name} ${before + 1}` : name; });
  const free = places(names);
  return series.map((one, at) => {
    const level = levelOf(one.labels);
    const place = free.get(names[at]) ?? at;
    const own = { colour: seriesColour(place), dash: seriesDash(place) };
    const { mode = "palette", color = "", by = "last" } = one.settings.color ?? {};
    if (mode === "fixed") return { colour: namedColour(color, own.colour), dash: [] };
    if (mode === "shades") return { colour: faded(namedColour(color, own.colour), 1 - 0.65 * (at / Math.max(1, series.length))), dash: [] };
    if (mode === "thresholds" || mode === "scale") {
      const value = reduce(by, one.values);
      const bounds = [one.settings.min ?? reduce("min", one.values) ?? 0, one.settings.max ?? reduce("max", one.values) ?? 1];
      return { colour: valueColour(value, one.settings, bounds, own.colour) || own.colour, dash: own.dash };
    }
    return level ? { colour: variable(`--level-${level}`), dash: [] } : own;
  });
}

// Levels of logs have the colours that they have on the page of logs.
const LEVELS = ["error", "warn", "info", "debug"];
const levelOf = (labels) => (labels && Object.keys(labels).length === 1 && LEVELS.includes(labels.level) ? labels.level : "");

/** The colour of a single value whose settings ask for that of its series, else another. */
export const ownColour = ({ name, settings }, otherwise) => (["palette", "name"].includes(settings.color?.mode) ? seriesColour(places([name]).get(name)) : otherwise);

/**
 * A value as text and colour.
 * @param {any} value @param {any} settings
 * @param {{bounds?: [number, number], otherwise?: string, unit?: string, decimals?: number | null}} [options]
 */
export function shown(value, settings, { bounds, otherwise = "", unit = settings.unit, decimals = settings.decimals } = {}) {
  const mapping = mapped(value, settings.mappings);
  const empty = value === null || value === undefined || value === "";
  const text = mapping?.text || (empty ? words(settings.no_value) || "–" : inUnit(value, unit, { decimals: decimals ?? null }));
  return { text, colour: valueColour(value, settings, bounds, otherwise) };
}

/** The ramp of a heat map by the scheme that its document names. */
export function heatColours(scheme = "", reverse = false) {
  const name = scheme.toLowerCase();
  const ramp = heatRamp(name.includes("green") ? "green" : name.includes("orange") || name.includes("yl") ? "orange" : /magma|inferno|plasma|spectral|turbo|red/.test(name) ? "magma" : "blue", isLight());
  return reverse ? ramp.toReversed() : ramp;
}
