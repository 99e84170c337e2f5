// What is done with a whole dashboard: saved, shared, exported, deleted; and the bar of edit mode.
import { ApiError, act, address, get, send } from "../lib/api.js";
import { $, can, h, icon, toast } from "../lib/dom.js";
import { whenAgo } from "../lib/format.js";
import { words } from "../lib/dashboards/display.js";
import { addPanel, addRow, changePanel, cleaned, differences, moveRow, removeRow } from "../lib/dashboards/document.js";
import { t } from "../lib/i18n.js";
import { keptPanel } from "./clipboard.js";
import { closePopover, dialog, menu, popover } from "./menu.js";
import { copyText } from "./panel_menu.js";
import { handOver } from "./recent.js";
import { editSettings } from "./settings.js";
import { shareLink } from "./sharing.js";
import { showSource } from "./source.js";
import { showVersions } from "./versions.js";

const path = (uid) => `/dashboards/${encodeURIComponent(uid)}`;

// --- saving ---
const problemList = (problems) => h("ul", { class: "problems" }, problems.map((one) => h("li", {}, h("code", {}, one.path), " ", one.message, one.hint ? h("span", { class: "sub" }, one.hint) : null)));
const changeList = (changes) => h("ul", { class: "changes" }, changes.slice(0, 12).map((one) => h("li", { class: `is-${one.kind}` }, t(`dashboard.change.${one.kind}`, { what: one.what }))), changes.length > 12 ? h("li", {}, `+ ${changes.length - 12}`) : null);

/** @param {any} page @param {{as?: boolean}} [options] `as`: under another name */
export function save(page, { as = false } = {}) {
  const { view, history } = page;
  const copy = page.isNew || view.read_only || as;
  const named = page.isNew ? words(history.document.title) : t("dashboard.copy_of", { title: words(history.document.title) });
  if (!copy && !page.dirty()) return toast(t("dashboard.nothing_to_save"));
  const title = h("input", { name: "title", required: true, maxlength: "200", value: named });
  const folder = h("input", { name: "folder", maxlength: "200", value: history.document.folder ?? "", list: "save-folders", autocomplete: "off" });
  const message = h("input", { name: "message", maxlength: "500", placeholder: t("dashboard.message_example"), autocomplete: "off" });
  const fault = h("div", { class: "fault", role: "alert", hidden: true });
  const folders = h("datalist", { id: "save-folders" });
  if (copy) get("/dashboards").then((found) => folders.replaceChildren(...found.folders.map((one) => h("option", { value: one }))), () => {});
  const made = dialog(t(copy && !page.isNew ? "dashboard.save_copy" : "dashboard.save"), (close) => [h("form", {
    async onsubmit(event) {
      event.preventDefault();
      const button = $("button[type=submit]", event.currentTarget);
      button.disabled = true;
      fault.hidden = true;
      const said = copy ? (text) => (typeof history.document.title === "object" && text === words(history.document.title) ? history.document.title : text) : () => history.document.title;
      const document = cleaned({ ...history.document, title: said(title.value.trim()), ...(copy ? { folder: folder.value.trim() || undefined } : {}) });
      try {
        if (copy) {
          delete document.uid;
          const saved = await send("POST", "/dashboards", { dashboard: document, message: message.value });
          page.leaving = true;
          handOver({ text: t("dashboard.saved") });
          const next = new URL(location.href);
          next.pathname = path(saved.dashboard.uid);
          location.assign(next);
          return;
        }
        const saved = await send("PUT", path(view.dashboard.uid), { dashboard: document, message: message.value }, { "If-Match": view.etag.startsWith('"') || view.etag.startsWith("W/") ? view.etag : `"${view.etag}"` });
        close();
        page.adopt(saved);
        page.stopEditing();
        toast(t("dashboard.saved"));
        for (const one of (saved.problems ?? []).slice(0, 3)) toast(`${one.path}: ${one.message}`, { bad: true, hint: one.hint });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.status === 412) { close(); return conflict(page, document, message.value); }
        fault.replaceChildren(error.message, error.hint ? h("span", { class: "sub" }, error.hint) : "", error.more.problems?.length ? problemList(error.more.problems) : "");
        fault.hidden = false;
      } finally {
        button.disabled = false;
      }
    },
  },
    copy ? h("label", { class: "field" }, h("span", {}, t("dashboard.title")), title) : null,
    copy ? h("label", { class: "field" }, h("span", {}, t("dashboard.folder")), folder, folders) : null,
    view.read_only ? h("p", { class: "muted small" }, t("dashboard.read_only_hint", { file: view.file ?? view.source })) : null,
    copy ? null : changeList(differences(page.saved, history.document)),
    h("label", { class: "field" }, h("span", {}, t("dashboard.message")), message),
    fault,
    h("footer", {}, h("button", { type: "button", class: "quiet", onclick: close }, t("shell.cancel")), h("button", { type: "submit", class: "primary" }, t("dashboard.save"))),
  )], { close: t("shell.close") });
  (copy ? title : message).focus();
  (copy ? title : message).select();
  return made;
}

/** Somebody else saved in between: their changes or mine. */
async function conflict(page, mine, message) {
  let theirs = null;
  if (!(await act(async () => { theirs = await get(path(page.view.dashboard.uid)); }))) return;
  const keep = async (close) => {
    await act(async () => {
      const saved = await send("PUT", path(mine.uid), { dashboard: mine, message }, { "If-Match": theirs.etag.startsWith('"') ? theirs.etag : `"${theirs.etag}"` });
      close();
      page.adopt(saved);
      page.stopEditing();
    }, t("dashboard.saved"));
  };
  const copy = async (close) => {
    await act(async () => {
      const { uid, ...rest } = mine;
      const saved = await send("POST", "/dashboards", { dashboard: { ...rest, title: t("dashboard.copy_of", { title: words(mine.title) }) }, message });
      close();
      page.leaving = true;
      location.assign(path(saved.dashboard.uid));
    });
  };
  dialog(t("conflict.title"), (close) => [
    h("p", {}, t("conflict.who", { who: theirs.changed_by || "–", version: theirs.version }), " ", whenAgo(theirs.changed_at), theirs.message ? ` “${theirs.message}”` : ""),
    h("div", { class: "two" },
      h("section", {}, h("h3", {}, t("conflict.theirs")), changeList(differences(page.saved, theirs.dashboard))),
      h("section", {}, h("h3", {}, t("conflict.mine")), changeList(differences(page.saved, mine)))),
    h("footer", { class: "wrap" },
      h("button", { type: "button", class: "quiet", onclick: close }, t("conflict.later")),
      h("button", { type: "button", onclick: () => { close(); page.adopt(theirs); toast(t("conflict.took")); } }, t("conflict.take")),
      h("button", { type: "button", onclick: () => copy(close) }, t("conflict.copy")),
      h("button", { type: "button", class: "primary", onclick: () => keep(close) }, t("conflict.keep"))),
  ], { close: t("shell.close") });
}

/** Ends edit mode; unsaved changes are asked about. */
export function leaveEditing(page) {
  if (!page.dirty()) {
    if (page.isNew) { location.assign("/dashboards"); return; }
    return page.stopEditing();
  }
  dialog(t("dashboard.leave_title"), (close) => [
    changeList(differences(page.saved, page.history.document)),
    h("footer", { class: "wrap" },
      h("button", { type: "button", class: "quiet", onclick: close }, t("dashboard.leave_stay")),
      h("button", { type: "button", class: "danger", onclick: () => { close(); if (page.isNew) { page.leaving = true; location.assign("/dashboards"); return; } page.history.reset(page.saved); page.afterChange(); page.stopEditing(); } }, t("dashboard.leave_discard")),
      h("button", { type: "button", class: "primary", onclick: () => { close(); save(page); } }, t("dashboard.save"))),
  ], { close: t("shell.close") });
}

// --- sharing, export, deletion ---
export function share(page, anchor) {
  const absolute = h("input", { type: "checkbox", checked: true });
  const field = h("input", { readonly: true, class: "mono", "aria-label": t("dashboard.share"), value: shareLink(page), onfocus: (event) => event.currentTarget.select() });
  absolute.addEventListener("change", () => { field.value = shareLink(page, null, absolute.checked); });
  const kiosk = () => { const one = new URL(field.value); one.searchParams.set("kiosk", ""); return one.href.replace("kiosk=", "kiosk"); };
  popover(anchor, h("div", { class: "share-pop" },
    h("label", { class: "chip" }, absolute, h("span", {}, t("dashboard.share_absolute"))),
    field,
    h("div", { class: "row end" }, h("button", { type: "button", onclick: () => copyText(kiosk(), t("dashboard.link_copied")) }, t("dashboard.share_kiosk")), h("button", { type: "button", class: "primary", onclick: () => { closePopover(); copyText(field.value, t("dashboard.link_copied")); } }, icon("copy"), t("dashboard.copy_link")))), { focus: () => field, align: "end" });
}

async function remove(page) {
  const { uid } = page.view.dashboard;
  await act(async () => {
    const version = page.view.version;
    await send("DELETE", path(uid));
    page.leaving = true;
    handOver({ text: t("dashboards.deleted", { title: words(page.view.dashboard.title) }), restore: { uid, version } });
    location.assign("/dashboards");
  });
}

/** @param {any} page @param {HTMLElement} anchor */
export function dashboardMenu(page, anchor) {
  const { view } = page;
  const { uid } = view.dashboard;
  const stored = !page.isNew;
  const write = can("respond");
  const file = (format) => address(`${path(uid)}/export`, { format });
  menu(anchor, [
    { name: t("dashboard.kiosk"), icon: "full", key: "k", act: page.kiosk },
    stored && { name: t("dashboard.share"), icon: "share", act: () => share(page, anchor) },
    { name: t("dashboard.source_view"), icon: "code", act: () => showSource(page) },
    stored && view.source === "stored" && { name: t("dashboard.versions"), icon: "clock", act: () => showVersions(page) },
    write && stored && { name: t("dashboard.save_as"), icon: "copy", act: () => save(page, { as: true }) },
    stored ? "line" : null,
    stored && { name: t("dashboard.export_yaml"), icon: "download", href: file("yaml") },
    stored && { name: t("dashboard.export_json"), icon: "download", href: file("json") },
    stored && { name: t("dashboard.export_grafana"), icon: "download", href: file("grafana") },
    write && stored && view.source === "stored" ? "line" : null,
    write && stored && view.source === "stored" && { name: t("dashboard.delete"), icon: "trash", danger: true, act: () => remove(page) },
  ]);
}

export function rowMenu(page, row, anchor) {
  const now = () => page.dashboard();
  const name = words(row.title);
  menu(anchor, [
    { name: t("dashboard.row_rename"), icon: "edit", act: () => renameRow(page, row) },
    { name: t("dashboard.row_up"), icon: "undo", act: () => page.change(moveRow(now(), row.id, -1), t("dashboard.did_move", { name })) },
    { name: t("dashboard.row_down"), icon: "redo", act: () => page.change(moveRow(now(), row.id, 1), t("dashboard.did_move", { name })) },
    "line",
    { name: t("dashboard.row_remove"), icon: "trash", act: () => page.change(removeRow(now(), row.id, true), t("dashboard.did_remove", { name })) },
    { name: t("dashboard.row_remove_all"), icon: "trash", danger: true, act: () => { page.change(removeRow(now(), row.id, false), t("dashboard.did_remove", { name })); toast(t("dashboard.did_remove", { name }), { undo: [t("dashboard.undo"), () => page.undo()] }); } },
  ]);
}
function renameRow(page, row) {
  const title = h("input", { required: true, maxlength: "200", value: words(row.title) });
  const variables = (page.dashboard().variables ?? []).map((one) => one.name);
  const repeat = h("select", {}, h("option", { value: "" }, t("dashboard.repeat_none")), variables.map((one) => h("option", { value: one, selected: row.repeat?.variable === one }, `$${one}`)));
  dialog(t("dashboard.row_rename"), (close) => [h("form", { onsubmit: (event) => {
    event.preventDefault();
    close();
    page.change(changePanel(page.dashboard(), row.id, (one) => ({ ...one, title: title.value, repeat: repeat.value ? { ...one.repeat, variable: repeat.value } : undefined })), t("dashboard.did_change", { name: title.value }));
  } },
    h("label", { class: "field" }, h("span", {}, t("dashboard.title")), title), variables.length ? h("label", { class: "field" }, h("span", {}, t("dashboard.repeat")), repeat) : null,
    h("footer", {}, h("button", { type: "submit", class: "primary" }, t("dashboard.apply"))))], { close: t("shell.close") });
  title.select();
}

/** A new panel, and its editor. */
export function newPanel(page, type = "timeseries", row = null) {
  const [next, id] = addPanel(page.dashboard(), { id: 0, type, title: "", queries: type === "text" ? [] : [{ ref: "A", language: type === "logs" ? "logs" : type === "traces" ? "traces" : "promql", expr: "" }] }, row);
  if (!page.editing()) page.startEditing();
  page.change(next, t("dashboard.did_add"));
  const item = page.items.get(String(id));
  if (item) page.edit(item);
}

/** @param {any} page */
export function wireEditing(page) {
  $("#add").addEventListener("click", (event) => {
    const kept = keptPanel();
    menu(event.currentTarget, [
      { name: t("dashboard.add_panel"), icon: "overview", act: () => newPanel(page) },
      { name: t("panel_type.stat"), icon: "objective", act: () => newPanel(page, "stat") },
      { name: t("panel_type.table"), icon: "table", act: () => newPanel(page, "table") },
      { name: t("panel_type.logs"), icon: "logs", act: () => newPanel(page, "logs") },
      { name: t("panel_type.text"), icon: "edit", act: () => newPanel(page, "text") },
      "line",
      { name: t("dashboard.add_row"), icon: "menu", act: () => page.change(addRow(page.dashboard(), t("dashboard.untitled_row"))[0], t("dashboard.did_add_row")) },
      { name: t("dashboard.paste_panel"), icon: "copy", disabled: !kept, act: () => { const { id, ...rest } = kept; page.change(addPanel(page.dashboard(), rest)[0], t("dashboard.did_paste")); } },
    ]);
  });
  $("#settings").addEventListener("click", () => editSettings(page));
  $("#undo").addEventListener("click", page.undo);
  $("#redo").addEventListener("click", page.redo);
  $("#discard").addEventListener("click", () => leaveEditing(page));
  $("#save").addEventListener("click", () => save(page));
}
