// What an empty panel says, and on request what the server finds out about its query.
import { h } from "../lib/dom.js";
import { showReasons } from "../lib/empty_reasons.js";
import { t } from "../lib/i18n.js";
import { exploreAddress } from "./explore.js";

/** The first PromQL query of a panel as it was asked, with the values of its variables; '' for none. @param {any} item */
function askedQuery(item) {
  const query = (item.panel.queries ?? []).find((one) => one.expr && !one.hide && (one.language ?? "promql") === "promql");
  return query ? ((item.results ?? []).find((one) => one.ref === query.ref)?.expr ?? query.expr) : "";
}

/** @param {any} page @param {any} item @returns {(HTMLElement | string)[]} */
export function whyEmpty(page, item) {
  const hint = h("span", {}, t("dashboard.no_data_hint"));
  const query = askedQuery(item);
  if (!query) return [hint];
  const address = exploreAddress(page, item);
  const place = h("div", { class: "panel-reasons" });
  const [start, end] = item.bounds ?? page.bounds();
  const ask = () => {
    button.remove();
    showReasons(place, { query, start, end, step: Math.max(15, Math.round((end - start) / 250_000)) }, {
      apply: (suggestion) => { const wanted = new URLSearchParams(address.slice(address.indexOf("?"))); wanted.set("query", suggestion); location.href = `/explore?${wanted}`; },
      narrow: (from, to) => page.zoom(from, to),
    });
  };
  const button = h("button", { type: "button", class: "quiet", onclick: ask }, t("explore.why"));
  return [hint, button, place];
}
