// PromQL that is put together by clicks, and what can be seen of a query without evaluating it.

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400];
const KEYWORDS = new Set(["by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool", "and", "or", "unless", "atan2", "inf", "nan", "start", "end", "anchored", "smoothed", "fill", "fill_left", "fill_right"]);
const RATES = /\b(rate|irate|deriv)\s*\(/;

export const quoted = (value) => `"${value.replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n")}"`;
const PLAIN = /^[a-zA-Z_:][\w:]*$/;
const PLAIN_LABEL = /^[a-zA-Z_]\w*$/;

/** The step in seconds for so many points, one of a few round ones. */
export function autoStep([start, end], points) {
  const least = (end - start) / 1000 / Math.max(1, points);
  return STEPS.find((step) => step >= least) ?? Math.ceil(least / 86_400) * 86_400;
}

const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** A step as people write it (15s, 1m30s, 0.5) in seconds; null where it is none. @param {string} text */
export function stepSeconds(text) {
  const wanted = text.trim();
  if (/^\d+(\.\d+)?$/.test(wanted)) return Number(wanted) > 0 ? Number(wanted) : null;
  if (!/^(\d+(ms|[smhdw]))+$/.test(wanted)) return null;
  let total = 0;
  for (const [, count, unit] of wanted.matchAll(/(\d+)(ms|[smhdw])/g)) total += Number(count) * SECONDS[unit];
  return total > 0 ? total : null;
}

/** A selector. @param {string} metric @param {{name: string, op?: string, value: string}[]} matchers */
export function selector(metric, matchers = []) {
  const odd = !PLAIN.test(metric);
  const label = (name) => (PLAIN_LABEL.test(name) ? name : quoted(name));
  const inside = [odd && metric ? quoted(metric) : "", ...matchers.map((one) => `${label(one.name)}${one.op ?? "="}${quoted(one.value)}`)].filter(Boolean);
  return `${odd ? "" : metric}${inside.length ? `{${inside.join(",")}}` : ""}`;
}

// The type that a series has, from its metadata and, without any, from its name.
export function typeOf(name, metadata) {
  if (name.endsWith("_bucket")) return "bucket";
  if (metadata?.type && !["unknown", "untyped"].includes(metadata.type)) return metadata.type === "counter" && /_bucket$/.test(name) ? "bucket" : metadata.type;
  return /_(total|count|sum)$/.test(name) ? "counter" : "gauge";
}

/**
 * What is usually asked of a metric of this type: keys of texts (explore.op_…) and what makes the query of a selector.
 * @param {string} type
 * @returns {{key: string, make: (selector: string) => string}[]}
 */
export function operations(type) {
  const quantile = (share) => (one) => `histogram_quantile(${share}, sum by (le) (rate(${one}[5m])))`;
  switch (type) {
    case "bucket": return [
      { key: "p50", make: quantile("0.5") }, { key: "p95", make: quantile("0.95") }, { key: "p99", make: quantile("0.99") },
      { key: "count_rate", make: (one) => `sum(rate(${one.replace(/_bucket\b/, "_count")}[5m]))` },
      { key: "mean", make: (one) => `sum(rate(${one.replace(/_bucket\b/, "_sum")}[5m])) / sum(rate(${one.replace(/_bucket\b/, "_count")}[5m]))` },
    ];
    case "histogram": return [
      { key: "p50", make: (one) => `histogram_quantile(0.5, sum(rate(${one}[5m])))` }, { key: "p95", make: (one) => `histogram_quantile(0.95, sum(rate(${one}[5m])))` },
      { key: "p99", make: (one) => `histogram_quantile(0.99, sum(rate(${one}[5m])))` }, { key: "count_rate", make: (one) => `sum(histogram_count(rate(${one}[5m])))` },
    ];
    case "counter": return [
      { key: "rate", make: (one) => `rate(${one}[5m])` }, { key: "sum_rate", make: (one) => `sum(rate(${one}[5m]))` },
      { key: "increase", make: (one) => `increase(${one}[1h])` }, { key: "topk", make: (one) => `topk(5, rate(${one}[5m]))` },
      { key: "week_ago", make: (one) => `sum(rate(${one}[5m])) / sum(rate(${one}[5m] offset 1w))` },
    ];
    default: return [
      { key: "plain", make: (one) => one }, { key: "avg", make: (one) => `avg(${one})` }, { key: "max", make: (one) => `max(${one})` },
      { key: "avg_over_time", make: (one) => `avg_over_time(${one}[5m])` }, { key: "delta", make: (one) => `delta(${one}[1h])` },
      { key: "predict", make: (one) => `predict_linear(${one}[1h], 4 * 3600)` },
    ];
  }
}

/** What can be done to any query. @type {{key: string, make: (query: string) => string}[]} */
export const WRAPPERS = [
  { key: "sum", make: (one) => `sum(${one})` },
  { key: "sum_by", make: (one) => `sum by (job) (${one})` },
  { key: "topk", make: (one) => `topk(5, ${one})` },
];

/** The names of metrics in a query, each once. @param {string} query @returns {string[]} */
export function metricNames(query) {
  const bare = query
    .replace(/#.*$/gm, " ")
    .replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g, '""')
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/gi, " ")
    .replace(/\{[^}]*\}/g, " ")
    .replace(/\[[^\]]*\]/g, " ")
    .replace(/\boffset\s+-?[\w.]+/gi, " ");
  const found = [...bare.matchAll(/(?<![\w.:])([a-zA-Z_:][\w:]*)(?!\s*\()(?![\w:])/g)].map(([, name]) => name).filter((name) => !KEYWORDS.has(name.toLowerCase()));
  return [...new Set(found)];
}

/**
 * The unit of a query's values, one that `quantity` can format: from the metadata of its only metric, and its name.
 * @param {string} query
 * @param {(name: string) => {type: string, unit: string} | null} metadata
 */
export function unitOf(query, metadata) {
  const names = metricNames(query);
  if (names.length !== 1 || /[^!<>=]\/|\*|\^|%/.test(query.replace(/"(?:[^"\\]|\\.)*"|\{[^}]*\}/g, ""))) return "count";
  if (/\b(count|count_over_time|changes|resets|absent|group|histogram_count|timestamp|count_values)\s*(by|without)?\s*\(/.test(query)) return "count";
  const [name] = names;
  const about = metadata(name);
  const parts = name.replace(/_(total|sum|bucket)$/, "").split("_");
  const unit = about?.unit || (name.endsWith("_count") ? "" : parts.at(-1));
  const counts = name.endsWith("_bucket") && !/histogram_quantile/.test(query);
  if (counts) return RATES.test(query) ? "per_second" : "count";
  if (unit === "bytes") return RATES.test(query) ? "bytes_per_second" : "bytes";
  if (unit === "seconds") return RATES.test(query) && !/histogram_(quantile|avg)/.test(query) ? "count" : "seconds";
  if (unit === "ratio") return "count";
  return RATES.test(query) ? "per_second" : "count";
}

/** Names of series for a legend: of labels that all have with one value, only the metric is said. */
export function seriesNames(labelSets) {
  if (!labelSets.length) return [];
  const all = [...new Set(labelSets.flatMap((labels) => Object.keys(labels)))];
  const differ = labelSets.length === 1 ? all : all.filter((name) => new Set(labelSets.map((labels) => labels[name])).size > 1);
  const same = new Set(labelSets.map((labels) => labels.__name__ ?? "")).size === 1;
  return labelSets.map((labels) => {
    const shown = differ.filter((name) => name !== "__name__" && name in labels);
    const braces = shown.length ? `{${shown.map((name) => `${name}=${quoted(labels[name])}`).join(", ")}}` : "";
    return `${same && shown.length ? "" : (labels.__name__ ?? "")}${braces}`;
  });
}

/** The whole name of a series. */
export function fullName(labels) {
  const { __name__: name = "", ...others } = labels;
  return selector(name, Object.entries(others).map(([label, value]) => ({ name: label, value }))) || "{}";
}

// A cell that a spreadsheet takes for a formula is text: labels are what strangers write.
const cell = (value) => {
  const textOf = String(value);
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(textOf) ? `'${textOf}` : textOf;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** @param {(string | number)[][]} rows */
export const csv = (rows) => `${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;

/** A result as a table of labels and, for each instant, the values. @param {{query: string, labels: Record<string, string>, points: [number, any][]}[]} series */
export function csvRows(series) {
  const names = [...new Set(series.flatMap((one) => Object.keys(one.labels)))].sort();
  const times = [...new Set(series.flatMap((one) => one.points.map(([at]) => at)))].sort((a, b) => a - b);
  const head = ["query", ...names, ...times.map((at) => new Date(at).toISOString())];
  return [head, ...series.map((one) => {
    const known = new Map(one.points);
    return [one.query, ...names.map((name) => one.labels[name] ?? ""), ...times.map((at) => { const value = known.get(at); return typeof value === "number" ? value : (value ?? ""); })];
  })];
}
