// A pane of Explore on metrics: queries with their editors, and what they found as a graph and as a table.
import { get } from "./api.js";
import { h, icon } from "./dom.js";
import { showReasons } from "./empty_reasons.js";
import { quantity } from "./format.js";
import { t } from "./i18n.js";
import { browseMetrics } from "./metric_browser.js";
import { autoStep, fullName, metricNames, operations, selector, seriesNames, stepSeconds, typeOf, unitOf, WRAPPERS } from "./promql_build.js";
import { checkQuery, mount } from "./promql_editor.js";
import { metadataOf, promqlSource } from "./promql_source.js";
import { remember } from "./query_history.js";
import { resultTable } from "./result_table.js";
import { showFault } from "./search_box.js";
import { MOST_LINES, seriesChart } from "./series_chart.js";
import { MOST_QUERIES } from "./explore_state.js";

const POINTS = 240;
const source = promqlSource();
const letter = (index) => String.fromCharCode(65 + index);

/**
 * @param {HTMLElement} place
 * @param {import("./explore_state.js").Pane["metrics"]} state what is shown; it is changed as people change it
 * @param {object} page
 * @param {() => [number, number]} page.bounds
 * @param {(start: number, end: number) => void} page.zoom
 * @param {(step?: boolean) => void} page.changed the state was changed; `step` makes a step of the browser's history
 * @param {(choose: (query: string) => void, current: () => string) => void} page.openHistory
 */
export function metricsPane(place, state, page) {
  let rows = [];
  let results = [];
  let metadata = {};
  let request = null;
  let active = null;
  const list = h("ol", { class: "query-list" });
  const legend = h("div", { class: "legend-box" });
  const plot = h("div", { class: "plot tall" });
  const note = h("p", { class: "plot-note", hidden: true });
  const cutNote = h("p", { class: "muted small cut-note", hidden: true });
  const tableBox = h("div", { class: "result-table" });
  const warnings = h("p", { class: "muted small warnings", hidden: true });
  const graphCard = h("section", { class: "card graph-card", "aria-label": t("explore.graph") }, plot, note, cutNote, legend);
  const tableCard = h("section", { class: "card flush", "aria-label": t("explore.table") }, tableBox);
  const step = /** @type {HTMLInputElement} */ (h("input", { class: "step-input", placeholder: t("explore.auto"), maxlength: "20", autocomplete: "off", "aria-label": t("explore.step"), title: t("explore.step_hint") }));
  step.value = state.step;

  /** @type {(key: string, name: string, act: () => void) => HTMLElement} */
  const toggleButton = (key, name, act) => {
    const button = h("button", { type: "button", "aria-pressed": String(state[key]) }, t(`explore.${name}`));
    button.addEventListener("click", () => {
      state[key] = !state[key];
      button.setAttribute("aria-pressed", String(state[key]));
      page.changed();
      act();
    });
    return button;
  };
  const choice = (key, off, on) => {
    const buttons = [false, true].map((value) => h("button", { type: "button", "aria-pressed": String(state[key] === value) }, t(`explore.${value ? on : off}`)));
    buttons.forEach((button, index) => {
      button.addEventListener("click", () => {
        state[key] = index === 1;
        buttons.forEach((one, at) => { one.setAttribute("aria-pressed", String(at === index)); });
        page.changed(true);
        run();
      });
    });
    return h("div", { class: "segmented", role: "group" }, buttons);
  };
  const tools = h("div", { class: "pane-tools" },
    h("button", { type: "button", onclick: () => add() }, icon("plus"), h("span", {}, t("explore.add_query"))),
    h("button", { type: "button", "aria-haspopup": "dialog", onclick: () => page.openHistory((query) => use(query), () => (active ?? rows[0]).query.expr) }, icon("clock"), h("span", {}, t("explore.history"))),
    h("span", { class: "grow" }),
    choice("instant", "range", "instant"),
    h("label", { class: "inline-field" }, h("span", {}, t("explore.step")), step),
    choice("table", "graph", "table"),
    h("div", { class: "segmented", role: "group" }, toggleButton("stack", "stack", () => draw()), toggleButton("log", "log_scale", () => draw())),
    h("button", { type: "button", class: "primary", onclick: () => run({ explicit: true }) }, t("explore.run")),
  );
  place.replaceChildren(list, tools, warnings, graphCard, tableCard);
  const chart = seriesChart(plot, legend, { sync: "explore", onSelect: (start, end) => page.zoom(start, end) });
  const table = resultTable(tableBox);

  step.addEventListener("change", () => {
    const wrong = step.value.trim() && stepSeconds(step.value) === null;
    step.setAttribute("aria-invalid", String(Boolean(wrong)));
    if (wrong) return;
    state.step = step.value.trim();
    page.changed();
    run();
  });

  function buildRows() {
    for (const row of rows) row.editor.destroy();
    list.replaceChildren();
    rows = state.queries.map((query, index) => makeRow(query, index));
    active = rows[0];
  }

  function makeRow(query, index) {
    const fault = h("p", { class: "query-fault", role: "alert", hidden: true });
    const reasons = h("div", { class: "why", hidden: true });
    const editorPlace = h("div", { class: "query-field" });
    const eye = h("button", { type: "button", class: "quiet", "aria-pressed": String(!query.hidden), title: t("explore.hide_query") }, letter(index));
    const row = { query, index, fault, reasons, editor: null };
    const button = (name, symbol, act, props = {}) => h("button", { type: "button", class: "icon-button", title: t(`explore.${name}`), "aria-label": t(`explore.${name}`), onclick: act, ...props }, icon(symbol));
    const menu = h("details", { class: "menu" }, h("summary", { class: "icon-button", title: t("explore.operations"), "aria-label": t("explore.operations") }, icon("settings")), h("div", { class: "menu-items" }));
    menu.addEventListener("toggle", () => { if (menu.open) menu.lastElementChild.replaceChildren(...operationItems(row, menu)); });
    menu.addEventListener("focusout", (event) => { if (!menu.contains(/** @type {Node} */ (event.relatedTarget))) menu.open = false; });
    eye.addEventListener("click", () => {
      query.hidden = !query.hidden;
      eye.setAttribute("aria-pressed", String(!query.hidden));
      page.changed();
      run();
    });
    const item = h("li", { class: "query-row" }, eye, editorPlace,
      h("div", { class: "query-acts" },
        button("browse", "search", () => browseMetrics((text) => { active = row; use(text); }), { "aria-haspopup": "dialog" }),
        menu,
        button("copy_query", "copy", () => add(query.expr)),
        button("remove_query", "close", () => removeRow(row), { disabled: state.queries.length === 1 })),
      fault, reasons);
    list.append(item);
    row.editor = mount(editorPlace, {
      value: query.expr,
      label: t("explore.query_named", { name: letter(index) }),
      source,
      onChange: (text) => { query.expr = text; active = row; row.editor.fault(null); showFault(fault, null, ""); },
      onRun: () => { active = row; run({ explicit: true }); },
    });
    item.addEventListener("focusin", () => { active = row; });
    return row;
  }

  function operationItems(row, menu) {
    const text = row.query.expr.trim();
    const names = metricNames(text);
    const simple = names.length === 1 && /^[\w:]+(\{[^{}]*\})?$/.test(text);
    const type = simple ? typeOf(names[0], metadataOf(metadata, names[0])) : "";
    const items = [...(simple ? operations(type).filter(({ key }) => key !== "plain") : []), ...(text ? WRAPPERS.filter(({ key }) => !simple || !["topk"].includes(key)) : [])];
    if (!items.length) return [h("p", { class: "muted small" }, t("explore.no_operations"))];
    return items.map(({ key, make }) => h("button", { type: "button", class: "quiet", title: make(text), onclick: () => { menu.open = false; set(row, make(text)); } }, t(`explore.op_${key}`)));
  }

  function set(row, text) {
    row.query.expr = text;
    row.editor.value = text;
    row.editor.fault(null);
    run({ explicit: true });
  }

  const use = (text) => set(active ?? rows[0], text);

  function add(text = "") {
    if (state.queries.length >= MOST_QUERIES) return;
    state.queries.push({ expr: text, hidden: false });
    page.changed();
    buildRows();
    active = rows.at(-1);
    active.editor.ready.then(() => active.editor.focus());
    if (text) run();
  }

  function removeRow(row) {
    state.queries.splice(row.index, 1);
    page.changed();
    buildRows();
    run();
  }

  async function ask(row, bounds, seconds, signal) {
    const query = row.query.expr.trim();
    if (!query || row.query.hidden) return { row, query: "", series: [], warnings: [] };
    const [start, end] = bounds;
    const found = state.instant
      ? await get("/query", { query, time: Math.round(end) }, signal)
      : await get("/query_range", { query, start: Math.ceil(start / 1000 / seconds) * seconds * 1000, end: Math.floor(end / 1000 / seconds) * seconds * 1000, step: seconds }, signal);
    return { row, query, series: seriesOf(found, end), warnings: [...found.warnings, ...found.infos], text: found.text };
  }

  /** Ask everything anew. `explicit` is what people asked for: it is remembered, and what is empty is explained. */
  async function run({ explicit = false } = {}) {
    request?.abort();
    request = new AbortController();
    const { signal } = request;
    const bounds = page.bounds();
    const given = stepSeconds(state.step);
    const seconds = given ?? autoStep(bounds, POINTS);
    step.placeholder = `${t("explore.auto")} (${seconds} s)`;
    if (explicit) {
      page.changed(true);
      for (const row of rows) if (!row.query.hidden) remember(row.query.expr);
    }
    place.setAttribute("aria-busy", "true");
    const outcomes = await Promise.allSettled(rows.map((row) => ask(row, bounds, seconds, signal)));
    if (signal.aborted) return;
    place.setAttribute("aria-busy", "false");
    results = [];
    const said = [];
    outcomes.forEach((outcome, index) => {
      const row = rows[index];
      if (outcome.status === "rejected") {
        const { reason } = outcome;
        if (!reason.status) return;
        showRefusal(row, reason);
        return;
      }
      showFault(row.fault, null, "");
      const { value } = outcome;
      said.push(...value.warnings);
      results.push(...value.series.map((one) => ({ ...one, row, query: value.query })));
      const empty = value.query && !value.text && !value.series.some((one) => one.histograms || one.points.some(([, number]) => number !== null));
      offerReasons(row, empty, { query: value.query, start: bounds[0], end: bounds[1], step: state.instant ? null : seconds }, explicit);
    });
    warnings.hidden = !said.length;
    warnings.textContent = [...new Set(said)].join(" · ");
    metadata = await source.metricMetadata();
    if (signal.aborted) return;
    draw(bounds, seconds);
  }

  // What is wrong with a query. The check knows where the fault ends too; the place need not be said in numbers besides.
  async function showRefusal(row, reason) {
    row.reasons.hidden = true;
    const asked = row.query.expr;
    const found = reason.position >= 0 ? await checkQuery(asked) : null;
    if (row.query.expr !== asked) return;
    const fault = found ?? { message: reason.message.replace(/^\d+:\d+: parse error: /, ""), hint: reason.hint, position: reason.position };
    showFault(row.fault, fault, asked);
    row.editor.fault(fault);
  }

  function offerReasons(row, empty, asked, explicit) {
    row.reasons.hidden = !empty;
    if (!empty) return row.reasons.replaceChildren();
    const show = () => showReasons(row.reasons, asked, { apply: (text) => set(row, text), narrow: page.zoom });
    if (explicit) return void show();
    if (row.reasons.childElementCount && row.reasons.dataset.query === asked.query) return;
    row.reasons.dataset.query = asked.query;
    row.reasons.replaceChildren(h("p", { class: "muted" }, t("explore.no_result"), " ", h("button", { type: "button", class: "link-button", onclick: show }, t("explore.why"))));
  }

  function draw(bounds = page.bounds(), seconds = stepSeconds(state.step) ?? autoStep(bounds, POINTS)) {
    const asGraph = !state.table && !state.instant;
    graphCard.hidden = !asGraph;
    tableCard.hidden = asGraph;
    const several = new Set(results.map((one) => one.row)).size > 1;
    const names = seriesNames(results.map((one) => one.labels));
    const shown = results.map((one, index) => ({
      ...one,
      key: `${one.row.index} ${fullName(one.labels)}`,
      title: `${letter(one.row.index)}: ${fullName(one.labels)}`,
      name: `${several ? `${letter(one.row.index)} ` : ""}${names[index] || one.query}`,
      unit: unitOf(one.query, (name) => metadataOf(metadata, name)),
    }));
    if (!asGraph) return table.update(shown.map((one) => ({ ...one, letter: letter(one.row.index) })), { several, instant: state.instant, format: quantity });
    const drawn = shown.filter((one) => one.points.some(([, value]) => value !== null)).slice(0, MOST_LINES);
    cutNote.hidden = shown.length <= MOST_LINES;
    cutNote.textContent = t("explore.lines_cut", { n: MOST_LINES, all: shown.length });
    plot.hidden = !drawn.length;
    note.hidden = drawn.length > 0;
    note.textContent = rows.some((row) => row.query.expr.trim()) ? t("explore.nothing_drawn") : t("explore.begin");
    if (!drawn.length) return chart.clear();
    const units = new Set(drawn.map((one) => one.unit));
    chart.update(drawn.map((one) => ({ ...one, points: filled(one.points, bounds, seconds) })), bounds, { stack: state.stack, log: state.log, unit: units.size === 1 ? [...units][0] : "count" });
  }

  buildRows();
  return {
    run,
    use,
    /** Selectors for the metrics of this pane with other matchers: for links to it. */
    selector,
    destroy() {
      request?.abort();
      for (const row of rows) row.editor.destroy();
      chart.destroy();
    },
  };
}

/** The series of an answer; values that are no numbers are gaps in a graph. */
export function seriesOf(found, at) {
  if (found.type === "string") return [{ labels: {}, points: [[at, found.text]], histograms: false }];
  return found.series.map((one) => ({ labels: one.labels, points: one.points.map(([when, value]) => [when, typeof value === "number" ? value : found.type === "vector" || found.type === "scalar" ? value : null]), histograms: Boolean(one.histograms?.length) }));
}

// Every step gets its place, so that missing ones are gaps and not bridges. The first is a multiple of the step unless given.
export function filled(points, [start, end], seconds, first = Math.ceil(start / seconds / 1000) * seconds * 1000) {
  const step = seconds * 1000;
  const known = new Map(points);
  const all = [];
  for (let at = first; at <= end; at += step) all.push([at, known.get(at) ?? null]);
  return all.length ? all : points;
}
