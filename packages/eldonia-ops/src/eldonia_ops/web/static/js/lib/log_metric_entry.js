// A metric made of logs between its form and the settings file: names, labels and buckets as texts. No page in here.
import { hasPipe, stripPipes, termsOf, wordsOf } from "./search_terms.js";

const SECONDS = ["ns", "us", "ms", "s", "min", "h"];
const LONGEST = 60;
const UNIT_NAMES = { "%": "ratio" };
const clean = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
const unitName = (unit) => (SECONDS.includes(unit) ? "seconds" : UNIT_NAMES[unit] ?? (unit && unit !== "none" ? "bytes" : ""));

/** A search as a metric takes it: without pipes. @param {string} search */
export const metricSearch = (search) => (hasPipe(search) ? stripPipes(search) : search).trim();

/**
 * A name that says what is counted, in Prometheus' way.
 * @param {{search: string, type: string, value: string, unit: string}} wanted
 */
export function suggestedName({ search, type, value, unit }) {
  const values = ["service", "level"].flatMap((field) => termsOf(search, field).filter((one) => !one.startsWith("-")).map((one) => one.slice(field.length + 1)));
  const words = [...values, ...wordsOf(search).slice(0, 2)].map(clean).filter(Boolean);
  const field = clean(value);
  const parts = [...words, ...(field ? [field] : [words.length ? "records" : "log_records"])];
  const suffix = field ? unitName(unit) : "";
  if (suffix && !field.endsWith(suffix)) parts.push(suffix);
  const start = parts.join("_").slice(0, LONGEST).replace(/_+$/, "");
  return `${/^\d/.test(start) ? "logs_" : ""}${start}${type === "counter" ? "_total" : ""}`;
}

/** Labels as the form shows them: `operation, how=user.plan`. @param {any} labels a list of fields, or label to field */
export function labelsText(labels) {
  if (Array.isArray(labels)) return labels.join(", ");
  return Object.entries(labels ?? {}).map(([label, field]) => (label === field ? field : `${label}=${field}`)).join(", ");
}

/** Labels as the file has them; undefined for none. @param {string} text */
export function labelsOf(text) {
  const given = text.split(/[,\n]/).map((one) => one.trim()).filter(Boolean);
  if (!given.length) return undefined;
  if (!given.some((one) => one.includes("="))) return given;
  return Object.fromEntries(given.map((one) => {
    const at = one.indexOf("=");
    return at < 0 ? [one.replace(/[^a-zA-Z0-9_]/g, "_"), one] : [one.slice(0, at).trim(), one.slice(at + 1).trim()];
  }));
}

/** The text of labels with a field more, or less where it is one of them. @param {string} text @param {string} field */
export function withLabel(text, field) {
  const given = text.split(",").map((one) => one.trim()).filter(Boolean);
  const others = given.filter((one) => one !== field && !one.endsWith(`=${field}`));
  return (others.length < given.length ? others : [...given, field]).join(", ");
}

// What is no number stays as it is written: the platform says what is wrong with it.
const bound = (text) => (Number.isFinite(Number(text)) ? Number(text) : text);

/** The entry of the settings: what is left out has its default. @param {Record<string, string>} form @param {any} before */
export function metricEntry(form, before = {}) {
  const { name, search, type, value, unit, labels, buckets, help, max_series: most } = Object.fromEntries(Object.entries(form).map(([key, text]) => [key, text.trim()]));
  const bounds = buckets.split(/[,\s]+/).filter(Boolean).map(bound);
  const wanted = {
    ...before, name, search, type: type === "counter" ? "" : type, value, unit: unit === "none" || !value ? "" : unit,
    labels: labelsOf(labels), buckets: type === "histogram" && bounds.length ? bounds : undefined, help, max_series: most ? bound(most) : undefined,
  };
  return Object.fromEntries(Object.entries(wanted).filter(([key, one]) => key === "name" || (one !== "" && one !== undefined)));
}
