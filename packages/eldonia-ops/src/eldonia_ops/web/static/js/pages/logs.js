import { act, address, get } from "../lib/api.js";
import { levelChart } from "../lib/chart.js";
import { $, $$, can, h, render } from "../lib/dom.js";
import { dividing, OWN_FACETS, worthShowing } from "../lib/facet_choice.js";
import { showFacets } from "../lib/facets.js";
import { integer, rangeText, zoneName } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { openLogMetricForm } from "../lib/log_metric_form.js";
import { logRows } from "../lib/log_rows.js";
import { logTable } from "../lib/log_table.js";
import { keepViews } from "../lib/log_views.js";
import { poll } from "../lib/poll.js";
import { timeRange } from "../lib/range.js";
import { savedSearches } from "../lib/saved_searches.js";
import { searchBox } from "../lib/search_box.js";
import { copyLink } from "../lib/share_link.js";
import { fieldsOf, hasPipe, renamed, ruleSearch, searchOf, toggled } from "../lib/search_terms.js";

const LEVELS = ["debug", "info", "warn", "error"];
const OLD_PARAMETERS = ["q", "level", "service", "parse_errors", "where", "trace_id", "request_id", "user_id", "component"];
const MOST = 1000;
const MOST_FACETS = 12;
const MOST_COLUMNS = 8;
const BUCKETS = innerWidth < 640 ? 40 : 80;
const OLDER = 200;
const TAIL = 500;
const FACET_BEATS = 5;
const A_MOMENT = 500; // ms after which a search is said to go on
const form = $("#filters");
const input = form.elements.query;
const rows = $("#records");
const given = new URLSearchParams(location.search);
let columns = (given.get("columns") ?? "").split(",").filter(Boolean).slice(0, MOST_COLUMNS);
let ownFacets = given.getAll("facet").slice(0, 6);
let attributes = []; // that divide the records, chosen at each search so that they stay while it is followed
let newest = "";
let oldest = "";
let request = null;

input.value = searchOf(given);
const range = timeRange(() => load(), { preset: "1h" });
const histogram = levelChart($("#histogram"), LEVELS, (start, end) => range.narrow(start, end));
const period = ([start, end]) => ({ since: Math.round(start), until: Math.round(end) });
const box = searchBox(input, () => period(range.bounds), () => load());
const counts = (wanted, bounds, signal) => get("/logs/histogram", { ...wanted, ...period(bounds), buckets: BUCKETS }, signal);
const conditions = () => ({ query: input.value.trim() });

function keep() {
  const here = new URL(location.href);
  for (const name of [...OLD_PARAMETERS, "query", "columns", "facet"]) here.searchParams.delete(name);
  if (input.value.trim()) here.searchParams.set("query", input.value.trim());
  if (columns.length) here.searchParams.set("columns", columns.join(","));
  for (const one of ownFacets) here.searchParams.append("facet", one);
  history.replaceState(null, "", here);
  keepViews();
}

function search(text) {
  input.value = text;
  load();
}

function toggleColumn(field) {
  columns = columns.includes(field) ? columns.filter((one) => one !== field) : [...columns, field].slice(-MOST_COLUMNS);
  load();
}

const list = logRows({
  query: () => input.value,
  columns: () => columns,
  search,
  toggleColumn,
  toggled: (open) => {
    if (open ? $("#waiting").hidden : !paused()) showWaiting(0, false);
  },
});
const row = list.row;
const piped = logTable($("#piped"), { search, narrow: (start, end) => range.narrow(start, end) });

// A search with pipes is a table; what belongs to a list of records is not there.
function showTable(on) {
  $("#piped").hidden = !on;
  $("#plain").hidden = on;
}

// Whether the search has pipes: then what comes out of it is shown.
async function loadTable(wanted, bounds, signal) {
  if (!hasPipe(wanted.query)) return false;
  const found = await get("/logs/table", { ...wanted, ...period(bounds), tz: zoneName, limit: MOST }, signal);
  if (found.shape === "search") return false;
  box.fault(null, "");
  showTable(true);
  piped.update(found, bounds);
  $("#downloads").hidden = false;
  link(wanted, bounds);
  $("#total").textContent = piped.total(found);
  return true;
}

function link(wanted, bounds) {
  const asked = { ...wanted, ...period(bounds) };
  $("#download-ndjson").href = address("/logs/export.ndjson", { ...asked, tz: zoneName });
  $("#download-csv").href = address("/logs/export.csv", { ...asked, tz: zoneName, column: columns });
}

async function load() {
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  const wanted = conditions();
  keep();
  $("#head").replaceChildren(...list.head());
  const bounds = range.bounds;
  const waiting = setTimeout(() => { $("#total").textContent = t("logs.searching"); }, A_MOMENT);
  try {
    if (await loadTable(wanted, bounds, signal)) return;
    showTable(false);
    const counting = counts(wanted, bounds, signal);
    counting.catch(() => {}); // looked at below
    const page = await get("/logs", { ...wanted, ...period(bounds), limit: 100 }, signal);
    box.fault(null, "");
    rows.replaceChildren(...page.records.map((record) => row(record, false)));
    attributes = dividing(page.records);
    showWaiting(0, false);
    $("#results").hidden = false;
    $("#downloads").hidden = false;
    newest = page.records[0]?.cursor ?? "";
    oldest = page.records.at(-1)?.cursor ?? "";
    $("#older").hidden = !page.more;
    $("#empty").hidden = page.records.length > 0;
    await counted(counting, bounds);
    clearTimeout(waiting);
    await beside(() => Promise.all([facets(wanted, bounds, signal), suggest(page.records.length > 0, wanted, bounds, signal)]));
  } catch (error) {
    if (error.name === "AbortError") return;
    if (error.status) {
      request = null; // nothing to follow: the search itself was refused
      showTable(false);
      rows.replaceChildren();
      $("#results").hidden = true;
      $("#downloads").hidden = true;
      $("#total").textContent = "";
      box.fault(error, wanted.query);
    }
  } finally {
    clearTimeout(waiting);
  }
}

// The newest records are found long before all are counted: they are shown meanwhile, also when counting takes too long.
async function counted(counting, bounds) {
  try {
    drawCounts(await counting, bounds);
  } catch (error) {
    if (!error.status) throw error;
    histogram.update({ starts: [], counts: {} }, bounds);
    $("#total").textContent = error.message;
  }
}

// What is shown beside the records: that it fails, for it reads more than they do, takes nothing from them.
async function beside(work) {
  try {
    await work();
  } catch (error) {
    if (!error.status) throw error;
    render($("#facets"), error.message, () => [h("p", { class: "muted small" }, error.message)]);
  }
}

const ORDER = ["level", "service"];
const place = (field) => (ORDER.includes(field) ? ORDER.indexOf(field) : attributes.includes(field) ? 2 : 3);

async function facets(wanted, bounds, signal) {
  const written = input.value;
  const named = fieldsOf(written);
  const field = [...new Set([...ownFacets, ...OWN_FACETS, ...named, ...attributes])].slice(0, MOST_FACETS);
  const found = await get("/logs/facets", { ...wanted, ...period(bounds), field }, signal);
  showFacets($("#facets"), worthShowing(found, (one) => ownFacets.includes(one) || named.includes(one)).sort((a, b) => place(a.field) - place(b.field)), {
    search: written,
    columns,
    removable: ownFacets,
    toggle: (one) => search(toggled(input.value, one)),
    column: toggleColumn,
    remove: (one) => { ownFacets = ownFacets.filter((other) => other !== one); load(); },
  });
}

// Which fields of a search that finds nothing are in no record of its time.
async function explain(wanted, bounds, signal) {
  const unknown = await get("/logs/unknown-fields", { ...wanted, ...period(bounds) }, signal);
  $("#unknown-fields").replaceChildren(...unknown.map(({ name, near }) =>
    h("span", {}, t("search.unknown_field", { field: name }), " ",
      near ? [t("search.meant"), " ", h("button", { type: "button", onclick: () => search(renamed(input.value, name, near)) }, h("span", { class: "mono" }, near))] : null)));
}

// What a search in plain words that finds nothing may have meant.
async function suggest(found, wanted, bounds, signal) {
  const place = $("#suggestion");
  place.replaceChildren();
  $("#unknown-fields").replaceChildren();
  if (found || !wanted.query) return;
  await explain(wanted, bounds, signal);
  const [other] = await get("/logs/suggestion", { ...wanted, ...period(bounds), tz: zoneName }, signal);
  if (!other) return;
  const time = other.since === null ? "" : rangeText(other.since, other.until);
  const take = () => {
    input.value = other.query;
    if (other.since === null) load();
    else range.narrow(other.since, other.until);
  };
  place.replaceChildren(t("search.meant"), " ", h("button", { type: "button", onclick: take }, h("span", { class: "mono" }, other.query || "*"), time ? ` · ${time}` : "", ` · ${t("logs.total", { n: integer(other.count) })}`));
}

function drawCounts(found, bounds) {
  link(conditions(), bounds);
  $("#total").textContent = t("logs.total", { n: integer(found.total) });
  histogram.update(found, bounds);
}

$("#older").addEventListener("click", async (event) => {
  const { signal } = request;
  event.target.disabled = true;
  await act(async () => {
    const page = await get("/logs", { ...conditions(), ...period(range.bounds), before: oldest, limit: OLDER }, signal);
    rows.append(...page.records.map((record) => row(record, false)));
    oldest = page.records.at(-1)?.cursor ?? oldest;
    $("#older").hidden = !page.more;
  });
  event.target.disabled = false;
});

// What is too much for a browser goes at the old end; "older" fetches it again.
function trim() {
  const shown = $$(".record", rows);
  if (shown.length <= MOST) return;
  let last = shown[MOST - 1];
  oldest = last.dataset.cursor;
  $("#older").hidden = false;
  if (last.dataset.open) last = last.nextElementSibling;
  while (last.nextElementSibling) last.nextElementSibling.remove();
}

// While a record is open the list stays where it is: what arrives is counted, and comes at a click.
const paused = () => Boolean($(".record[data-open]", rows));

function showWaiting(count, more) {
  const button = $("#waiting");
  button.hidden = !(range.live && paused());
  button.textContent = t("search.paused", { n: more ? `${integer(count)}+` : integer(count) });
}

$("#waiting").addEventListener("click", () => {
  for (const line of $$(".record[data-open]", rows)) $(".expander", line).click();
  tail.now();
});

let beats = 0;
async function follow() {
  if (!range.live || !request) return;
  const { signal } = request; // a new search ends this one: its answer would be about something else
  const wanted = conditions();
  const bounds = range.bounds;
  beats += 1;
  if (!$("#piped").hidden) return void (beats % FACET_BEATS === 0 && load());
  try {
    const page = await get("/logs", { ...wanted, ...period(bounds), after: newest, limit: TAIL }, signal);
    if (paused()) return void showWaiting(page.records.length, page.more);
    if (page.more) return void load(); // more than one answer holds: begin anew rather than leave a gap
    if (page.records.length) {
      newest = page.records[0].cursor;
      oldest ||= page.records.at(-1).cursor;
      $("#empty").hidden = true;
      rows.prepend(...page.records.map((record) => row(record, true)));
      trim();
    }
    if (page.records.length || beats % FACET_BEATS === 0) drawCounts(await counts(wanted, bounds, signal), bounds);
    if (beats % FACET_BEATS === 0) await beside(() => facets(wanted, bounds, signal));
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

let typing = 0;
input.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(load, 400);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  load();
});
$("#facet-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = $("#facet-field").value.trim();
  $("#facet-field").value = "";
  if (!field || ownFacets.includes(field)) return;
  ownFacets = [...ownFacets, field].slice(-6);
  load();
});
$("#facet-field").addEventListener("focus", async () => {
  const found = await get("/logs/fields", period(range.bounds)).catch(() => []);
  $("#facet-fields").replaceChildren(...found.map((one) => h("option", { value: one.name })));
});
savedSearches(() => ({ ...conditions(), columns }), (saved) => {
  columns = saved.columns;
  search(saved.query);
});
$("#share").addEventListener("click", () => copyLink(range.bounds));
if (can("administer")) {
  $("#make-metric").addEventListener("click", () => { $("#make").open = false; openLogMetricForm({ search: input.value }); });
  $("#make-alert").addEventListener("click", () => { location.href = `/rules?${new URLSearchParams({ logs: ruleSearch(input.value) })}#new`; });
}
if (innerWidth > 900) $("#facet-side").open = true;

await load();
const tail = poll(follow, 2000);
document.addEventListener("retry", load);
