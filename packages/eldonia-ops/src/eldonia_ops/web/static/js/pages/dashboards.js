// All dashboards: by folder, found by words, tags and stars; new ones, imported ones, deleted ones.
import { act, address, get, send } from "../lib/api.js";
import { $, can, h, icon, render, toast } from "../lib/dom.js";
import { whenAgo } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { importDialog } from "../dashboard/importing.js";
import { dialog, menu } from "../dashboard/menu.js";
import { handedOver, handOver, recent } from "../dashboard/recent.js";

const given = new URLSearchParams(location.search);
const state = { search: given.get("search") ?? "", tags: new Set(given.getAll("tag")), starred: given.has("starred"), all: /** @type {any[]} */ ([]), folders: /** @type {string[]} */ ([]), tagCounts: /** @type {any[]} */ ([]), closed: new Set() };
const path = (uid) => `/dashboards/${encodeURIComponent(uid)}`;
const write = can("respond");
$("#new").hidden = !write;
$("#import").hidden = !write;
$("#list-more").hidden = !write;
$("#search").value = state.search;
$("#starred").checked = state.starred;

function keep() {
  const now = new URL(location.href);
  for (const name of ["search", "tag", "starred"]) now.searchParams.delete(name);
  if (state.search) now.searchParams.set("search", state.search);
  for (const one of state.tags) now.searchParams.append("tag", one);
  if (state.starred) now.searchParams.set("starred", "");
  history.replaceState(null, "", now);
}
const fits = (one) => {
  const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
  const text = `${one.title} ${one.folder} ${one.description ?? ""} ${one.tags.join(" ")} ${one.uid}`.toLowerCase();
  return words.every((word) => text.includes(word)) && [...state.tags].every((tag) => one.tags.includes(tag)) && (!state.starred || one.starred);
};

async function star(one) {
  await act(() => send(one.starred ? "DELETE" : "PUT", `${path(one.uid)}/star`));
  await load();
}
async function remove(one) {
  if (!(await act(() => send("DELETE", path(one.uid))))) return;
  toast(t("dashboards.deleted", { title: one.title }), { undo: [t("dashboard.undo"), () => restore(one.uid, one.version)] });
  await load();
}
async function restore(uid, version) {
  await act(() => send("POST", `${path(uid)}/restore`, { version }), t("dashboards.restored"));
  await load();
}
const more = (one, anchor) => menu(anchor, [
  { name: t("dashboard.edit"), icon: "edit", href: `${path(one.uid)}` },
  { name: t("dashboard.export_yaml"), icon: "download", href: address(`${path(one.uid)}/export`, { format: "yaml" }) },
  { name: t("dashboard.export_grafana"), icon: "download", href: address(`${path(one.uid)}/export`, { format: "grafana" }) },
  ...(one.read_only ? [] : ["line", { name: t("dashboard.delete"), icon: "trash", danger: true, act: () => remove(one) }]),
]);

function card(one) {
  return h("li", { class: "dash-card" },
    h("button", { type: "button", class: "icon-button star", "aria-pressed": String(one.starred), "aria-label": t("dashboards.star", { title: one.title }), title: t("dashboard.star"), onclick: () => star(one) }, icon("star")),
    h("div", { class: "dash-what" },
      h("a", { href: path(one.uid) }, one.title), one.source === "stored" ? null : h("span", { class: "badge" }, t(`dashboard.source.${one.source}`)),
      one.description ? h("span", { class: "sub" }, one.description) : null,
      h("span", { class: "dash-tags" }, one.tags.map((tag) => h("button", { type: "button", class: "tag", onclick: () => { state.tags.add(tag); show(); } }, tag)))),
    h("span", { class: "dash-facts" }, h("span", {}, t("dashboards.panels", { n: one.panels })), one.changed_at && one.source === "stored" ? h("span", {}, whenAgo(one.changed_at), one.changed_by ? ` · ${one.changed_by}` : "") : null),
    write ? h("button", { type: "button", class: "icon-button", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": t("dashboards.menu", { title: one.title }), onclick: (event) => more(one, event.currentTarget) }, icon("more")) : null);
}
function folder(name, some, key = name) {
  const open = !state.closed.has(key);
  return h("details", { class: "card flush folder", open, ontoggle: (event) => { if (event.currentTarget.open) state.closed.delete(key); else state.closed.add(key); } },
    h("summary", {}, icon(key === "\u0000recent" ? "clock" : "folder"), h("h2", {}, name), h("span", { class: "count" }, String(some.length))), h("ul", { class: "dash-list" }, some.map(card)));
}
function show() {
  keep();
  const found = state.all.filter(fits);
  const names = [...new Set(found.map((one) => one.folder))].sort((a, b) => (a === "" ? 1 : b === "" ? -1 : a.localeCompare(b)));
  const plain = !state.search && !state.tags.size && !state.starred;
  const last = plain && state.all.length > 6 ? recent().flatMap((uid) => state.all.find((one) => one.uid === uid) ?? []).slice(0, 4) : [];
  render($("#list"), [found, plain, last.map((one) => one.uid), [...state.closed]], () => [
    ...(last.length ? [folder(t("dashboards.recent"), last, "\u0000recent")] : []),
    ...names.map((name) => folder(name || t("dashboards.no_folder"), found.filter((one) => one.folder === name), name)),
  ]);
  $("#total").textContent = t("dashboards.total", { n: found.length });
  $("#tags").hidden = !state.tagCounts.length;
  render($("#tags"), [state.tagCounts, [...state.tags]], () => state.tagCounts.map(({ tag, count }) => h("label", { class: "chip" }, h("input", { type: "checkbox", checked: state.tags.has(tag), onchange: (event) => { if (event.currentTarget.checked) state.tags.add(tag); else state.tags.delete(tag); show(); } }), h("span", {}, tag), h("small", {}, String(count)))));
  const none = !state.all.length;
  $("#empty").hidden = found.length > 0;
  if (!found.length) {
    $("#empty").replaceChildren(h("h2", {}, t(none ? "dashboards.none" : "dashboards.none_found")), h("p", {}, t(none ? "dashboards.none_hint" : "dashboards.none_found_hint")),
      none ? (write ? h("div", { class: "row" }, h("a", { class: "button primary", href: "/dashboards/new" }, icon("plus"), t("dashboards.new")), h("button", { type: "button", onclick: openImport }, icon("upload"), t("dashboards.import"))) : "")
        : h("button", { type: "button", onclick: () => { Object.assign(state, { search: "", starred: false }); state.tags.clear(); $("#search").value = ""; $("#starred").checked = false; show(); } }, t("dashboards.show_all")));
  }
}
async function load() {
  const found = await get("/dashboards");
  Object.assign(state, { all: found.dashboards, folders: found.folders, tagCounts: found.tags });
  $("#faults").hidden = !found.faults.length;
  render($("#faults"), found.faults, () => found.faults.map((one) => h("li", {}, icon("warning"), h("span", {}, h("code", {}, [one.file, one.line, one.column].filter(Boolean).join(":")), " ", one.message, one.hint ? h("span", { class: "sub" }, one.hint) : null))));
  show();
}
function openImport() {
  importDialog({ folders: state.folders, saved: (uid) => { handOver({ text: t("import.saved") }); location.assign(path(uid)); } });
}
async function showDeleted() {
  let found = [];
  if (!(await act(async () => { found = await get("/dashboards/deleted"); }))) return;
  dialog(t("dashboards.deleted_title"), (close) => [found.length
    ? h("ul", { class: "versions" }, found.map((one) => h("li", {}, h("span", { class: "versions-what" }, h("b", {}, one.title), h("span", { class: "sub" }, whenAgo(one.saved_at), ` · ${one.saved_by}`)), h("button", { type: "button", onclick: () => { close(); restore(one.uid, one.version); } }, t("versions.restore")))))
    : h("p", { class: "muted" }, t("dashboards.none_deleted"))], { close: t("shell.close") });
}
$("#search").addEventListener("input", (event) => { state.search = event.target.value.trim(); show(); });
$("#filters").addEventListener("submit", (event) => { event.preventDefault(); const first = $(".dash-what a"); if (first) location.assign(first.href); });
$("#starred").addEventListener("change", (event) => { state.starred = event.target.checked; show(); });
$("#import").addEventListener("click", openImport);
$("#list-more").addEventListener("click", (event) => menu(event.currentTarget, [{ name: t("dashboards.show_deleted"), icon: "trash", act: showDeleted }]));
document.addEventListener("retry", () => load());
const said = handedOver();
if (said) toast(said.text, said.restore ? { undo: [t("dashboard.undo"), () => restore(said.restore.uid, said.restore.version)] } : {});
await load();
