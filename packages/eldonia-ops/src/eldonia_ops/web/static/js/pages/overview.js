import { get } from "../lib/api.js";
import { lineChart } from "../lib/chart.js";
import { $, $$, h, render } from "../lib/dom.js";
import { exploreLink } from "../lib/explore_state.js";
import { countdown, percent } from "../lib/format.js";
import { t, word } from "../lib/i18n.js";
import { ACTIVE, byUrgency, incidentRow } from "../lib/incidents.js";
import { poll } from "../lib/poll.js";
import { timeRange } from "../lib/range.js";

const POINTS = 180;
const SHOWN = 3;
const panels = $$(".panel").map((element) => ({
  element,
  ...element.dataset,
  least: Number(element.dataset.least),
  plot: $(".plot", element),
  note: $(".plot-note", element),
  legendList: $(".legend", element),
  series: new Map(),
  until: 0,
}));
let choice = 0; // counts the ranges chosen: what was asked for an earlier one is not drawn
const range = timeRange(() => {
  choice += 1;
  for (const panel of panels) panel.until = 0;
  charts.now();
});
for (const panel of panels) {
  panel.chart = lineChart(panel.plot, panel.legendList, {
    unit: panel.unit,
    least: panel.least,
    sync: "overview",
    onSelect: (start, end) => {
      if (!range.fixed || Math.abs(range.bounds[0] - start) > 1) range.narrow(start, end);
    },
  });
}

const stepOf = ([start, end]) => Math.max(1000, Math.ceil((end - start) / POINTS / 1000) * 1000);
// A rate needs at least two scrapes in its window, however short the step is.
const windowOf = (step) => `${Math.max(60, Math.ceil((step * 4) / 1000))}s`;

async function draw(panel, bounds, step) {
  const end = Math.floor(bounds[1] / step) * step;
  const start = Math.ceil(bounds[0] / step) * step;
  // Poll deltas: what is known stays, the last two steps are asked again since scrapes may have come late.
  const fresh = panel.step !== step || !panel.until || panel.until < start;
  const from = fresh ? start : Math.max(start, panel.until - 2 * step);
  const asked = choice;
  let result;
  try {
    result = await get("/query_range", {
      query: panel.query.replaceAll("$window", windowOf(step)),
      start: from,
      end,
      step: step / 1000,
    });
  } catch (error) {
    if (error.status) note(panel, error.message);
    throw error;
  }
  if (asked !== choice) return;
  if (fresh) panel.series.clear();
  for (const one of result.series) {
    const name = panel.legend ? (one.labels[panel.legend] ?? "") : "";
    const points = panel.series.get(name) ?? new Map();
    for (const [at, value] of one.points) points.set(at, typeof value === "number" ? value : null);
    panel.series.set(name, points);
  }
  for (const [name, points] of panel.series) {
    for (const at of points.keys()) if (at < start) points.delete(at);
    if (!points.size) panel.series.delete(name);
  }
  Object.assign(panel, { step, until: end });
  panel.filled = panel.series.size > 0;
  if (!panel.filled) return;
  $(".panel-link", panel.element).href = exploreLink([panel.query.replaceAll("$window", windowOf(step))], range.fixed ? bounds : undefined);
  panel.plot.hidden = false;
  panel.note.hidden = true;
  panel.legendList.hidden = false;
  const names = [...panel.series.keys()].sort();
  // Missing steps are gaps, not bridges: every step of the range gets its place.
  const steps = [];
  for (let at = start; at <= end; at += step) steps.push(at);
  panel.chart.update(
    names.map((name) => ({ name, points: steps.map((at) => [at, panel.series.get(name).get(at) ?? null]) })),
    bounds,
  );
}

function note(panel, fault) {
  panel.filled = true; // there is something to see
  panel.plot.hidden = true;
  panel.legendList.hidden = true;
  panel.note.hidden = false;
  panel.note.replaceChildren(h("b", {}, t("overview.fault")), fault);
}

// Panels without data take no room; a layer without any says in one line how to fill it.
function fold() {
  for (const layer of $$(".layer")) {
    const mine = panels.filter((panel) => layer.contains(panel.element));
    for (const panel of mine) panel.element.hidden = !panel.filled;
    layer.classList.remove("unknown");
    $(".layer-empty", layer).hidden = mine.some((panel) => panel.filled);
  }
}

const charts = poll(async () => {
  if (!range.live && panels.every((panel) => panel.until)) return;
  const bounds = range.bounds;
  const step = stepOf(bounds);
  const outcomes = await Promise.allSettled(panels.map((panel) => draw(panel, bounds, step)));
  fold();
  const reasons = outcomes.map((one) => (one.status === "rejected" ? one.reason : null));
  const unexpected = reasons.find((one) => one && !one.status && !(one instanceof TypeError));
  if (unexpected) throw unexpected;
}, 5000);

function stat(name, value, detail, tone) {
  const element = $(`[data-stat="${name}"]`);
  element.className = `stat ${tone}`;
  $("strong", element).textContent = value;
  $("strong", element).classList.toggle("words", !/\d/.test(value) && value !== "–");
  $(".stat-note", element).textContent = detail;
  $(".stat-note", element).title = detail;
}

poll(async () => {
  const [incidents, alerts, objectives, recovery, targets] = await Promise.all([
    get("/incidents", { status: ACTIVE }),
    get("/alerts"),
    get("/objectives"),
    get("/recovery"),
    get("/targets"),
  ]);
  const first = byUrgency(incidents).slice(0, SHOWN);
  const more = incidents.length - first.length;
  $("#active").hidden = !first.length;
  render($("#active-rows"), [first, more, Math.floor(Date.now() / 1000)], () => [...first.map(incidentRow), ...(more ? [h("a", { class: "more-incidents", href: "/incidents" }, t("overview.more_incidents", { n: more }))] : [])]);
  const unseen = incidents.filter((one) => !one.acknowledged_at).length;
  stat(
    "incidents",
    incidents.length,
    incidents.length ? (unseen ? t("overview.unacknowledged", { n: unseen }) : t("overview.acknowledged")) : t("overview.calm"),
    unseen ? "bad" : incidents.length ? "warn" : "ok",
  );
  const firing = alerts.filter((one) => one.state === "firing");
  const critical = firing.filter((one) => one.labels.severity === "critical").length;
  const suppressed = alerts.filter((one) => one.state === "suppressed").length;
  stat(
    "alerts",
    firing.length,
    critical ? t("overview.critical", { n: critical }) : suppressed ? t("overview.suppressed", { n: suppressed }) : t(firing.length ? "overview.none_critical" : "overview.none_firing"),
    critical ? "bad" : firing.length ? "warn" : "ok",
  );
  const known = objectives.filter((one) => one.budget_remaining !== null).sort((a, b) => a.budget_remaining - b.budget_remaining);
  if (known.length) {
    const worst = known[0];
    stat("budget", percent(worst.budget_remaining, 0), `${worst.service} · ${worst.name}`, worst.budget_remaining <= 0 ? "bad" : worst.budget_remaining < 0.25 ? "warn" : "ok");
  } else stat("budget", "–", t("overview.no_objective"), "");
  const troubled = recovery.filter((one) => one.healthy === false);
  const maintained = recovery.filter((one) => one.maintenance);
  if (!recovery.length) stat("recovery", "–", t("overview.no_recovery"), "");
  else if (troubled.length) {
    const one = troubled[0];
    const wait = one.next_attempt_at > Date.now() ? ` · ${countdown(one.next_attempt_at - Date.now())}` : "";
    stat("recovery", word("recovery_state", one.state), `${one.service} · ${one.attempts}/${one.max_attempts}${wait}`, one.state === "exhausted" ? "bad" : "warn");
  } else stat("recovery", t("overview.healthy"), maintained.length ? t("overview.maintenance", { n: maintained.length }) : t("overview.watching", { n: recovery.length }), "ok");
  const up = targets.filter((one) => one.health === "up").length;
  const down = targets.filter((one) => one.health === "down");
  const untried = targets.filter((one) => one.health === "unknown");
  const said = down.length > 1 ? t("overview.down_more", { name: down[0].name, n: down.length - 1 }) : down[0] ? t("overview.down", { name: down[0].name }) : untried[0] ? t("overview.not_seen", { name: untried[0].name }) : t(targets.length ? "overview.all_up" : "overview.no_target");
  stat("targets", `${up}/${targets.length}`, said, down.length ? "bad" : untried.length ? "warn" : targets.length ? "ok" : "");
}, 5000);
