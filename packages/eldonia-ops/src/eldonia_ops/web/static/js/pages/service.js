import { get } from "../lib/api.js";
import { lineChart } from "../lib/chart.js";
import { $, $$, badge, h } from "../lib/dom.js";
import { exploreLink } from "../lib/explore_state.js";
import { clockMs, digits, duration, exactly, integer, nsToMs, percent } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { incidentRow } from "../lib/incidents.js";
import { filled } from "../lib/metrics_pane.js";
import { poll } from "../lib/poll.js";
import { term } from "../lib/search_terms.js";
import { timeRange } from "../lib/range.js";
import { byLabel, red, windowOf } from "../lib/red_queries.js";
import { sorted } from "../lib/result_table.js";
import { palette } from "../lib/services.js";
import { traceRow } from "../lib/trace_rows.js";

const POINTS = 120;
const SHOWN = 10;
const OPERATIONS = ["operation", "rate", "errors", "p95"];
const service = $("#service").dataset.service;
let which = "longest";
let sort = { column: "rate", descending: true };
let operations = [];
let loaded = false;
const range = timeRange(() => load().catch(() => {}), { preset: "1h" });
const unit = { rate: "per_second", errors: "percent", duration: "seconds" };
const panels = Object.fromEntries($$("[data-panel]").map((element) => {
  const key = element.dataset.panel;
  const chart = lineChart($(".plot", element), $(".legend", element), { unit: unit[key], least: key === "errors" ? 5 : 0, sync: "service", onSelect: (start, end) => { if (!range.fixed || Math.abs(range.bounds[0] - start) > 1) range.narrow(start, end); } });
  return [key, { element, chart }];
}));

const numbers = (points) => points.map(([at, value]) => [at, typeof value === "number" ? value : null]);

/** The lines of a chart: queries by their names, asked for `count` steps up to `end`, in ms; those without a number are left out. */
async function linesUntil(end, count, step, queries) {
  const start = end - (count - 1) * step;
  const found = await Promise.all(queries.map(([name, query]) => get("/query_range", { query, start, end, step: step / 1000 }).then((answer) => ({ name, points: numbers(answer.series[0]?.points ?? []) }))));
  return found.filter((one) => one.points.some(([, value]) => value !== null)).map((one) => ({ name: one.name, points: filled(one.points, [start, end], step / 1000, start) }));
}

async function drawPanel(key, queries, bounds, step) {
  const count = Math.max(1, Math.floor((bounds[1] - bounds[0]) / step));
  let lines = await linesUntil(Math.floor(bounds[1] / step) * step, count, step, queries);
  // A service whose first spans came just now has nothing at a multiple of the step yet: its points end where the range ends.
  if (!lines.length) lines = await linesUntil(bounds[1], count, step, queries);
  const { element, chart } = panels[key];
  $(".plot", element).hidden = $(".legend", element).hidden = !lines.length;
  $(".plot-note", element).hidden = lines.length > 0;
  if (lines.length) chart.update(lines, bounds);
}

function drawOperations() {
  $("#operations-head").replaceChildren(...OPERATIONS.map((column) => {
    const on = sort.column === column;
    const by = () => { sort = { column, descending: on ? !sort.descending : column !== "operation" }; drawOperations(); };
    return h("th", { scope: "col", class: column === "operation" ? "" : "num", "aria-sort": on ? (sort.descending ? "descending" : "ascending") : "none" }, h("button", { type: "button", class: "sort", onclick: by }, t(`services.${column}`), on ? (sort.descending ? " ↓" : " ↑") : ""));
  }));
  const [from, to] = range.bounds.map(Math.round);
  const cell = (key, text, more = "") => h("td", { class: `num ${more}`, "data-label": t(`services.${key}`) }, text);
  $("#operations").replaceChildren(...sorted(operations, (one) => one[sort.column], sort.descending).map((one) => {
    const { rate, errors, quantile } = red({ service, operation: one.operation });
    return h("tr", {},
      h("td", { "data-label": t("services.operation") }, h("span", {}, h("span", { class: "mono" }, one.operation), h("span", { class: "links" },
        h("a", { href: `/traces?${new URLSearchParams({ service, operation: one.operation, from: String(from), to: String(to) })}` }, t("services.its_traces")),
        h("a", { href: exploreLink([rate, errors, quantile(0.95)], [from, to]) }, t("services.its_metrics"))))),
      cell("rate", `${digits(one.rate)}/s`), cell("errors", one.errors === null ? "–" : percent(one.errors / 100), one.errors >= 5 ? "bad" : one.errors >= 1 ? "warn" : ""), cell("p95", one.p95 === null ? "–" : duration(one.p95 * 1000)));
  }));
  $("#operations-empty").hidden = operations.length > 0;
}

function drawCalls(calls) {
  const side = (key, found, other) => h("div", {}, h("h3", {}, t(`services.${key}`)), found.length
    ? h("ul", {}, found.map((one) => h("li", {}, h("a", { href: `/services/${encodeURIComponent(one[other])}` }, one[other] || "–"), h("span", { class: "num" }, t("services.calls", { n: integer(one.count) }), one.errors ? [" ", badge(percent(one.errors / one.count), "bad")] : null))))
    : h("p", { class: "muted small" }, t(`services.no_${key}`)));
  $("#calls").replaceChildren(side("callers", calls.filter((one) => one.callee === service), "caller"), side("callees", calls.filter((one) => one.caller === service), "callee"));
}

async function drawTraces(bounds, serviceClass) {
  const [since, until] = bounds;
  const found = await get("/traces", { service, since, until, limit: SHOWN, sort: which === "longest" ? "longest" : "newest", errors: which === "failed" ? "true" : "" });
  const longest = Math.max(1, ...found.map((one) => one.duration_ns));
  $("#traces").replaceChildren(...found.map((one) => traceRow(one, longest, serviceClass)));
  $("#traces-empty").hidden = found.length > 0;
  const link = new URLSearchParams({ service, sort: which === "longest" ? "longest" : "newest", from: String(since), to: String(until) });
  if (which === "failed") link.set("errors", "true");
  $("#all-traces").href = `/traces?${link}`;
}

async function drawLogs([since, until]) {
  const query = `${term("service", service)} level>=warn`;
  const found = await get("/logs", { query, since, until, limit: SHOWN });
  $("#logs").replaceChildren(...found.records.map((record) => {
    const ms = nsToMs(record.timestampNs);
    return h("li", { class: `is-${record.level}` }, h("time", { datetime: new Date(ms).toISOString(), title: exactly(ms) }, clockMs(ms)), h("span", { class: `lv-${record.level}` }, record.level), h("span", { class: "text" }, record.message, record.traceId ? [" ", h("a", { href: `/traces/${record.traceId}` }, t("logs.trace"))] : null));
  }));
  $("#logs-empty").hidden = found.records.length > 0;
  $("#all-logs").href = `/logs?${new URLSearchParams({ query: term("service", service), from: String(since), to: String(until) })}`;
}

async function drawTrouble() {
  const [incidents, alerts] = await Promise.all([get("/incidents", { service, status: ["open", "investigating", "escalated"] }), get("/alerts")]);
  const own = alerts.filter((one) => [one.labels.service, one.labels.job, one.labels.service_name].includes(service) && one.state !== "resolved");
  const box = $("#incidents");
  box.hidden = !incidents.length && !own.length;
  box.replaceChildren(...incidents.map(incidentRow), ...own.filter((one) => !incidents.some((incident) => incident.id === one.incident_id)).map((one) => h("p", { class: `alert-card ${one.labels.severity === "critical" ? "bad" : "warn"}` }, h("a", { href: `/alerts?name=${encodeURIComponent(one.labels.alertname)}` }, one.labels.alertname), " ", one.annotations?.summary ?? "")));
}

async function load() {
  const bounds = /** @type {[number, number]} */ (range.bounds.map(Math.round));
  const step = Math.max(15_000, Math.ceil((bounds[1] - bounds[0]) / POINTS / 1000) * 1000);
  const { rate, errors, quantile } = red({ service, window: windowOf(step) });
  $("#explore").href = exploreLink([rate, errors, quantile(0.95)], bounds);
  const seconds = Math.max(60, Math.round((bounds[1] - bounds[0]) / 1000));
  const each = red({ service, by: ["span_name"], window: `${seconds}s` });
  const at = { time: bounds[1] };
  const names = get("/traces/services").catch(() => []);
  const outcomes = await Promise.allSettled([
    drawPanel("rate", [[t("services.rate"), rate]], bounds, step),
    drawPanel("errors", [[t("services.errors"), errors]], bounds, step),
    drawPanel("duration", [["p50", quantile(0.5)], ["p95", quantile(0.95)], ["p99", quantile(0.99)]], bounds, step),
    Promise.all([get("/query", { query: each.rate, ...at }), get("/query", { query: each.errors, ...at }), get("/query", { query: each.quantile(0.95), ...at })]).then((found) => {
      const [rates, failures, slow] = found.map((one) => byLabel(one, "span_name"));
      operations = [...rates].map(([operation, value]) => ({ operation, rate: value, errors: failures.get(operation) ?? null, p95: slow.get(operation) ?? null }));
      drawOperations();
    }),
    get("/traces/calls", { service, since: bounds[0], until: bounds[1] }).then(drawCalls),
    names.then((known) => drawTraces(bounds, palette(known))),
    drawLogs(bounds),
    drawTrouble(),
  ]);
  loaded = true;
  const unexpected = outcomes.find((one) => one.status === "rejected" && !one.reason.status && !(one.reason instanceof TypeError));
  if (unexpected?.status === "rejected") throw unexpected.reason;
}

for (const button of $$("#which button")) button.addEventListener("click", () => {
  which = button.dataset.which;
  for (const other of $$("#which button")) other.setAttribute("aria-pressed", String(other === button));
  load().catch(() => {});
});
poll(async () => { if (range.live || !loaded) await load(); }, 15_000);
document.addEventListener("retry", () => load().catch(() => {}));
