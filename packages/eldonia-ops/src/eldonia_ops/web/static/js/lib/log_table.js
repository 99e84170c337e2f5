// What comes out of a search of logs with pipes: a table, and of counts over time a chart above it.
import { h } from "./dom.js";
import { digits, exactly, integer } from "./format.js";
import { t } from "./i18n.js";
import { sorted } from "./result_table.js";
import { term, withTerm } from "./search_terms.js";
import { seriesChart } from "./series_chart.js";
import { showSurroundings } from "./surroundings.js";

const SHOWN = 200;
const nameOf = (one, several) => [several || !Object.keys(one.labels).length ? one.metric : "", Object.values(one.labels).map((text) => text || "–").join(", ")].filter(Boolean).join(" ");

/** The series of an answer as the chart takes them: points by time. */
export function chartSeries(chart) {
  const several = new Set(chart.series.map((one) => one.metric)).size > 1;
  return chart.series.map((one) => {
    const name = nameOf(one, several);
    const title = [one.metric, ...Object.entries(one.labels).map(([label, text]) => `${label}=${text}`)].join(" ");
    return { key: `${one.metric} ${JSON.stringify(one.labels)}`, name, title, unit: "", points: chart.starts.map((at, index) => [at, one.values[index]]) };
  });
}

/**
 * @param {HTMLElement} place
 * @param {object} page
 * @param {(search: string) => void} page.search shows another search
 * @param {(start: number, end: number) => void} page.narrow narrows the time
 */
export function logTable(place, { search, narrow }) {
  const plot = h("div", { class: "plot tall" });
  const legend = h("div", { class: "legend-box" });
  const left = h("p", { class: "muted small cut-note", hidden: true });
  const graph = h("section", { class: "card graph-card", "aria-label": t("logs.chart"), hidden: true }, plot, left, legend);
  const table = h("section", { class: "card flush result-table", "aria-label": t("logs.table") });
  place.replaceChildren(graph, table);
  const chart = seriesChart(plot, legend, { sync: "piped", onSelect: narrow });
  let shown = null;
  let sort = { column: -1, descending: false };
  let all = false;

  // What records were counted by leads to the records themselves.
  function text(value, column) {
    if (value === null || value === undefined) return h("span", { class: "muted" }, "–");
    if (column.kind === "time") return h("time", { datetime: new Date(value).toISOString() }, exactly(value));
    if (column.kind === "number") return h("span", { title: String(value) }, Number.isInteger(value) ? integer(value) : digits(value));
    if (!shown.by.includes(column.name)) return h("span", {}, typeof value === "object" ? JSON.stringify(value) : String(value));
    return h("button", { type: "button", class: "link-button mono", title: t("logs.only", { value }), onclick: () => search(withTerm(shown.search === "*" ? "" : shown.search, term(column.name, value))) }, String(value));
  }

  function row(values) {
    const cells = shown.columns.map((column, index) => h("td", { class: column.kind === "number" ? "num" : "mono", "data-label": column.name }, text(values[index], column)));
    const cursor = shown.cursors[shown.rows.indexOf(values)];
    if (cursor) cells.push(h("td", {}, h("button", { type: "button", class: "link-button", onclick: () => showSurroundings({ cursor }, search) }, t("logs.around"))));
    return h("tr", {}, cells);
  }

  function draw() {
    const records = shown.shape === "records";
    const head = shown.columns.map((column, index) => {
      const on = sort.column === index;
      const by = h("button", { type: "button", class: "sort", onclick: () => { sort = { column: index, descending: on ? !sort.descending : column.kind === "number" }; draw(); } }, column.name, on ? (sort.descending ? " ↓" : " ↑") : "");
      return h("th", { scope: "col", class: column.kind === "number" ? "num" : "", "aria-sort": on ? (sort.descending ? "descending" : "ascending") : "none" }, by);
    });
    if (records) head.push(h("th", { scope: "col" }, h("span", { class: "hide" }, t("logs.around"))));
    const rows = sort.column < 0 ? shown.rows : sorted(shown.rows, (values) => values[sort.column], sort.descending);
    const body = rows.slice(0, all ? undefined : SHOWN);
    table.replaceChildren(
      rows.length ? h("div", { class: "scroll" }, h("table", { class: "stack-table" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, body.map(row)))) : h("div", { class: "empty" }, h("h2", {}, t("logs.nothing_out")), h("p", {}, t("logs.nothing_out_hint"))),
      ...(rows.length > body.length ? [h("p", { class: "more" }, h("button", { type: "button", onclick: () => { all = true; draw(); } }, t("logs.all_rows", { n: integer(rows.length) })))] : []),
      ...(shown.more ? [h("p", { class: "muted small cut-note" }, t("logs.more_rows", { n: integer(rows.length) }))] : []),
    );
  }

  return {
    /** @param {any} found @param {[number, number]} bounds */
    update(found, bounds) {
      if (shown?.query !== found.query) [sort, all] = [{ column: -1, descending: false }, false];
      shown = found;
      graph.hidden = !found.chart?.series.length;
      if (graph.hidden) chart.clear();
      else chart.update(chartSeries(found.chart), bounds, { stack: false, log: false, unit: "" });
      left.hidden = !found.chart?.left_out;
      left.textContent = t("logs.series_left", { n: integer(found.chart?.left_out ?? 0) });
      draw();
    },
    /** What was found, in words. */
    total(found) {
      return found.shape === "records" ? t("logs.total", { n: `${integer(found.rows.length)}${found.more ? "+" : ""}` }) : t("logs.rows_of", { rows: integer(found.groups), n: integer(found.total) });
    },
  };
}
