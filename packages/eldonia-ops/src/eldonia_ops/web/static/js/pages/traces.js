import { get } from "../lib/api.js";
import { $ } from "../lib/dom.js";
import { integer } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { poll } from "../lib/poll.js";
import { timeRange } from "../lib/range.js";
import { searchBox } from "../lib/search_box.js";
import { palette } from "../lib/services.js";
import { durationFilter, traceCharts } from "../lib/trace_chart.js";
import { fieldOf, traceFault } from "../lib/trace_filters.js";
import { traceRow } from "../lib/trace_rows.js";

const form = $("#filters");
const MOST = 100;
const NAMES = ["service", "operation", "min_duration", "max_duration", "where"];
const BUCKETS = innerWidth < 640 ? 40 : 80;
const range = timeRange(() => load().catch(() => {}), { preset: "1h" });
const charts = traceCharts($("#map"), $("#bars"), narrow);
const period = () => {
  const [since, until] = range.bounds.map(Math.round);
  return { since, until };
};
// What is completed are the fields and values of spans in this time, of the service that is chosen.
searchBox(form.elements.where, () => ({ ...period(), service: form.elements.service.value }), () => load().catch(() => {}), { of: "traces", joiner: "=" });

function options(select, names, chosen) {
  select.replaceChildren(select.options[0], ...names.map((name) => new Option(name, name, false, name === chosen)));
  select.value = names.includes(chosen) ? chosen : "";
}

async function operations(chosen = "") {
  const service = form.elements.service.value;
  form.elements.operation.disabled = !service;
  options(form.elements.operation, service ? await get("/traces/operations", { service }) : [], chosen);
}

function keep() {
  const address = new URL(location.href);
  for (const name of [...NAMES, "errors", "sort"]) {
    const value = name === "errors" ? (form.elements.errors.checked ? "true" : "") : name === "sort" && form.elements.sort.value === "newest" ? "" : form.elements[name].value.trim();
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  history.replaceState(null, "", address);
}

// What is dragged over in a chart becomes the filter; "back" takes it away again.
/** @param {{from?: number, to?: number, min?: number, max?: number}} wanted */
function narrow({ from, to, min, max }) {
  history.pushState(null, "", location.href);
  if (min !== undefined) form.elements.min_duration.value = durationFilter(min);
  if (max !== undefined) form.elements.max_duration.value = durationFilter(max);
  if (from === undefined) load().catch(() => {});
  else range.narrow(from, to);
}

function fault(error, texts) {
  for (const name of NAMES) form.elements[name].removeAttribute("aria-invalid");
  traceFault($("#fault"), error, texts);
  form.elements[fieldOf(error ?? {})]?.setAttribute("aria-invalid", "true");
}

let serviceClass = palette([]);
let request = null;
async function load() {
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  keep();
  const wanted = { ...period(), errors: form.elements.errors.checked ? "true" : "" };
  for (const name of NAMES) wanted[name] = form.elements[name].value.trim();
  const sort = form.elements.sort.value;
  try {
    const [found, spread] = await Promise.all([get("/traces", { ...wanted, limit: MOST, sort }, signal), get("/traces/distribution", { ...wanted, times: BUCKETS }, signal)]);
    fault(null, {});
    const longest = Math.max(1, ...found.map((one) => one.duration_ns));
    $("#rows").replaceChildren(...found.map((trace) => traceRow(trace, longest, serviceClass)));
    $("#empty").hidden = found.length > 0;
    const all = t("traces.total", { n: integer(spread.total) });
    $("#total").textContent = found.length < MOST ? all : t("traces.of", { shown: t(`traces.first_${sort}`, { n: found.length }), all: integer(spread.total) });
    charts.update(spread);
  } catch (error) {
    if (error.name === "AbortError") return; // a newer search is under way
    request = null;
    if (error.status) {
      // The list of another search would be taken for the answer to this one.
      $("#rows").replaceChildren();
      $("#empty").hidden = true;
      $("#total").textContent = "";
      charts.update(null);
      fault(error, wanted);
    }
    throw error;
  }
}

function read(given) {
  for (const name of ["min_duration", "max_duration", "where"]) form.elements[name].value = given.get(name) ?? "";
  form.elements.errors.checked = given.get("errors") === "true";
  form.elements.sort.value = given.get("sort") ?? "newest";
  if (!form.elements.sort.value) form.elements.sort.value = "newest";
}

const given = new URLSearchParams(location.search);
read(given);
const services = await get("/traces/services").catch(() => []);
serviceClass = palette(services);
options(form.elements.service, services, given.get("service") ?? "");
await operations(given.get("operation") ?? "").catch(() => {});
poll(async () => {
  if (range.live || !request) await load();
}, 5000);

addEventListener("popstate", async () => {
  const back = new URLSearchParams(location.search);
  read(back);
  form.elements.service.value = back.get("service") ?? "";
  await operations(back.get("operation") ?? "").catch(() => {});
  range.restore();
  load().catch(() => {});
});

let typing = 0;
form.addEventListener("input", async (event) => {
  clearTimeout(typing);
  if (event.target.name === "service") await operations();
  typing = setTimeout(() => load().catch(() => {}), event.target.type === "checkbox" || event.target.tagName === "SELECT" ? 0 : 350);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  load().catch(() => {});
});
