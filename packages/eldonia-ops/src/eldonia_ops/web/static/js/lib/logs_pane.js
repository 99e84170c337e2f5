// A pane of Explore on logs: the search box, facets, counts over time and records of the logs page.
import { get } from "./api.js";
import { levelChart } from "./chart.js";
import { $, h, icon, render } from "./dom.js";
import { showFacets } from "./facets.js";
import { integer } from "./format.js";
import { t } from "./i18n.js";
import { logRows } from "./log_rows.js";
import { logTable } from "./log_table.js";
import { searchBox } from "./search_box.js";
import { hasPipe, toggled } from "./search_terms.js";
import { zoneName } from "./zone.js";

const LEVELS = ["debug", "info", "warn", "error"];
const FACETS = ["level", "service", "component", "hostname"];
const PAGE = 100;
let panes = 0;

/**
 * @param {HTMLElement} place
 * @param {import("./explore_state.js").Pane["logs"]} state
 * @param {object} page
 * @param {() => [number, number]} page.bounds
 * @param {(start: number, end: number) => void} page.zoom
 * @param {(step?: boolean) => void} page.changed
 * @param {(kind: string, state: any, around?: number) => void} page.beside
 */
export function logsPane(place, state, page) {
  panes += 1;
  const input = /** @type {HTMLInputElement} */ (h("input", { type: "search", class: "mono", placeholder: t("logs.placeholder"), autocomplete: "off", autocapitalize: "off", spellcheck: "false", maxlength: "4000", "aria-label": t("logs.search") }));
  input.value = state.query;
  const fault = h("p", { class: "query-fault", role: "alert", hidden: true });
  const plot = h("div", { class: "plot" });
  const facets = h("div");
  const head = h("tr");
  const body = h("tbody");
  const total = h("span", { class: "total", "aria-live": "polite" });
  const older = h("button", { type: "button", hidden: true }, t("logs.older"));
  const empty = h("div", { class: "empty", hidden: true }, h("h2", {}, t("logs.empty")));
  const results = h("section", { class: "card flush" }, h("div", { class: "scroll" }, h("table", { class: "log-table" }, h("thead", {}, head), body)), empty, h("div", { class: "more" }, older));
  const form = h("form", { class: "filters", role: "search" }, h("label", { class: "search query" }, icon("search"), input), total);
  const plain = h("div", { class: "plain-search" }, h("section", { class: "card histogram", "aria-label": t("logs.histogram") }, plot), h("details", { class: "card facets wide-facets" }, h("summary", {}, h("h2", {}, t("search.facets"))), facets), results);
  const outcome = h("div", { class: "pane-body", hidden: true });
  place.replaceChildren(form, fault, plain, outcome);
  const piped = logTable(outcome, { search: (query) => { input.value = query; submit(); }, narrow: page.zoom });
  const chart = levelChart(plot, LEVELS, page.zoom);
  const period = () => {
    const [since, until] = page.bounds().map(Math.round);
    return { since, until };
  };
  const box = searchBox(input, period, () => submit(), { fault, id: `completion-${panes}` });
  let request = null;
  let oldest = "";

  const service = (record) => record.service && h("button", { type: "button", class: "link-button", onclick: () => page.beside("metrics", { service: record.service }, Number(BigInt(record.timestampNs) / 1_000_000n)) }, t("explore.service_metrics"));
  const rows = logRows({
    query: () => input.value,
    columns: () => state.columns,
    search: (query) => { input.value = query; submit(); },
    toggleColumn: (field) => {
      state.columns = state.columns.includes(field) ? state.columns.filter((one) => one !== field) : [...state.columns, field].slice(-8);
      page.changed();
      run();
    },
    links: (record) => [service(record)].filter(Boolean),
  });

  function submit() {
    state.query = input.value.trim();
    page.changed(true);
    run();
  }

  async function run() {
    request?.abort();
    request = new AbortController();
    const { signal } = request;
    const bounds = page.bounds();
    const wanted = { query: state.query, ...period() };
    try {
      const table = hasPipe(state.query) ? await get("/logs/table", { ...wanted, tz: zoneName }, signal) : null;
      outcome.hidden = !table || table.shape === "search";
      plain.hidden = !outcome.hidden;
      if (!outcome.hidden) {
        box.fault(null, "");
        piped.update(table, bounds);
        total.textContent = piped.total(table);
        return;
      }
      const [found, counts] = await Promise.all([get("/logs", { ...wanted, limit: PAGE }, signal), get("/logs/histogram", { ...wanted, buckets: 60 }, signal)]);
      box.fault(null, "");
      const open = $(".record[data-open]", body);
      if (!open || open.dataset.cursor === found.records[0]?.cursor || !body.dataset.query || body.dataset.query !== state.query) {
        body.replaceChildren(...found.records.map((record) => rows.row(record)));
        body.dataset.query = state.query;
        oldest = found.records.at(-1)?.cursor ?? "";
        older.hidden = !found.more;
      }
      head.replaceChildren(...rows.head());
      results.hidden = false;
      empty.hidden = found.records.length > 0;
      total.textContent = t("logs.total", { n: integer(counts.total) });
      chart.update(counts, bounds);
      if (!facets.parentElement.open) return;
      const values = await get("/logs/facets", { ...wanted, field: FACETS }, signal);
      showFacets(facets, values, { search: state.query, columns: state.columns, removable: [], toggle: (one) => { input.value = toggled(input.value, one); submit(); }, column: () => {}, remove: () => {} });
    } catch (error) {
      if (error.name === "AbortError" || !error.status) return;
      render(facets, error.message, () => []);
      results.hidden = true;
      outcome.hidden = true;
      plain.hidden = false;
      total.textContent = "";
      box.fault(error, state.query);
    }
  }

  facets.parentElement.addEventListener("toggle", () => { if (facets.parentElement.open) run(); });
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  input.addEventListener("search", submit);
  older.addEventListener("click", async () => {
    const found = await get("/logs", { query: state.query, ...period(), before: oldest, limit: PAGE }).catch(() => null);
    if (!found) return;
    body.append(...found.records.map((record) => rows.row(record)));
    oldest = found.records.at(-1)?.cursor ?? oldest;
    older.hidden = !found.more;
  });
  return {
    run,
    destroy() {
      request?.abort();
    },
  };
}
