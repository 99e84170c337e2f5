// A pane of Explore on traces: the filters and the list of the traces page.
import { get } from "./api.js";
import { h } from "./dom.js";
import { nsToMs } from "./format.js";
import { t } from "./i18n.js";
import { palette } from "./services.js";
import { traceRow } from "./trace_rows.js";
import { traceFault } from "./trace_filters.js";

const MOST = 50;

/**
 * @param {HTMLElement} place
 * @param {import("./explore_state.js").Pane["traces"]} state
 * @param {object} page
 * @param {() => [number, number]} page.bounds
 * @param {(step?: boolean) => void} page.changed
 * @param {(kind: string, state: any, around?: number) => void} page.beside
 */
export function tracesPane(place, state, page) {
  const field = (name, props = {}) => {
    const input = /** @type {HTMLInputElement} */ (h("input", { name, autocomplete: "off", spellcheck: "false", ...props }));
    input.value = state[name];
    return input;
  };
  const service = field("service", { list: "explore-services" });
  const services = h("datalist", { id: "explore-services" });
  const least = field("min_duration", { placeholder: "200ms" });
  const most = field("max_duration", { placeholder: "2s" });
  const where = field("where", { placeholder: "http.response.status_code>=500", maxlength: "4000" });
  const errors = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", name: "errors", checked: state.errors }));
  const sort = /** @type {HTMLSelectElement} */ (h("select", { name: "sort" }, ["newest", "longest", "spans", "errors"].map((name) => h("option", { value: name }, t(`traces.sort_${name}`)))));
  sort.value = state.sort;
  const total = h("span", { class: "total", "aria-live": "polite" });
  const fault = h("p", { class: "query-fault", role: "alert", hidden: true });
  const body = h("tbody");
  const empty = h("div", { class: "empty", hidden: true }, h("h2", {}, t("traces.empty")), h("p", {}, t("traces.empty_hint")));
  const label = (key, input, short = false) => h("label", { class: `field${short ? " short" : ""}` }, h("span", {}, t(`traces.${key}`)), input);
  const form = h("form", { class: "filters", role: "search" }, label("service", service), services, label("min", least, true), label("max", most, true), label("where", where), label("sort", sort),
    h("label", { class: "chip level-error" }, errors, h("span", {}, t("traces.errors"))), total);
  const column = (key, more = "") => h("th", { scope: "col", class: more }, t(`traces.${key}`));
  place.replaceChildren(form, fault, h("section", { class: "card flush" }, h("table", { class: "stack-table trace-table" }, h("thead", {}, h("tr", {}, column("start"), column("root"), column("services"), column("spans", "num"), column("duration", "wide"))), body), empty));
  let request = null;
  let serviceClass = palette([]);

  const links = (trace) => {
    const at = nsToMs(trace.start_ns);
    return [
      h("button", { type: "button", class: "link-button", onclick: () => page.beside("logs", { query: `trace_id:${trace.trace_id}` }, at) }, t("explore.its_logs")),
      h("button", { type: "button", class: "link-button", onclick: () => page.beside("metrics", { service: trace.service }, at) }, t("explore.service_metrics")),
    ];
  };

  async function run() {
    request?.abort();
    request = new AbortController();
    const [since, until] = page.bounds().map(Math.round);
    const { service: name, operation, min_duration, max_duration, where: condition, sort: order } = state;
    try {
      const found = await get("/traces", { since, until, limit: MOST, service: name, operation, min_duration, max_duration, where: condition, errors: state.errors ? "true" : "", sort: order }, request.signal);
      fault.hidden = true;
      const longest = Math.max(1, ...found.map((one) => one.duration_ns));
      body.replaceChildren(...found.map((trace) => traceRow(trace, longest, serviceClass, links(trace))));
      empty.hidden = found.length > 0;
      total.textContent = t(found.length < MOST ? "traces.total" : `traces.first_${order}`, { n: found.length });
    } catch (error) {
      if (error.name === "AbortError" || !error.status) return;
      body.replaceChildren();
      empty.hidden = true;
      total.textContent = "";
      traceFault(fault, error, { where: condition, min_duration, max_duration });
    }
  }

  function read() {
    for (const input of [service, least, most, where]) state[input.name] = input.value.trim();
    state.errors = errors.checked;
    state.sort = sort.value;
    page.changed(true);
    run();
  }
  form.addEventListener("change", read);
  form.addEventListener("submit", (event) => { event.preventDefault(); read(); });
  get("/traces/services").then((names) => {
    serviceClass = palette(names);
    services.replaceChildren(...names.map((name) => h("option", { value: name })));
  }).catch(() => {});
  return {
    run,
    destroy() {
      request?.abort();
    },
  };
}
