import { get } from "../lib/api.js";
import { lineChart } from "../lib/chart.js";
import { $, h, render } from "../lib/dom.js";
import { exploreLink } from "../lib/explore_state.js";
import { digits, duration } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { poll } from "../lib/poll.js";
import { selector } from "../lib/promql_build.js";

const HISTORY_EVERY = 60_000;
// The share of bad events, fast and slow, and the share that is allowed.
const ratios = (name) => ["slo:error_ratio:rate5m", "slo:error_ratio:rate1h", "slo:objective:budget"].map((metric) => selector(metric, [{ name: "objective", value: name }]));
const places = (target) => Math.max(1, Math.min(5, String(+(target * 100).toFixed(6)).split(".")[1]?.length ?? 0) + 1);
const ratio = (value, digitsShown) => (value === null ? "–" : `${(value * 100).toFixed(digitsShown)} %`);
const charts = new Map(); // by the name of the objective: what draws its history, and when that was asked for

// A target of 99.9 % over 30 days allows 43 minutes in which nothing works: the budget as people feel it.
const asOutage = (one) => duration(Math.max(0, one.budget_remaining) * (1 - one.target) * one.window_seconds * 1000);

function card(one) {
  const left = one.budget_remaining;
  const tone = left === null ? "" : left <= 0 ? "bad" : left < 0.25 ? "warn" : "ok";
  const burn = one.burn_rate === null ? "–" : `${one.burn_rate < 0.005 ? "0" : digits(one.burn_rate)}×`;
  const fact = (label, value, title = "") => h("div", {}, h("dt", { title }, label), h("dd", {}, value));
  const plot = h("div", { class: "plot", role: "img", "aria-label": t("objectives.history", { name: one.name }) });
  const legend = h("ul", { class: "legend", hidden: true });
  charts.set(one.name, { plot, at: 0, drawing: lineChart(plot, legend, { unit: "percent", least: 100, sync: "objectives" }) });
  return h("article", { class: "card objective" },
    h("header", {}, h("h2", {}, one.name), h("span", { class: "muted" }, one.service)),
    h("p", { class: `budget ${tone}` }, left === null ? "–" : `${(left * 100).toFixed(0)} %`, h("small", {}, t("objectives.left"))),
    h("div", { class: `gauge ${tone}`, role: "meter", "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": String(Math.max(0, Math.round((left ?? 0) * 100))), "aria-label": t("objectives.left") }, h("i", { vars: { part: Math.max(0, Math.min(1, left ?? 0)) } })),
    left === null ? null : h("div", { class: "history" }, h("p", { class: "muted small" }, t("objectives.history_title")), plot, legend),
    h("dl", { class: "facts-list" },
      fact(t("objectives.availability"), ratio(one.measured_availability, places(one.target) + 1), t("objectives.availability_hint")),
      fact(t("objectives.target"), ratio(one.target, places(one.target) - 1)),
      left === null ? null : fact(t("objectives.outage"), asOutage(one), t("objectives.outage_hint")),
      fact(t("objectives.burn"), burn, t("objectives.burn_hint")),
      fact(t("objectives.measured"), one.measured_seconds < one.window_seconds
        ? t("objectives.of", { passed: duration(one.measured_seconds * 1000), window: duration(one.window_seconds * 1000) })
        : duration(one.window_seconds * 1000))),
    left === null ? h("p", { class: "muted small" }, t("objectives.waiting")) : null,
    h("p", { class: "links" }, h("a", { href: exploreLink(ratios(one.name)) }, t("explore.open"))),
  );
}

async function drawHistory({ name }) {
  const chart = charts.get(name);
  if (!chart?.plot.isConnected || Date.now() - chart.at < HISTORY_EVERY) return;
  const points = await get(`/objectives/${encodeURIComponent(name)}/history`);
  chart.at = Date.now();
  if (points.length < 2) return;
  const line = points.map((one) => [one.at, one.budget_remaining === null ? null : one.budget_remaining * 100]);
  chart.drawing.update([{ name: "", points: line }], [points[0].at, points.at(-1).at], { levels: [0], marks: [] });
}

poll(async () => {
  const found = await get("/objectives");
  $("#empty").hidden = found.length > 0;
  // What changes every second is not worth drawing a card anew.
  const shown = found.map((one) => ({ ...one, measured_seconds: Math.floor(one.measured_seconds / 60) }));
  render($("#rows"), shown, () => found.map(card));
  await Promise.all(found.map(drawHistory));
}, 10_000);
