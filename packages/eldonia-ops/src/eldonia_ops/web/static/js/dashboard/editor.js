// The editor of one panel: what it looks like, its queries, and what can be set, side by side. Every change is made at once in
// the dashboard that is edited, where it can be undone.
import { $, h } from "../lib/dom.js";
import { words } from "../lib/dashboards/display.js";
import { changePanel, equal, findPanel } from "../lib/dashboards/document.js";
import { seriesOf } from "../lib/dashboards/frames.js";
import { t } from "../lib/i18n.js";
import { colourForm, linkForm, mappingForm, optionGroups, overrideForm, thresholdForm, transformationForm } from "./option_forms.js";
import { group, numberField, pair, selectField, textField, toggleField, unitField } from "./fields.js";
import { queryForm } from "./query_form.js";
import { typeChooser } from "./types.js";

const QUERY_PAUSE_MS = 700;
const VALUES = new Set(["timeseries", "stat", "gauge", "bar", "table", "heatmap", "state_timeline"]);

/** @param {any} page @param {any} item */
export function editPanel(page, item) {
  if (page.edited) page.edited.close();
  if (!page.editing()) page.startEditing();
  const { id } = item;
  const key = String(id);
  const before = page.history.document;
  const board = $("#board");
  const home = { scroll: scrollY, solo: page.solo };
  const now = () => findPanel(page.history.document, id);
  let own = false;
  let pending = 0;

  /** @param {(panel: any) => any} change @param {string} [merge] */
  const apply = (change, merge) => {
    own = true;
    page.change(changePanel(page.history.document, id, change), t("dashboard.did_change", { name: words(now().title) || t("dashboard.untitled") }), merge ? `edit:${id}:${merge}` : "");
    own = false;
  };
  const set = (name) => (value) => apply((panel) => { const next = { ...panel, [name]: value }; if (value === undefined) delete next[name]; return next; }, name);

  // What is written in a query is asked after a pause, or at Enter.
  let queries = now().queries ?? [];
  const flush = () => { clearTimeout(pending); pending = 0; if (!equal(queries, now().queries ?? [])) apply((panel) => ({ ...panel, queries }), "queries"); };
  const queryPlace = h("div", { class: "editor-queries" });
  const form = h("div", { class: "editor-form" });
  const previewPlace = h("div", { class: "editor-preview" });
  const done = h("button", { type: "button", class: "primary", id: "editor-done", onclick: () => close() }, t("editor.done"));
  const heading = h("h2", { tabindex: "-1" }, t("editor.title"));
  const element = h("section", { class: "editor", "aria-label": t("editor.title") },
    h("header", { class: "editor-head" }, heading, $("#undo"), $("#redo"), h("span", { class: "grow" }),
      h("button", { type: "button", class: "quiet", onclick: () => { clearTimeout(pending); queries = findPanel(before, id)?.queries ?? queries; page.change(before, t("editor.did_discard")); close(); } }, t("editor.discard")), done),
    h("div", { class: "editor-left" }, previewPlace, h("h3", { class: "editor-part", id: "queries-title" }, t("editor.queries")), queryPlace), form);

  let editor = null;
  function fillQueries() {
    editor?.destroy();
    queryPlace.replaceChildren();
    const plain = now().type === "text";
    $("#queries-title", element).hidden = plain;
    if (plain) { editor = null; return; }
    editor = queryForm(queryPlace, {
      queries: () => queries, type: () => now().type ?? "timeseries", variables: (page.history.document.variables ?? []).map((one) => one.name), run: flush,
      changed(next, merge) {
        queries = next;
        clearTimeout(pending);
        if (merge) pending = setTimeout(flush, QUERY_PAUSE_MS);
        else flush();
      },
    });
    editor.faults(page.items.get(key)?.results ?? []);
  }

  const opened = new Set(["general", "type", "values"]);
  function part(name, title, ...children) {
    const made = group(title, opened.has(name), ...children);
    made.addEventListener("toggle", () => { if (made.open) opened.add(name); else opened.delete(name); });
    return made;
  }
  function fillForm() {
    const panel = now();
    const type = panel.type ?? "timeseries";
    const variables = (page.history.document.variables ?? []).map((one) => one.name);
    const names = [...new Set(seriesOf(page.items.get(key)?.data?.frames ?? []).map((one) => one.name))];
    const title = (text) => (typeof panel.title === "object" ? { ...panel.title, [document.documentElement.lang]: text ?? "" } : text);
    form.replaceChildren(
      part("type", t("editor.type"), typeChooser(type, (next) => { flush(); apply((one) => ({ ...one, type: next })); fillForm(); fillQueries(); })),
      part("general", t("editor.general"),
        textField(t("dashboard.title"), words(panel.title), (text) => set("title")(title(text)), { id: "panel-title" }), textField(t("dashboard.description"), words(panel.description), set("description"), { lines: 2 }), toggleField(t("editor.transparent"), panel.transparent, (on) => set("transparent")(on || undefined)),
        variables.length ? pair(selectField(t("dashboard.repeat"), panel.repeat?.variable ?? "", [["", t("dashboard.repeat_none")], ...variables.map((one) => /** @type {[string, string]} */ ([one, `$${one}`]))], (variable) => set("repeat")(variable ? { ...panel.repeat, variable } : undefined)),
          selectField(t("editor.repeat_direction"), panel.repeat?.direction, [["horizontal", t("choice.horizontal")], ["vertical", t("choice.vertical")]], (direction) => { if (now().repeat) set("repeat")({ ...now().repeat, direction }); })) : null),
      ...optionGroups(panel, apply).map(([name, fields], at) => part(`options${at}`, name, ...fields)),
      ...(VALUES.has(type) ? [
        part("values", t("editor.values"),
          unitField(t("option.unit"), panel.unit, set("unit")), pair(numberField(t("option.min"), panel.min, set("min")), numberField(t("option.max"), panel.max, set("max"))), pair(numberField(t("option.decimals"), panel.decimals, set("decimals"), { min: 0, max: 20, step: 1 }), textField(t("option.no_value"), words(panel.no_value), set("no_value"))),
          textField(t("option.display_name"), words(panel.display_name), set("display_name"), { placeholder: "{{job}}" }), colourForm(panel.color, set("color"))),
        part("thresholds", t("option.thresholds"), ...thresholdForm(panel.thresholds, set("thresholds"))),
        part("mappings", t("option.mappings"), ...mappingForm(panel.mappings, set("mappings"))),
        part("overrides", t("editor.overrides"), ...overrideForm(panel.overrides, set("overrides"), names)),
        part("transformations", t("editor.transformations"), ...transformationForm(panel.transformations, set("transformations"))),
        part("value_links", t("editor.value_links"), ...linkForm(panel.value_links, set("value_links"))),
      ] : []),
      part("links", t("editor.panel_links"), ...linkForm(panel.links, set("links"), { keep: true })),
      part("query_options", t("editor.query_options"), pair(textField(t("editor.interval"), panel.interval, set("interval"), { placeholder: "15s" }), numberField(t("editor.max_points"), panel.max_points, set("max_points"), { min: 0, max: 11_000 })), pair(textField(t("editor.time_from"), panel.time_from, set("time_from"), { placeholder: "6h" }), textField(t("editor.time_shift"), panel.time_shift, set("time_shift"), { placeholder: "1d" }))),
    );
  }

  function close() {
    flush();
    editor?.destroy();
    page.edited = null;
    page.stated = page.drawn = null;
    page.solo = home.solo;
    $("#settings").after($("#undo"), $("#redo"));
    element.before(board);
    element.remove();
    document.body.classList.remove("with-editor");
    const address = new URL(location.href);
    address.searchParams.delete("edit");
    globalThis.history.replaceState({}, "", address);
    page.show();
    scrollTo(0, home.scroll);
    page.board.cardOf(key)?.querySelector(".panel-more")?.focus();
  }

  page.edited = {
    item, close,
    // Undone, redone, or written in the source: the form shows what is now.
    changed() {
      if (own) return;
      if (!now()) return close();
      queries = now().queries ?? [];
      fillForm();
      fillQueries();
    },
  };
  document.body.classList.add("with-editor");
  board.before(element);
  previewPlace.append(board);
  page.solo = key;
  page.stated = (one) => { if (one.key === key && !one.loading) editor?.faults(one.results ?? []); };
  const address = new URL(location.href);
  address.searchParams.set("edit", key);
  globalThis.history.replaceState({}, "", address);
  fillForm();
  fillQueries();
  page.show();
  scrollTo(0, 0);
  const empty = !(now().queries ?? []).some((one) => one.expr) && now().type !== "text";
  if (empty && editor) editor.focus();
  else heading.focus();
}
