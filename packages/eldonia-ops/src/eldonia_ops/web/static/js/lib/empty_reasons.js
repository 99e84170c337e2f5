// "Why is this empty?": what the server found out about a query, in words, with what can be done about it.
import { get } from "./api.js";
import { h } from "./dom.js";
import { listed, when } from "./format.js";
import { language, t } from "./i18n.js";

/** One reason in words. @param {any} one */
export function reasonText(one) {
  const { only_left: left = "", only_right: right = "", different = "", ...values } = one.values;
  if (one.code === "no_pairs") {
    const parts = [
      left && t("empty_query.only_left", { labels: left }), right && t("empty_query.only_right", { labels: right }), different && t("empty_query.different", { labels: different }),
    ].filter(Boolean);
    return [t("empty_query.no_pairs", values), ...parts].join(language === "ja" ? "" : " ");
  }
  if (one.code === "two_samples" && !values.interval) return t("empty_query.two_samples_unknown", values);
  if (one.code === "value_missing" && !values.metric) return t("empty_query.value_missing_anywhere", values);
  return t(`empty_query.${one.code}`, values);
}

/**
 * @param {HTMLElement} place
 * @param {{query: string, start: number, end: number, step: number | null}} asked
 * @param {{apply: (query: string) => void, narrow: (start: number, end: number) => void}} acts
 */
export async function showReasons(place, asked, { apply, narrow }) {
  const { query, start, end, step } = asked;
  place.replaceChildren(h("p", { class: "muted small" }, t("empty_query.looking")));
  let found;
  try {
    found = await get("/promql/explain", { query, start: Math.round(start), end: Math.round(end), step: step ?? "" });
  } catch (error) {
    place.replaceChildren(h("p", { class: "muted small" }, error.message));
    return;
  }
  const characters = [...query];
  const part = (from, to) => characters.slice(from, to).join("");
  const row = (one) => h("li", {},
    h("p", {}, reasonText(one), one.values.last_at ? [" ", t("empty_query.last"), " ", when(Number(one.values.last_at)), "."] : null),
    h("p", { class: "query-fault" }, h("code", {}, part(0, one.position), h("mark", {}, part(one.position, one.end)), part(one.end))),
    one.near.length && one.code !== "no_pairs" ? h("p", { class: "muted small" }, `${t(one.suggestion || one.code === "unknown_metric" ? "empty_query.near" : "empty_query.there_are")} `, h("span", { class: "mono" }, listed(one.near))) : null,
    h("p", { class: "reason-acts" },
      one.suggestion ? h("button", { type: "button", title: one.suggestion, onclick: () => apply(one.suggestion) }, t("empty_query.apply"), " ", h("code", {}, one.suggestion)) : null,
      one.since ? h("button", { type: "button", onclick: () => narrow(one.since, one.until) }, t("empty_query.show_then")) : null),
  );
  place.replaceChildren(found.length ? h("ul", { class: "reasons" }, found.map(row)) : h("p", { class: "muted small" }, t("empty_query.none")));
}

