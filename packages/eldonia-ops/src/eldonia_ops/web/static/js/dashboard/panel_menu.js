// What can be done with a panel: its menu, its description, and looking behind it.
import { can, h, icon, json, toast } from "../lib/dom.js";
import { duration, exactly, integer } from "../lib/format.js";
import { words } from "../lib/dashboards/display.js";
import { duplicatePanel, removePanel, rowOfPanel, rowsOf, toRow } from "../lib/dashboards/document.js";
import { csv, joinedByTime, rowsIn, tableOf } from "../lib/dashboards/frames.js";
import { t } from "../lib/i18n.js";
import { dialog, menu, popover } from "./menu.js";
import { keepPanel } from "./clipboard.js";
import { exploreAddress } from "./explore.js";
import { shareLink } from "./sharing.js";

/** The table behind a panel: what a table panel would show. */
export const tableBehind = (item) => tableOf(item.data?.frames?.length > 1 && item.panel.type !== "table" ? [joinedByTime(item.data.frames)].filter((frame) => rowsIn(frame)) : (item.data?.frames ?? []));
export function download(name, text, type) {
  const link = h("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
const fileName = (item) => `${(item.name || "panel").replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "panel"}`;
export async function copyText(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    toast(said);
  } catch {
    // Without permission, or over plain HTTP: the text is shown to be copied by hand.
    dialog(t("dashboard.copy_by_hand"), () => [h("textarea", { readonly: true, rows: "6", class: "mono", onfocus: (event) => event.currentTarget.select() }, text)], { close: t("shell.close") }).box.querySelector("textarea").focus();
  }
}

export function describe(item, anchor) {
  popover(anchor, h("div", { class: "panel-about", tabindex: "-1" }, h("p", {}, words(item.panel.description))));
}

/** @param {any} page @param {any} item @param {HTMLElement} anchor */
export function panelMenu(page, item, anchor) {
  const editing = page.editing();
  const chart = item.panel.type !== "text";
  const explore = exploreAddress(page, item);
  const table = item.panel.type !== "table" && item.panel.type !== "logs" && item.panel.type !== "traces" && chart;
  const here = rowOfPanel(page.dashboard(), item.id)?.id ?? null;
  const rows = [{ id: null, name: t("dashboard.no_row") }, ...rowsOf(page.dashboard()).map((one) => ({ id: one.id, name: words(one.title) || t("dashboard.untitled_row") }))];
  menu(anchor, [
    { name: page.solo ? t("dashboard.view_all") : t("dashboard.view"), icon: "full", key: "v", act: () => page.showAlone(page.solo ? null : item.key) },
    can("respond") && { name: t("dashboard.edit_panel"), icon: "edit", key: "e", act: () => page.edit(item) },
    explore && { name: t("dashboard.explore"), icon: "search", key: "x", href: explore },
    chart && { name: t("dashboard.inspect"), icon: "code", key: "i", act: () => page.inspect(item) },
    table && { name: t("dashboard.as_table"), icon: "table", checked: item.table, act: () => { item.table = !item.table; page.loader.redraw(item); } },
    chart && { name: t("dashboard.csv"), icon: "download", act: () => download(`${fileName(item)}.csv`, csv(tableBehind(item)), "text/csv") },
    "line",
    { name: t("dashboard.share_panel"), icon: "share", act: () => copyText(shareLink(page, item.key), t("dashboard.link_copied")) },
    { name: t("dashboard.copy_panel"), icon: "copy", act: () => { keepPanel(item.panel); toast(t("dashboard.panel_copied")); } },
    ...(editing ? [
      "line",
      { name: t("dashboard.duplicate"), icon: "plus", act: () => page.change(duplicatePanel(page.dashboard(), item.id)[0], t("dashboard.did_duplicate", { name: item.name })) },
      ...(rows.length > 1 ? rows.filter((one) => one.id !== here).slice(0, 8).map((one) => ({ name: t("dashboard.to_row", { name: one.name }), act: () => page.change(toRow(page.dashboard(), item.id, one.id), t("dashboard.did_move", { name: item.name })) })) : []),
      { name: t("dashboard.remove"), icon: "trash", danger: true, act: () => {
        page.change(removePanel(page.dashboard(), item.id), t("dashboard.did_remove", { name: item.name }));
        toast(t("dashboard.did_remove", { name: item.name }), { undo: [t("dashboard.undo"), () => page.undo()] });
      } },
    ] : []),
  ]);
}

/** What is behind a panel: its queries as they were asked, how long they took, the data, the panel's own document. */
export function inspect(page, item) {
  const results = item.results ?? [];
  const tabs = [["data", t("inspect.data")], ["queries", t("inspect.queries")], ["json", t("inspect.json")]];
  let chosen = results.some((one) => one.error) || item.error ? "queries" : "data";
  const body = h("div", { class: "inspect-body" });
  const strip = h("div", { class: "tabs", role: "tablist" });
  const queries = () => [
    item.error ? h("p", { class: "fault" }, item.error.message) : null,
    ...results.map((one) => {
      const shared = one.shared ? t("inspect.shared") : "";
      const points = (one.series ?? []).reduce((sum, each) => sum + each.values.length, 0) || (one.records?.length ?? one.traces?.length ?? 0);
      return h("section", { class: "inspect-query" },
        h("h3", {}, one.ref, one.error ? h("span", { class: "badge bad" }, t("inspect.failed")) : null),
        h("pre", { class: "mono" }, one.expr),
        one.error ? h("p", { class: "fault" }, one.error.message, one.error.hint ? h("span", { class: "sub" }, one.error.hint) : null) : null,
        ...(one.warnings ?? []).map((text) => h("p", { class: "sub warn" }, text)),
        h("dl", { class: "facts-list" },
          ...[["inspect.took", duration((one.seconds ?? 0) * 1000) + (shared ? ` · ${shared}` : "")], ["inspect.series", integer(one.series?.length ?? 0)], ["inspect.points", integer(points)], ["inspect.step", one.step ? duration(one.step) : "–"], ["inspect.range", one.from ? `${exactly(one.from)} – ${exactly(one.to)}` : "–"]]
            .map(([key, text]) => h("div", {}, h("dt", {}, t(key)), h("dd", {}, text)))));
    }),
    results.length || item.error ? null : h("p", { class: "muted" }, t("inspect.none")),
  ];
  const data = () => {
    const table = tableBehind(item);
    const many = Math.min(500, rowsIn(table));
    if (item.panel.type === "logs" || item.panel.type === "traces") return [json(results.flatMap((one) => one.records ?? one.traces ?? []).slice(0, 200))];
    return [
      h("p", { class: "row" }, h("span", { class: "muted grow" }, t("inspect.rows", { n: integer(rowsIn(table)) })), h("button", { type: "button", onclick: () => download(`${fileName(item)}.csv`, csv(table), "text/csv") }, icon("download"), t("dashboard.csv"))),
      h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": t("inspect.data") }, h("table", { class: "panel-table" },
        h("thead", {}, h("tr", {}, table.columns.map((one) => h("th", { scope: "col", class: one.type === "number" ? "at-right" : "" }, one.name)))),
        h("tbody", {}, Array.from({ length: many }, (_, at) => h("tr", {}, table.columns.map((one) => h("td", { class: one.type === "number" ? "at-right" : "" }, one.type === "time" && one.values[at] !== null ? exactly(one.values[at]) : one.values[at] === null ? "–" : String(one.values[at])))))))),
    ];
  };
  const show = () => {
    strip.replaceChildren(...tabs.map(([key, name]) => h("button", { type: "button", role: "tab", "aria-selected": String(key === chosen), onclick: () => { chosen = key; show(); } }, name)));
    const text = JSON.stringify(item.panel, null, 2);
    body.replaceChildren(...(chosen === "data" ? data() : chosen === "queries" ? queries() : [h("p", { class: "row end" }, h("button", { type: "button", onclick: () => copyText(text, t("dashboard.panel_copied")) }, icon("copy"), t("inspect.copy"))), json(item.panel)]).filter(Boolean));
  };
  show();
  dialog(t("inspect.title", { name: item.name }), () => [strip, body], { kind: "drawer wide", close: t("shell.close") });
}
