import { get } from "../lib/api.js";
import { $ } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { poll } from "../lib/poll.js";
import { timeRange } from "../lib/range.js";
import { palette } from "../lib/services.js";
import { traceRow } from "../lib/trace_rows.js";

const form = $("#filters");
const given = new URLSearchParams(location.search);
const MOST = 100;
const NAMES = ["service", "operation", "min_duration", "max_duration", "where"];
const range = timeRange(() => load().catch(() => {}), { preset: "1h" });

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
  for (const name of [...NAMES, "errors"]) {
    const value = name === "errors" ? (form.elements.errors.checked ? "true" : "") : form.elements[name].value.trim();
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  history.replaceState(null, "", address);
}

let serviceClass = palette([]);
let request = null;
async function load() {
  request?.abort();
  request = new AbortController();
  const wrong = form.querySelector("input:invalid");
  if (wrong) {
    // The list of another search would be taken for the answer to this one.
    $("#rows").replaceChildren();
    $("#empty").hidden = true;
    $("#total").textContent = t("traces.invalid", { field: wrong.closest("label").textContent.trim(), example: wrong.placeholder });
    return;
  }
  keep();
  const [since, until] = range.bounds.map(Math.round);
  const wanted = { since, until, limit: MOST, errors: form.elements.errors.checked ? "true" : "" };
  for (const name of NAMES) wanted[name] = form.elements[name].value.trim();
  try {
    const found = await get("/traces", wanted, request.signal);
    const longest = Math.max(1, ...found.map((one) => one.duration_ns));
    $("#rows").replaceChildren(...found.map((trace) => traceRow(trace, longest, serviceClass)));
    $("#empty").hidden = found.length > 0;
    $("#total").textContent = t(found.length < MOST ? "traces.total" : "traces.newest", { n: found.length });
  } catch (error) {
    if (error.name === "AbortError") return; // a newer search is under way
    request = null;
    if (error.status) {
      $("#rows").replaceChildren();
      $("#empty").hidden = true;
      $("#total").textContent = error.message;
    }
    throw error;
  }
}

for (const name of ["min_duration", "max_duration", "where"]) form.elements[name].value = given.get(name) ?? "";
form.elements.errors.checked = given.get("errors") === "true";
const services = await get("/traces/services").catch(() => []);
serviceClass = palette(services);
options(form.elements.service, services, given.get("service") ?? "");
await operations(given.get("operation") ?? "").catch(() => {});
poll(async () => {
  if (range.live || !request) await load();
}, 5000);

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
