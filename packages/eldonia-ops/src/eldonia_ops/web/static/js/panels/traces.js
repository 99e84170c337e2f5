// Traces of a search: a row each, its duration against the longest.
import { h } from "../lib/dom.js";
import { duration, exactly, instantText, nsToMs } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { instance } from "./instances.js";

function create(place) {
  const holder = h("div", { class: "table-scroll", tabindex: "0", role: "region" });
  place.append(holder);
  let key = "";
  return {
    update(panel, data, context) {
      const traces = (data.results ?? []).filter((one) => one.kind === "traces").flatMap((one) => one.traces ?? []);
      holder.setAttribute("aria-label", context.name);
      const next = JSON.stringify(traces);
      if (next === key) return;
      key = next;
      const longest = Math.max(1, ...traces.map((one) => one.duration_ns));
      holder.replaceChildren(h("table", { class: "panel-table panel-traces" },
        h("thead", {}, h("tr", {}, ["traces.start", "traces.root", "traces.spans", "traces.duration"].map((name) => h("th", { scope: "col", class: name === "traces.spans" ? "at-right" : "" }, t(name))))),
        h("tbody", {}, traces.map((one) => {
          const ms = nsToMs(one.start_ns);
          return h("tr", { class: one.errors ? "is-error" : "" },
            h("td", {}, h("time", { datetime: new Date(ms).toISOString(), title: exactly(ms) }, instantText(ms))),
            h("td", {}, h("a", { href: `/traces/${one.trace_id}` }, one.root || one.trace_id), h("span", { class: "sub" }, one.service, one.errors ? ` · ${t("traces.failed", { n: one.errors })}` : "")),
            h("td", { class: "at-right" }, String(one.spans)),
            h("td", {}, h("span", { class: "cell-gauge", vars: { part: String(one.duration_ns / longest), colour: one.errors ? "var(--bad)" : "var(--c0)" } }, h("i"), h("b", {}, duration(one.duration_ns / 1e6)))));
        }))));
    },
  };
}
export function render(place, panel, data, context) {
  instance(place, "traces", () => create(place)).update(panel, data, context);
}
