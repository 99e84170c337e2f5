// Where the queries of a panel are looked at on their own.
import { logSearch } from "../panels/logs.js";

/** @param {any} page @param {any} item @returns {string} empty where there is nothing to look at */
export function exploreAddress(page, item) {
  const results = (item.results ?? []).filter((one) => one.expr);
  const queries = (item.panel.queries ?? []).filter((one) => one.expr && !one.hide);
  const first = queries[0];
  if (!first) return "";
  const [from, to] = item.bounds ?? page.bounds();
  const expressionOf = (query) => results.find((one) => one.ref === query.ref)?.expr ?? query.expr;
  if (first.language === "logs") return logSearch(expressionOf(first), [from, to]);
  const address = new URLSearchParams();
  for (const one of queries.filter((each) => (each.language ?? "promql") === (first.language ?? "promql"))) address.append(first.language === "traces" ? "traces" : "query", expressionOf(one));
  const now = new URLSearchParams(location.search);
  if (page.range.fixed || item.panel.time_from) { address.set("from", String(Math.round(from))); address.set("to", String(Math.round(to))); }
  else address.set("range", now.get("range") ?? page.range.preset);
  return `/explore?${address}`;
}
