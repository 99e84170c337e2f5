// Patterns of log messages: their templates with the wildcards marked, and the rows of the two tables.
import { badge, h } from "./dom.js";
import { digits, integer, percent, whenAgo } from "./format.js";
import { t } from "./i18n.js";
import { withTerm } from "./search_terms.js";
import { sparkline } from "./sparkline.js";

const WILDCARD = /(<[#*…]>)/;
const TONES = { new: "bad", more: "warn", rarer: "info", gone: "" };
const MOST_SERVICES = 3;

/** A template as elements: what varies is marked. @param {string} template */
export const templateParts = (template) =>
  template.split(WILDCARD).map((part, index) => (index % 2 ? h("span", { class: "wildcard", title: t(`patterns.wildcard_${{ "#": "number", "*": "any", "…": "rest" }[part[1]]}`) }, part.slice(1, -1)) : part));

/** How many times as frequent, in words. @param {number} ratio */
export function timesText(ratio) {
  return ratio >= 1 ? t("patterns.times_more", { n: digits(ratio) }) : t("patterns.times_fewer", { n: digits(1 / ratio) });
}

function services(pattern) {
  const names = Object.keys(pattern.services);
  if (!names.length) return null;
  const rest = names.length - MOST_SERVICES;
  return h("span", { class: "sub" }, names.slice(0, MOST_SERVICES).join(", "), rest > 0 ? ` ${t("patterns.more_services", { n: rest })}` : "");
}

function template(pattern, page, period) {
  const address = `/logs?${new URLSearchParams({ query: withTerm(page.search(), pattern.query), ...period })}`;
  const text = pattern.template ? templateParts(pattern.template) : [t("patterns.unknown_template", { id: pattern.id })];
  return h("td", { class: "template" }, h("a", { class: "mono", href: address, title: t("patterns.records") }, text), services(pattern));
}

const level = (pattern) => h("td", { class: "narrow", "data-label": t("logs.level") }, h("span", { class: `level ${pattern.level}` }, pattern.level));
const seen = (pattern) => h("td", { class: "narrow", "data-label": t("patterns.first_seen") }, whenAgo(pattern.first_seen));
const line = (pattern) => h("td", { class: "narrow", "data-label": t("patterns.over_time") }, sparkline(pattern.buckets, t("patterns.over_time")));
const exclude = (pattern, page) => h("td", {}, h("button", { type: "button", class: "icon-button", "aria-label": t("patterns.exclude_this", { template: pattern.template || pattern.id }), title: t("search.exclude"), onclick: () => page.exclude(pattern.query) }, "−"));
const number = (label, text) => h("td", { class: "num narrow", "data-label": label }, text);

const heads = (columns) => columns.map(([text, className]) => h("th", { scope: "col", class: className ?? "" }, text));

/**
 * @typedef {object} PatternsPage
 * @property {() => string} search the search that is shown
 * @property {(term: string) => void} exclude leaves records of a pattern out
 */

export const listHead = () => heads([[t("logs.level")], [t("patterns.pattern")], [t("patterns.count"), "num"], [t("patterns.share")], [t("patterns.over_time")], [t("patterns.first_seen")], [h("span", { class: "hide" }, t("search.exclude"))]]);

/** @param {any} pattern @param {number} total @param {any} period @param {PatternsPage} page */
export function listRow(pattern, total, period, page) {
  const share = total ? pattern.count / total : 0;
  return h("tr", {},
    level(pattern),
    template(pattern, page, period),
    number(t("patterns.count"), integer(pattern.count)),
    h("td", { class: "narrow", "data-label": t("patterns.share") }, h("span", { class: "share" }, h("span", {}, percent(share)), h("span", { class: "bar" }, h("i", { vars: { share: `${(share * 100).toFixed(2)}%` } })))),
    line(pattern), seen(pattern), exclude(pattern, page));
}

export const changeHead = () => heads([[t("patterns.difference")], [t("logs.level")], [t("patterns.pattern")], [t("patterns.count"), "num"], [t("patterns.before"), "num"], [t("patterns.rate"), "num"], [t("patterns.over_time")], [t("patterns.first_seen")], [h("span", { class: "hide" }, t("search.exclude"))]]);

/** @param {any} change @param {{from: number, to: number}} now @param {{from: number, to: number}} before @param {PatternsPage} page */
export function changeRow(change, now, before, page) {
  const { pattern, difference } = change;
  const ratio = difference === "new" || difference === "gone" ? "–" : timesText(change.ratio);
  return h("tr", {},
    h("td", { class: "narrow" }, badge(t(`patterns.is_${difference}`), TONES[difference])),
    level(pattern),
    template(pattern, page, difference === "gone" ? before : now),
    number(t("patterns.count"), integer(change.count)),
    number(t("patterns.before"), integer(change.count_before)),
    number(t("patterns.rate"), h("span", { title: t("patterns.score", { n: digits(change.score) }) }, ratio)),
    line(pattern), seen(pattern), exclude(pattern, page));
}
