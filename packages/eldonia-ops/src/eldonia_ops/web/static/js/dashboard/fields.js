// The fields of a form that changes a document: each shows a value and says what it becomes; an empty one means the default.
import { get } from "../lib/api.js";
import { h, icon } from "../lib/dom.js";
import { NAMED_COLOURS, channels, namedColour, variable } from "../lib/palette.js";
import { language, t } from "../lib/i18n.js";
import { inUnit } from "../lib/units.js";
import { choice } from "./choice.js";

const field = (name, control, hint = "") => h("label", { class: "field" }, h("span", {}, name), control, hint ? h("small", { class: "muted" }, hint) : null);

/** @param {string} name @param {string | undefined} value @param {(value: string | undefined) => void} changed @param {any} [options] */
export function textField(name, value, changed, { lines = 0, hint = "", ...attributes } = {}) {
  const control = h(lines ? "textarea" : "input", { ...(lines ? { rows: String(lines) } : { value: value ?? "" }), autocomplete: "off", ...attributes, oninput: (event) => changed(event.currentTarget.value || undefined) });
  if (lines) control.value = value ?? "";
  return field(name, control, hint);
}
/** @param {string} name @param {any} value @param {(value: any) => void} changed @param {any} [options] */
export function numberField(name, value, changed, { hint = "", ...attributes } = {}) {
  return field(name, h("input", { type: "number", step: "any", value: value ?? "", placeholder: t("field.auto"), ...attributes, oninput: (event) => {
    const text = event.currentTarget.value;
    if (text === "" && !event.currentTarget.validity.valid) return;
    changed(text === "" ? undefined : Number(text));
  } }), hint);
}
/** @param {string} name @param {any} value @param {[string, string][]} options value and text; the first is the default */
export function selectField(name, value, options, changed, hint = "") {
  return field(name, h("select", { onchange: (event) => changed(event.currentTarget.value === options[0][0] ? undefined : event.currentTarget.value) }, options.map(([key, text]) => h("option", { value: key, selected: key === (value ?? options[0][0]) }, text))), hint);
}
export function toggleField(name, value, changed, hint = "") {
  return h("label", { class: "toggle" }, h("input", { type: "checkbox", checked: Boolean(value), onchange: (event) => changed(event.currentTarget.checked) }), h("span", {}, name, hint ? h("small", { class: "muted" }, hint) : null));
}
/** Texts that are written with commas between them. */
export const listField = (name, value, changed, options = {}) => textField(name, (value ?? []).join(", "), (text) => { const found = (text ?? "").split(",").map((one) => one.trim()).filter(Boolean); changed(found.length ? found : undefined); }, options);

/** A colour: one of the names, or any. */
export function colourField(name, value, changed, { empty = "" } = {}) {
  const named = NAMED_COLOURS.includes(value ?? "");
  const swatch = h("input", { type: "color", "aria-label": t("field.own_colour", { name }), class: "colour-well", oninput: (event) => { select.value = "#"; changed(event.currentTarget.value); } });
  const show = (one) => { const parts = channels(namedColour(one, variable("--muted"))); swatch.value = parts ? `#${parts.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}` : "#888888"; };
  show(value);
  const select = h("select", { "aria-label": name, onchange: (event) => { const next = event.currentTarget.value; if (next === "#") return swatch.click(); show(next); changed(next || undefined); } },
    empty ? h("option", { value: "", selected: !value }, empty) : null,
    NAMED_COLOURS.map((one) => h("option", { value: one, selected: one === value }, one)),
    h("option", { value: "#", selected: Boolean(value) && !named }, t("field.other_colour")));
  return h("span", { class: "field colour-field" }, name ? h("span", {}, name) : null, h("span", { class: "joined" }, swatch, select));
}

/** A part of a form that can be folded. */
export function group(name, open, ...children) {
  return h("details", { class: "form-group", open }, h("summary", {}, h("h3", {}, name)), h("div", { class: "form-body" }, ...children.flat().filter(Boolean)));
}
export const pair = (...children) => h("div", { class: "form-pair" }, ...children.filter(Boolean));

/**
 * A list whose items are added, removed, moved.
 * @param {{items: any[], row: (item: any, change: (next: any) => void, at: number) => Node[], add: () => any, addText: string, changed: (items: any[]) => void, moves?: boolean}} given
 */
export function listOf(given) {
  let items = [...given.items];
  const holder = h("ol", { class: "form-list" });
  const apply = (next, again = true) => { items = next; given.changed(items); if (again) fill(); };
  function fill() {
    holder.replaceChildren(...items.map((item, at) => h("li", {}, h("div", { class: "form-row" }, ...given.row(item, (next) => { items = items.map((one, index) => (index === at ? next : one)); given.changed(items); }, at)),
      h("span", { class: "form-acts" },
        given.moves ? h("button", { type: "button", class: "icon-button", disabled: at === 0, "aria-label": t("field.up"), title: t("field.up"), onclick: () => { const next = [...items]; next.splice(at - 1, 0, next.splice(at, 1)[0]); apply(next); } }, h("span", { class: "turn-up" }, icon("chevron"))) : null,
        h("button", { type: "button", class: "icon-button", "aria-label": t("field.remove"), title: t("field.remove"), onclick: () => apply(items.filter((_, index) => index !== at)) }, icon("close"))))));
  }
  fill();
  return h("div", { class: "form-list-box" }, holder, h("button", { type: "button", class: "quiet", onclick: () => apply([...items, given.add()]) }, icon("plus"), given.addText));
}

// --- units ---
let units = null;
const SAMPLES = { s: 1.25, ms: 1250, us: 1250, ns: 1250, ratio: 0.425, percent: 42.5, datetime: Date.now(), time_of_day: Date.now(), from_now: Date.now() - 7_200_000, duration: 98_765, duration_ms: 98_765_000, bool: 1, yes_no: 1, on_off: 1 };
/** The chooser of a unit, with its search. */
export function unitField(name, value, changed) {
  const made = choice({ name, options: [{ value: value ?? "", text: value || t("field.unit_none") }], values: [value ?? ""], own: true, changed: ([next]) => { changed(next ? (all.some((one) => one.value === next) || next.includes(":") ? next : `suffix:${next}`) : undefined); made.update({ values: [next ?? ""] }); } });
  let all = [];
  units ??= get("/dashboards/units");
  units.then((found) => {
    all = found.units.map((one) => ({ value: one.id, text: title(one.title), more: `${one.id} · ${inUnit(SAMPLES[one.id] ?? 1234.5, one.id)}`, group: title(found.groups[one.group]) }));
    made.update({ options: all });
  }, () => { units = null; });
  return h("span", { class: "field" }, h("span", {}, name), made.element);
}
const title = (one) => (one && typeof one === "object" ? one[language] || one.en || "" : String(one ?? ""));
