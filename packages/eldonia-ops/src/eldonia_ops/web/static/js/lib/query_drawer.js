// The drawer of queries: those run in this browser, and those that people save for each other.
import { savedSearches } from "./saved_searches.js";
import { $, h, icon, open } from "./dom.js";
import { whenAgo } from "./format.js";
import { t } from "./i18n.js";
import { forget, history, star } from "./query_history.js";

let chosen = (_query) => {};
let present = () => "";
let saved = null;

function row(entry) {
  return h("li", {},
    h("button", { type: "button", class: "icon-button", "aria-pressed": String(Boolean(entry.starred)), "aria-label": t("explore.star"), title: t("explore.star"), onclick: () => { star(entry.query); show(); } }, entry.starred ? "★" : "☆"),
    h("div", { class: "saved-what" }, h("button", { type: "button", class: "link-button mono", onclick: () => { $("#queries").close(); chosen(entry.query); } }, entry.query), h("span", { class: "muted small" }, whenAgo(entry.at))),
    h("button", { type: "button", class: "icon-button", "aria-label": t("explore.forget"), title: t("explore.forget"), onclick: () => { forget(entry.query); show(); } }, icon("close")));
}

function show() {
  const wanted = $("#queries-search").value.toLowerCase();
  const found = history().filter((one) => one.query.toLowerCase().includes(wanted)).sort((a, b) => Number(Boolean(b.starred)) - Number(Boolean(a.starred)) || b.at - a.at);
  $("#queries-list").replaceChildren(...found.map(row));
  $("#queries-none").hidden = found.length > 0;
}

/** @param {(query: string) => void} choose @param {() => string} current */
export function openQueries(choose, current) {
  [chosen, present] = [choose, current];
  if (!saved) {
    saved = savedSearches(() => ({ query: present(), columns: [] }), (one) => { $("#queries").close(); chosen(one.query); }, { path: "/promql/searches" });
    $("#queries-search").addEventListener("input", show);
    $("#queries-clear").addEventListener("click", () => { forget(); show(); });
  }
  show();
  open($("#queries"));
}
