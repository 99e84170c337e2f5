// The queries of a panel: written, put in order, turned off; what is wrong with one is shown at it.
import { h, icon } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { selectField, textField, toggleField } from "./fields.js";

const PLACEHOLDERS = { promql: "rate(http_requests_total[$__rate_interval])", logs: "service:checkout level>=warn", traces: "service:checkout duration>500ms" };
const nextRef = (queries) => { for (let at = 0; ; at += 1) { const ref = at < 26 ? String.fromCharCode(65 + at) : `Q${at}`; if (!queries.some((one) => one.ref === ref)) return ref; } };

// A plain field, where the editor for PromQL cannot be loaded and for other languages.
function plainField(place, { value, onChange, onRun, label, placeholder }) {
  const area = h("textarea", { class: "mono", rows: "2", spellcheck: "false", autocapitalize: "off", autocomplete: "off", "aria-label": label, placeholder });
  area.value = value;
  area.addEventListener("input", () => onChange(area.value));
  area.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); onRun(); } });
  place.append(area);
  return { destroy: () => area.remove(), fault: (error) => area.setAttribute("aria-invalid", String(Boolean(error))), focus: () => area.focus() };
}
let promql = null;
const loadEditor = () => {
  promql ??= import("../lib/promql_editor.js").catch(() => null);
  return promql;
};

/**
 * @param {HTMLElement} place
 * @param {{queries: () => any[], type: () => string, changed: (queries: any[], merge?: string) => void, run: () => void, variables: string[]}} given
 */
export function queryForm(place, given) {
  let editors = /** @type {any[]} */ ([]);
  let faults = new Map();
  const list = h("ol", { class: "panel-queries" });
  const change = (at, next, merge) => given.changed(given.queries().map((one, index) => (index === at ? { ...one, ...next } : one)), merge);
  const rebuild = (queries) => { given.changed(queries); fill(); };

  function query(one, at, all) {
    const editorPlace = h("div", { class: "query-editor" });
    const fault = h("p", { class: "fault small", role: "alert", hidden: true });
    const label = t("editor.query", { ref: one.ref });
    const options = { value: one.expr ?? "", label, placeholder: PLACEHOLDERS[one.language ?? "promql"], variables: given.variables, onChange: (text) => change(at, { expr: text }, `expr:${one.ref}`), onRun: given.run };
    const holder = { ref: one.ref, fault, editor: null };
    if ((one.language ?? "promql") === "promql") {
      loadEditor().then((lib) => {
        if (!editors.includes(holder)) return;
        holder.editor = lib ? lib.mount(editorPlace, options) : plainField(editorPlace, options);
        showFault(holder);
      });
    } else holder.editor = plainField(editorPlace, options);
    editors.push(holder);
    const metrics = (one.language ?? "promql") === "promql";
    return h("li", { class: one.hide ? "panel-query off" : "panel-query" },
      h("div", { class: "query-head" },
        h("span", { class: "query-ref" }, one.ref),
        h("select", { "aria-label": t("editor.language"), onchange: (event) => { change(at, { language: event.currentTarget.value, expr: "" }); fill(); } }, ["promql", "logs", "traces"].map((name) => h("option", { value: name, selected: name === (one.language ?? "promql") }, t(`editor.language.${name}`)))),
        h("span", { class: "grow" }),
        h("button", { type: "button", class: "icon-button", "aria-pressed": String(!one.hide), "aria-label": t("editor.query_shown"), title: t("editor.query_shown"), onclick: () => { change(at, { hide: one.hide ? undefined : true }); fill(); } }, icon(one.hide ? "mute" : "eye")),
        h("button", { type: "button", class: "icon-button", "aria-label": t("editor.duplicate_query"), title: t("editor.duplicate_query"), onclick: () => rebuild([...all.slice(0, at + 1), { ...one, ref: nextRef(all) }, ...all.slice(at + 1)]) }, icon("copy")),
        h("button", { type: "button", class: "icon-button", disabled: at === 0, "aria-label": t("field.up"), title: t("field.up"), onclick: () => { const next = [...all]; next.splice(at - 1, 0, next.splice(at, 1)[0]); rebuild(next); } }, h("span", { class: "turn-up" }, icon("chevron"))),
        h("button", { type: "button", class: "icon-button", disabled: at === all.length - 1, "aria-label": t("field.down"), title: t("field.down"), onclick: () => { const next = [...all]; next.splice(at + 1, 0, next.splice(at, 1)[0]); rebuild(next); } }, h("span", { class: "turn-down" }, icon("chevron"))),
        h("button", { type: "button", class: "icon-button", "aria-label": t("editor.remove_query"), title: t("editor.remove_query"), onclick: () => rebuild(all.filter((_, index) => index !== at)) }, icon("close"))),
      editorPlace, fault,
      metrics ? h("div", { class: "query-options" },
        textField(t("editor.legend"), one.legend, (text) => change(at, { legend: text }, `legend:${one.ref}`), { placeholder: "{{job}} {{instance}}" }),
        selectField(t("editor.format"), one.format, [["series", t("editor.format.series")], ["table", t("editor.format.table")], ["heatmap", t("editor.format.heatmap")]], (value) => change(at, { format: value })),
        textField(t("editor.interval"), one.interval, (text) => change(at, { interval: text }, `interval:${one.ref}`), { placeholder: "15s", pattern: "(\\d+(ms|[smhdwy]))*" }),
        toggleField(t("editor.instant"), one.instant, (on) => change(at, { instant: on || undefined }))) : null);
  }
  function showFault(holder) {
    const found = faults.get(holder.ref) ?? null;
    holder.fault.hidden = !found;
    holder.fault.replaceChildren(found?.message ?? "", found?.hint ? h("span", { class: "sub" }, found.hint) : "");
    holder.editor?.fault?.(found);
  }
  function fill() {
    for (const one of editors) one.editor?.destroy();
    editors = [];
    const all = given.queries();
    list.replaceChildren(...all.map(query));
  }
  place.append(list, h("button", { type: "button", class: "quiet", onclick: () => {
    const all = given.queries();
    rebuild([...all, { ref: nextRef(all), language: given.type() === "logs" ? "logs" : given.type() === "traces" ? "traces" : "promql", expr: "" }]);
    editors.at(-1)?.editor?.focus?.();
  } }, icon("plus"), t("editor.add_query")));
  fill();
  return {
    fill,
    /** @param {any[]} results */
    faults(results) {
      faults = new Map(results.filter((one) => one.error).map((one) => [one.ref, one.error]));
      for (const one of editors) showFault(one);
    },
    focus: () => { loadEditor().then(() => editors[0]?.editor?.focus?.()); },
    destroy: () => { for (const one of editors) one.editor?.destroy(); editors = []; },
  };
}
