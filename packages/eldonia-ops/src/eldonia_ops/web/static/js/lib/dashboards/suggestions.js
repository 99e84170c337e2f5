// Panels for metrics that exist, by their names and the habits of Prometheus: counters as rates, histograms as quantiles.

import { t } from "../i18n.js";
import { isInternal } from "../metric_names.js";

/** @typedef {{key: string, title: string, group: string, panel: any}} Suggestion */

const title = (name) => { const text = name.replace(/_(?:total|bucket|seconds|bytes|ratio|percent|info)\b/g, "").replace(/_/g, " ").trim(); return text ? text[0].toUpperCase() + text.slice(1) : name; };
const unitOf = (name) => (/_bytes(?:_|$)/.test(name) ? "bytes" : /_seconds(?:_|$)/.test(name) ? "s" : /_milliseconds(?:_|$)|_ms$/.test(name) ? "ms" : /_ratio$/.test(name) ? "ratio" : /_percent(?:age)?$/.test(name) ? "percent" : /_celsius$/.test(name) ? "celsius" : "");
const query = (expr, legend = "") => [{ ref: "A", language: "promql", expr, legend }];
const rateUnit = (name) => ({ bytes: "bytes/s", s: "ratio" })[unitOf(name)] ?? (/request|http/.test(name) ? "req/s" : /row|tuple|tup_/.test(name) ? "rows/s" : "count/s");

/** @param {string[]} names of metrics @returns {Suggestion[]} in the order of groups and titles */
export function suggestions(names) {
  const known = new Set(names);
  const found = [];
  for (const name of names) {
    const group = name.split("_")[0];
    const add = (key, panel) => found.push({ key: `${name}:${key}`, group, title: panel.title, panel });
    if (name.endsWith("_bucket")) {
      const base = name.slice(0, -7);
      const unit = unitOf(base);
      add("p95", { type: "timeseries", title: `${title(base)} p50 / p95 / p99`, unit, queries: [0.5, 0.95, 0.99].map((part, at) => ({ ref: "ABC"[at], language: "promql", expr: `histogram_quantile(${part}, sum by (le) (rate(${name}[$__rate_interval])))`, legend: `p${part * 100}` })) });
      add("heat", { type: "heatmap", title: `${title(base)}`, unit, queries: [{ ref: "A", language: "promql", format: "heatmap", expr: `sum by (le) (rate(${name}[$__rate_interval]))` }] });
      continue;
    }
    if (/_(?:sum|count)$/.test(name) && known.has(name.replace(/_(?:sum|count)$/, "_bucket"))) continue;
    if (name.endsWith("_count") && known.has(name.replace(/_count$/, "_sum"))) continue;
    if (/_(?:created|info)$/.test(name)) continue;
    if (name === "up") { add("up", { type: "state_timeline", title: "Targets up", queries: query("up", "{{job}} {{instance}}"), mappings: [{ value: "1", text: t("units.word.up_down.1"), color: "green" }, { value: "0", text: t("units.word.up_down.0"), color: "red" }] }); continue; }
    if (name.endsWith("_total") || /_(?:count|sum)$/.test(name)) add("rate", { type: "timeseries", title: `${title(name)} rate`, unit: rateUnit(name), options: { fill: 10 }, queries: query(`sum by (job) (rate(${name}[$__rate_interval]))`, "{{job}}") });
    else if (/_timestamp(?:_seconds)?$|_time_seconds$/.test(name) && /start|last|boot|expir/.test(name)) add("since", { type: "stat", title: title(name), unit: "duration", queries: query(`time() - ${name}`, "{{instance}}") });
    else add("value", { type: "timeseries", title: title(name), unit: unitOf(name), queries: query(name, "") });
  }
  return found.sort((a, b) => Number(isInternal(a.key)) - Number(isInternal(b.key)) || a.group.localeCompare(b.group) || a.title.localeCompare(b.title));
}
