import { get } from "../lib/api.js";
import { $, h } from "../lib/dom.js";
import { ago, digits, duration, exactly, percent } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { poll } from "../lib/poll.js";
import { timeRange } from "../lib/range.js";
import { byLabel, red } from "../lib/red_queries.js";
import { sorted } from "../lib/result_table.js";
import { palette } from "../lib/services.js";
import { sparkline } from "../lib/sparkline.js";

const POINTS = 40;
const SEEN_MS = 30 * 86_400_000;
const COLUMNS = ["name", "rate", "errors", "p95", "trend", "since"];
const form = $("#filters");
let services = [];
let sort = { column: "name", descending: false };
const range = timeRange(() => load().catch(() => {}), { preset: "1h" });
form.elements.name.value = new URLSearchParams(location.search).get("name") ?? "";

function head() {
  $("#head").replaceChildren(...COLUMNS.map((column) => {
    const on = sort.column === column;
    const by = () => { sort = { column, descending: on ? !sort.descending : column !== "name" }; draw(); };
    const number = ["rate", "errors", "p95"].includes(column);
    return h("th", { scope: "col", class: number ? "num" : "", "aria-sort": on ? (sort.descending ? "descending" : "ascending") : "none" },
      column === "trend" ? t("services.trend") : h("button", { type: "button", class: "sort", onclick: by }, t(`services.${column}`), on ? (sort.descending ? " ↓" : " ↑") : ""));
  }));
}

function row(one, colour) {
  const tone = one.errors === null ? "" : one.errors >= 5 ? "bad" : one.errors >= 1 ? "warn" : "";
  const cell = (key, text, more = "") => h("td", { class: `num ${more}`, "data-label": t(`services.${key}`) }, text);
  return h("tr", {},
    h("td", { "data-label": t("services.name") }, h("a", { class: `service-dot ${colour(one.name)}`, href: `/services/${encodeURIComponent(one.name)}${location.search}` }, h("i"), h("span", {}, one.name))),
    cell("rate", one.rate === null ? "–" : `${digits(one.rate)}/s`), cell("errors", one.errors === null ? "–" : percent(one.errors / 100), tone), cell("p95", one.p95 === null ? "–" : duration(one.p95 * 1000)),
    h("td", { "data-label": t("services.trend") }, one.trend.length ? sparkline(one.trend, t("services.trend_of", { name: one.name })) : ""),
    h("td", { "data-label": t("services.since") }, one.since ? h("time", { datetime: new Date(one.since).toISOString(), title: exactly(one.since) }, ago(one.since)) : "–"));
}

function draw() {
  head();
  const wanted = form.elements.name.value.trim().toLowerCase();
  const found = sorted(services.filter((one) => one.name.toLowerCase().includes(wanted)), (one) => one[sort.column], sort.descending);
  const colour = palette(services.map((one) => one.name));
  $("#rows").replaceChildren(...found.map((one) => row(one, colour)));
  $("#empty").hidden = services.length > 0;
  $("#total").textContent = t("services.total", { n: found.length });
  $("#note").hidden = !services.length || services.some((one) => one.rate !== null);
}

async function load() {
  const [start, end] = range.bounds;
  const seconds = Math.max(60, Math.round((end - start) / 1000));
  const step = Math.max(15, Math.ceil(seconds / POINTS));
  const by = ["service_name"];
  const whole = red({ by, window: `${seconds}s` });
  const trend = red({ by, window: `${Math.max(60, step * 2)}s` });
  const at = { time: Math.round(end) };
  const known = (from, every) => get("/query_range", { query: "group by (service_name) (traces_span_metrics_calls_total)", start: Math.round(end - from), end: Math.round(end), step: every });
  const [names, rate, errors, p95, line, ...seen] = await Promise.all([
    get("/traces/services"),
    get("/query", { query: whole.rate, ...at }), get("/query", { query: whole.errors, ...at }), get("/query", { query: whole.quantile(0.95), ...at }),
    get("/query_range", { query: trend.rate, start: Math.round(start), end: Math.round(end), step }),
    known(SEEN_MS, 21_600), known(86_400_000, 300),
  ]);
  const [rates, failures, quantiles] = [rate, errors, p95].map((found) => byLabel(found, "service_name"));
  const lines = new Map(line.series.map((one) => [one.labels.service_name ?? "", new Map(one.points)]));
  const since = new Map();
  for (const one of seen.flatMap((found) => found.series)) {
    const name = one.labels.service_name ?? "";
    since.set(name, Math.min(since.get(name) ?? Infinity, one.points[0][0]));
  }
  const times = [...new Set(line.series.flatMap((one) => one.points.map(([when]) => when)))].sort((a, b) => a - b);
  services = [...new Set([...names, ...rates.keys()])].filter(Boolean).map((name) => ({
    name,
    rate: rates.get(name) ?? null, errors: failures.get(name) ?? null, p95: quantiles.get(name) ?? null,
    trend: lines.has(name) ? times.map((when) => { const value = lines.get(name).get(when); return typeof value === "number" ? value : null; }) : [],
    since: since.get(name) ?? null,
  }));
  draw();
}

form.addEventListener("input", draw);
form.addEventListener("submit", (event) => event.preventDefault());
head();
poll(async () => { if (range.live || !services.length) await load(); }, 15_000);
document.addEventListener("retry", () => load().catch(() => {}));
