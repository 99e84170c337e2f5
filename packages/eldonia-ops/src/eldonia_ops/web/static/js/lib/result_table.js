// A result as a table: sorted by a click on a head, copied, and downloaded as CSV.
import { h, icon, toast } from "./dom.js";
import { exactly, integer } from "./format.js";
import { t } from "./i18n.js";
import { csv, csvRows, fullName } from "./promql_build.js";

const SHOWN = 500;

/** Rows in the order of a column; numbers by size, texts as people sort, what is missing last. */
export function sorted(rows, cellOf, descending) {
  const order = (a, b) => {
    const [first, second] = [cellOf(a), cellOf(b)];
    const missing = Number(first === null || first === "") - Number(second === null || second === "");
    if (missing) return missing;
    const by = typeof first === "number" && typeof second === "number" ? first - second : String(first).localeCompare(String(second), undefined, { numeric: true });
    return descending ? -by : by;
  };
  return [...rows].sort(order);
}

/** @param {HTMLElement} place */
export function resultTable(place) {
  let shown = { series: [], several: false, instant: false, format: (value, _unit) => String(value) };
  let sort = { column: "", descending: false };
  let all = false;

  const last = (one) => one.points.findLast(([, value]) => value !== null) ?? [0, null];
  const cellOf = (column) => (one) => (column === "value" ? last(one)[1] : column === "query" ? one.letter : (one.labels[column] ?? ""));

  function save() {
    const rows = csvRows(shown.series.map((one) => ({ query: one.query, labels: one.labels, points: one.points })));
    const address = URL.createObjectURL(new Blob([csv(rows)], { type: "text/csv" }));
    const link = h("a", { href: address, download: "result.csv" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  async function copy() {
    const lines = shown.series.map((one) => `${fullName(one.labels)}\t${last(one)[1] ?? ""}`).join("\n");
    try {
      await navigator.clipboard.writeText(lines);
      toast(t("explore.copied"));
    } catch {
      toast(t("explore.not_copied"), { bad: true });
    }
  }

  function draw() {
    const { series, several, format } = shown;
    const names = [...new Set(series.flatMap((one) => Object.keys(one.labels)))].sort();
    const columns = [...(several ? ["query"] : []), ...names, "value"];
    const rows = sort.column ? sorted(series, cellOf(sort.column), sort.descending) : series;
    const title = (column) => (column === "value" ? t("explore.value") : column === "query" ? t("explore.query") : column === "__name__" ? t("explore.metric") : column);
    const head = columns.map((column) => {
      const on = sort.column === column;
      const by = h("button", { type: "button", class: "sort", onclick: () => { sort = { column, descending: on ? !sort.descending : column === "value" }; draw(); } }, title(column), on ? (sort.descending ? " ↓" : " ↑") : "");
      return h("th", { scope: "col", class: column === "value" ? "num" : "", "aria-sort": on ? (sort.descending ? "descending" : "ascending") : "none" }, by);
    });
    const body = rows.slice(0, all ? undefined : SHOWN).map((one) => {
      const [at, value] = last(one);
      const text = typeof value === "number" ? format(value, one.unit) : one.histograms ? t("explore.histogram") : (value ?? "–");
      return h("tr", {}, columns.map((column) => (column === "value" ? h("td", { class: "num", "data-label": t("explore.value"), title: `${value}${at ? ` · ${exactly(at)}` : ""}` }, h("span", {}, text)) : h("td", { class: "mono", "data-label": title(column) }, h("span", {}, cellOf(column)(one))))));
    });
    place.replaceChildren(
      h("header", { class: "table-head" }, h("span", { class: "muted small" }, t("explore.rows", { n: integer(series.length) })),
        h("span", { class: "card-tools" }, h("button", { type: "button", disabled: !series.length, onclick: copy }, icon("copy"), h("span", {}, t("explore.copy"))), h("button", { type: "button", disabled: !series.length, onclick: save }, icon("download"), h("span", {}, "CSV")))),
      series.length ? h("div", { class: "scroll" }, h("table", { class: "stack-table" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, body))) : h("p", { class: "empty" }, t("explore.nothing_drawn")),
      ...(series.length > SHOWN && !all ? [h("p", { class: "more" }, h("button", { type: "button", onclick: () => { all = true; draw(); } }, t("explore.all_rows", { n: integer(series.length) })))] : []),
    );
  }

  return {
    /** @param {any[]} series @param {{several: boolean, instant: boolean, format: (value: any, unit: string) => string}} how */
    update(series, how) {
      shown = { series, ...how };
      draw();
    },
  };
}
