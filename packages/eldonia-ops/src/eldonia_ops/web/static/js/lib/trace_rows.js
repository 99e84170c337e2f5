// A line of a list of traces: for the traces page, Explore and the page of a service.
import { h } from "./dom.js";
import { duration, exactly, instantText, nsToMs } from "./format.js";
import { t } from "./i18n.js";

/**
 * @param {any} trace
 * @param {number} longest the longest duration in the list, in ns
 * @param {(service: string) => string} serviceClass
 * @param {any[]} [links] what else can be done with it
 */
export function traceRow(trace, longest, serviceClass, links = []) {
  const ms = nsToMs(trace.start_ns);
  const link = `/traces/${trace.trace_id}`;
  return h("tr", { class: trace.errors ? "is-error" : "" },
    h("td", { "data-label": t("traces.start") }, h("time", { datetime: new Date(ms).toISOString(), title: exactly(ms) }, instantText(ms))),
    h("td", { "data-label": t("traces.root") }, h("span", {}, h("a", { href: link }, trace.root || trace.trace_id), h("span", { class: "sub" }, trace.service, trace.errors ? ` · ${t("traces.failed", { n: trace.errors })}` : ""), links.length ? h("span", { class: "row-links" }, links) : null)),
    h("td", { "data-label": t("traces.services") }, h("span", {}, trace.services.map((name) => h("span", { class: `service-dot ${serviceClass(name)}` }, h("i"), h("span", {}, name))))),
    h("td", { class: "num", "data-label": t("traces.spans") }, trace.spans),
    h("td", { "data-label": t("traces.duration") }, h("div", { class: "bar-cell" }, h("span", {}, duration(trace.duration_ns / 1e6)), h("div", { class: "bar" }, h("i", { vars: { part: trace.duration_ns / longest } })))),
  );
}
