// What belongs to the whole dashboard: its name and place, time, variables, annotations, links.
import { get } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { words } from "../lib/dashboards/display.js";
import { language, t } from "../lib/i18n.js";
import { colourField, group, listField, listOf, numberField, pair, selectField, textField, toggleField } from "./fields.js";
import { dialog } from "./menu.js";
import { linkForm } from "./option_forms.js";

const SORTS = ["none", "alphabetical", "alphabetical_descending", "numerical", "numerical_descending", "case_insensitive", "natural"];
const without = (of, key, value) => { const next = { ...of, [key]: value }; if (value === undefined || value === false) delete next[key]; return next; };

function variableRow(one, change) {
  const holder = h("div", { class: "override" });
  let now = one;
  const set = (key) => (value) => { now = without(now, key, value); change(now); };
  const options = (now.options ?? []).map((each) => (typeof each === "object" ? (each.text && each.text !== each.value ? `${each.text} : ${each.value}` : each.value) : each));
  const fill = () => {
    const type = now.type ?? "query";
    holder.replaceChildren(
      pair(textField(t("variable.name"), now.name, (text) => set("name")(text ?? ""), { pattern: "[A-Za-z_][A-Za-z0-9_]*", required: true }), textField(t("variable.label"), words(now.label), set("label"))),
      pair(selectField(t("variable.type"), type, ["query", "custom", "interval", "constant", "text"].map((each) => [each, t(`variable.type.${each}`)]), (value) => { set("type")(value); fill(); }), selectField(t("variable.hide"), now.hide, ["no", "label", "variable"].map((each) => [each, t(`variable.hide.${each}`)]), set("hide"))),
      ...(type === "query" ? [textField(t("variable.query"), now.query, set("query"), { class: "mono", placeholder: "label_values(up, instance)" }), pair(textField(t("variable.regex"), now.regex, set("regex"), { class: "mono" }), selectField(t("variable.sort"), now.sort, SORTS.map((each) => [each, t(`variable.sort.${each}`)]), set("sort"))), selectField(t("variable.refresh"), now.refresh, [["load", t("variable.refresh.load")], ["time", t("variable.refresh.time")]], set("refresh"))] : []),
      ...(type === "custom" || type === "interval" ? [textField(t("variable.options"), options.join(", "), (text) => set("options")((text ?? "").split(",").map((each) => each.trim()).filter(Boolean).map((each) => { const [shown, value] = each.split(/\s+:\s+/); return value ? { value, text: shown } : each; })), { placeholder: type === "interval" ? "1m, 5m, 1h" : "a, b" })] : []),
      ...(type === "constant" || type === "text" ? [textField(t("variable.default"), (now.default ?? [])[0], (text) => set("default")(text ? [text] : undefined))] : []),
      ...(type === "query" || type === "custom" ? [pair(toggleField(t("variable.multi"), now.multi, set("multi")), toggleField(t("variable.include_all"), now.include_all, set("include_all"))), pair(listField(t("variable.default"), now.default, set("default")), textField(t("variable.all_value"), now.all_value, set("all_value"), { placeholder: ".*" }))] : []),
      ...(type === "interval" ? [pair(numberField(t("variable.auto_count"), now.auto_count, set("auto_count"), { min: 0 }), textField(t("variable.auto_min"), now.auto_min, set("auto_min"), { placeholder: "1m" }))] : []),
    );
  };
  fill();
  return [holder];
}
function annotationRow(one, change) {
  const holder = h("div", { class: "override" });
  let now = one;
  const set = (key) => (value) => { now = without(now, key, value); change(now); };
  const fill = () => {
    const source = now.source ?? "promql";
    holder.replaceChildren(
      pair(textField(t("variable.name"), now.name, (text) => set("name")(text ?? ""), { required: true }), selectField(t("annotation.source"), source, ["promql", "deploys", "configuration", "alerts", "incidents"].map((each) => [each, t(`annotation.source.${each}`)]), (value) => { set("source")(value); fill(); })),
      textField(t("annotation.query"), now.query, set("query"), { class: "mono", placeholder: source === "promql" ? "changes(process_start_time_seconds[1m]) > 0" : "service:checkout" }),
      ...(source === "promql" ? [pair(textField(t("annotation.title"), now.title, set("title"), { placeholder: "{{instance}}" }), textField(t("annotation.text"), now.text, set("text")))] : []),
      pair(colourField(t("option.color"), now.color, set("color"), { empty: t("field.no_colour") }), toggleField(t("annotation.enabled"), now.enabled ?? true, (on) => { now = { ...now, enabled: on }; if (on) delete now.enabled; change(now); })),
    );
  };
  fill();
  return [holder];
}

/** @param {any} page */
export function editSettings(page) {
  let draft = page.history.document;
  const set = (key) => (value) => { draft = { ...draft, [key]: value }; if (value === undefined) delete draft[key]; };
  const folders = h("datalist", { id: "folders" });
  get("/dashboards").then((found) => folders.replaceChildren(...found.folders.map((one) => h("option", { value: one }))), () => {});
  const title = (text) => (typeof page.history.document.title === "object" ? { ...page.history.document.title, [language]: text ?? "" } : (text ?? ""));
  dialog(t("dashboard.settings"), (close) => [h("form", { class: "settings-form", onsubmit: (event) => { event.preventDefault(); close(); page.change(draft, t("dashboard.did_settings")); } },
    group(t("editor.general"), true,
      textField(t("dashboard.title"), words(draft.title), (text) => set("title")(title(text)), { required: true, maxlength: "200", name: "title" }), textField(t("dashboard.description"), words(draft.description), set("description"), { lines: 2 }),
      pair(textField(t("dashboard.folder"), draft.folder, set("folder"), { list: "folders", maxlength: "200" }), listField(t("dashboards.tags"), draft.tags, set("tags"))), folders),
    group(t("settings_form.time"), false,
      pair(textField(t("range.from"), draft.time?.from ?? "-1h", (from) => set("time")({ ...draft.time, from: from ?? "-1h" }), { placeholder: "-6h" }), textField(t("range.to"), draft.time?.to ?? "now", (to) => set("time")({ ...draft.time, to: to ?? "now" }), { placeholder: "now" })),
      pair(textField(t("dashboard.refresh_every"), draft.refresh, set("refresh"), { placeholder: "30s" }), textField(t("settings_form.timezone"), draft.timezone, set("timezone"), { placeholder: "Asia/Tokyo, UTC" })),
      pair(textField(t("editor.interval"), draft.interval, set("interval"), { placeholder: "15s" }), selectField(t("settings_form.cursor"), draft.cursor ?? "crosshair", [["crosshair", t("choice.crosshair")], ["none", t("choice.none")]], (value) => set("cursor")(value)))),
    group(t("dashboard.variables"), (draft.variables ?? []).length > 0, listOf({ items: draft.variables ?? [], addText: t("variable.add"), add: () => ({ name: `var${(draft.variables ?? []).length + 1}`, type: "query", query: "" }), moves: true, changed: (items) => set("variables")(items.length ? items : undefined), row: variableRow })),
    group(t("annotation.title_all"), (draft.annotations ?? []).length > 0, listOf({ items: draft.annotations ?? [], addText: t("annotation.add"), add: () => ({ name: t("annotation.source.deploys"), source: "deploys" }), moves: true, changed: (items) => set("annotations")(items.length ? items : undefined), row: annotationRow })),
    group(t("editor.links"), false, ...linkForm(draft.links, set("links"), { keep: true })),
    h("footer", {}, h("button", { type: "button", class: "quiet", onclick: close }, t("shell.cancel")), h("button", { type: "submit", class: "primary" }, t("dashboard.apply"))))], { kind: "drawer wide", close: t("shell.close") });
}
