import { $, h, icon } from "../lib/dom.js";
import { rangeText } from "../lib/format.js";
import { KINDS, pane as paneState, readState, writeState } from "../lib/explore_state.js";
import { t } from "../lib/i18n.js";
import { logsPane } from "../lib/logs_pane.js";
import { metricsPane } from "../lib/metrics_pane.js";
import { poll } from "../lib/poll.js";
import { openQueries } from "../lib/query_drawer.js";
import { timeRange } from "../lib/range.js";
import { redQueries } from "../lib/red_queries.js";
import { copyLink } from "../lib/share_link.js";
import { tracesPane } from "../lib/traces_pane.js";

const REFRESH_MS = 10_000;
const AROUND_MS = 900_000;
const BUILD = { metrics: metricsPane, logs: logsPane, traces: tracesPane };
let state = readState(new URLSearchParams(location.search));
let shown = [];
const range = timeRange(() => runAll(), { preset: "1h" });

const boundsOf = (one) => (!state.linked && one.own ? [one.own.from, one.own.to] : range.bounds);

// What people do deliberately is a step of the browser's history, so that "back" undoes it.
function keep(step = false) {
  const here = new URL(location.href);
  writeState(here.searchParams, state);
  if (here.href === location.href) return;
  if (step) history.pushState(null, "", here);
  else history.replaceState(null, "", here);
}

function zoom(one, start, end) {
  if (end - start < 1000) return;
  if (!state.linked) {
    one.own = { from: Math.round(start), to: Math.round(end) };
    keep(true);
    showOwn();
    return void shown.find((view) => view.state === one)?.part.run();
  }
  history.pushState(null, "", location.href);
  range.narrow(start, end);
}

function runAll() {
  keep();
  for (const view of shown) view.part?.run();
}

// Another pane beside this one, about the same thing and time.
function beside(from, kind, wanted, around) {
  const given = kind === "metrics"
    ? { kind, metrics: { queries: redQueries(wanted.service) } }
    : kind === "logs" ? { kind, logs: { query: wanted.query } } : { kind, traces: wanted };
  const next = paneState(given);
  if (around && !state.linked) next.own = { from: around - AROUND_MS, to: around + AROUND_MS };
  const at = state.panes.indexOf(from);
  if (state.panes.length === 1) state.panes.push(next);
  else state.panes[1 - at] = next;
  keep(true);
  build();
  if (around && state.linked && !(range.bounds[0] <= around && around <= range.bounds[1])) range.narrow(around - AROUND_MS, around + AROUND_MS);
}

function paneView(one) {
  const body = h("div", { class: "pane-body" });
  const own = h("span", { class: "own-range" });
  const view = { state: one, part: null, own };
  const choose = (kind) => {
    one.kind = kind;
    keep(true);
    make();
  };
  const kinds = KINDS.map((kind) => h("button", { type: "button", onclick: () => choose(kind) }, t(`explore.kind_${kind}`)));
  function make() {
    view.part?.destroy();
    kinds.forEach((button, index) => { button.setAttribute("aria-pressed", String(KINDS[index] === one.kind)); });
    view.part = BUILD[one.kind](body, one[one.kind], {
      bounds: () => /** @type {[number, number]} */ (boundsOf(one)),
      zoom: (start, end) => zoom(one, start, end),
      changed: keep,
      openHistory: openQueries,
      beside: (kind, wanted, around) => beside(one, kind, wanted, around),
    });
    view.part.run();
  }
  const several = state.panes.length > 1;
  const split = h("button", { type: "button", onclick: () => { state.panes.push(paneState(JSON.parse(JSON.stringify(one)))); keep(true); build(); } }, icon("split"), h("span", {}, t("explore.split")));
  const close = h("button", { type: "button", class: "icon-button", "aria-label": t("explore.close_pane"), title: t("explore.close_pane"), onclick: () => { state.panes = state.panes.filter((other) => other !== one); keep(true); build(); } }, icon("close"));
  view.element = h("section", { class: "pane", "aria-label": t("explore.pane") }, h("header", { class: "pane-head" }, h("div", { class: "segmented", role: "group", "aria-label": t("explore.kind") }, kinds), own, h("span", { class: "grow" }), several ? close : split), body);
  view.make = make;
  return view;
}

// The time of a pane that has one of its own.
function showOwn() {
  for (const view of shown) {
    const { own } = view.state;
    view.own.replaceChildren(...(own && !state.linked ? [h("button", { type: "button", title: t("range.reset"), onclick: () => { view.state.own = null; keep(true); showOwn(); view.part.run(); } }, `${rangeText(own.from, own.to)} ×`)] : []));
  }
}

function build() {
  for (const view of shown) view.part?.destroy();
  shown = state.panes.map(paneView);
  $("#panes").replaceChildren(...shown.map((view) => view.element));
  $("#panes").classList.toggle("two", shown.length > 1);
  for (const view of shown) view.make();
  const link = $("#linked");
  link.hidden = shown.length < 2;
  link.setAttribute("aria-pressed", String(state.linked));
  showOwn();
}

$("#linked").addEventListener("click", () => {
  state.linked = !state.linked;
  if (!state.linked) for (const one of state.panes) one.own ??= null;
  keep(true);
  $("#linked").setAttribute("aria-pressed", String(state.linked));
  showOwn();
  runAll();
});

$("#share").addEventListener("click", () => copyLink(range.bounds));

addEventListener("popstate", () => {
  state = readState(new URLSearchParams(location.search));
  range.restore();
  build();
});

build();
keep();
let first = true;
poll(async () => {
  if (range.live && !first) for (const view of shown) await view.part?.run();
  first = false;
}, REFRESH_MS);
document.addEventListener("retry", runAll);
