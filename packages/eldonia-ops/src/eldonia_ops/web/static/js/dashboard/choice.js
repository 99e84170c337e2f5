// A choice among many: a button that opens a list with a search; one value, or several with "All". Keys as in a list box.
import { $$, h, icon } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { closePopover, popover } from "./menu.js";

const MOST_SHOWN = 200;

/** Options that have all words of a search, those that begin with it first. */
export function found(options, search) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = options.filter((one) => words.every((word) => `${one.text} ${one.value} ${one.more ?? ""}`.toLowerCase().includes(word)));
  return words.length ? fits.sort((a, b) => Number(b.text.toLowerCase().startsWith(words[0])) - Number(a.text.toLowerCase().startsWith(words[0]))) : fits;
}

/**
 * @param {{name: string, options: {value: string, text: string, group?: string, more?: string}[], values: string[], multi?: boolean, all?: boolean, allText?: string,
 *   own?: boolean, allAllowed?: boolean, changed: (values: string[], all: boolean) => void, text?: string, id?: string}} given `own`: a value that is no option may be typed
 */
export function choice(given) {
  let state = given;
  const label = h("span", { class: "choice-text" });
  const button = h("button", { type: "button", class: "choice", "aria-haspopup": "listbox", "aria-expanded": "false", ...(given.id ? { id: given.id } : {}), onclick: open }, label, icon("chevron"));
  const named = () => state.text ?? (state.all ? (state.allText ?? t("dashboard.all")) : state.values.map((value) => state.options.find((one) => one.value === value)?.text ?? value).join(", "));
  function show() {
    const text = named();
    label.textContent = text || "–";
    button.title = text;
    button.setAttribute("aria-label", `${state.name}: ${text || "–"}`);
  }
  function open() {
    let values = new Set(state.all ? [] : state.values);
    let all = Boolean(state.all);
    let at = -1;
    let changed = false;
    const search = h("input", { type: "search", class: "choice-search", role: "combobox", "aria-expanded": "true", "aria-autocomplete": "list", "aria-label": t("dashboard.choose_search", { name: state.name }), placeholder: t("dashboard.search"), autocomplete: "off", spellcheck: "false" });
    const list = h("ul", { role: "listbox", class: "choice-list", id: `list-${Math.random().toString(36).slice(2)}`, "aria-label": state.name, ...(state.multi ? { "aria-multiselectable": "true" } : {}) });
    search.setAttribute("aria-controls", list.id);
    const apply = () => { if (changed) state.changed([...values], all); };
    const take = (value) => {
      changed = true;
      if (!state.multi) { values = new Set([value]); all = value === ALL; if (all) values.clear(); closePopover(); return; }
      if (value === ALL) { all = !all; values.clear(); }
      else {
        all = false;
        if (!values.delete(value)) values.add(value);
      }
      fill();
    };
    function fill() {
      const text = search.value.trim();
      const fits = found(state.options, text);
      const typed = state.own && text && !state.options.some((one) => one.value === text) ? [{ value: text, text: t("dashboard.choose_own", { value: text }) }] : [];
      const some = [...(state.allAllowed && !text ? [{ value: ALL, text: state.allText ?? t("dashboard.all") }] : []), ...typed, ...fits.slice(0, MOST_SHOWN)];
      at = Math.min(at, some.length - 1);
      let group = null;
      list.replaceChildren(...some.flatMap((one, index) => {
        const on = one.value === ALL ? all : !all && values.has(one.value);
        const item = h("li", { role: "option", id: `${list.id}-${index}`, "aria-selected": String(on), class: index === at ? "at" : "", "data-value": one.value, onclick: () => { at = index; take(one.value); } },
          state.multi ? h("i", { class: on ? "tick on" : "tick" }) : null, h("span", {}, one.text || "–"), one.more ? h("small", {}, one.more) : null);
        if (one.group === undefined || one.group === group) return [item];
        group = one.group;
        return [h("li", { class: "choice-group", role: "presentation" }, group), item];
      }), ...(fits.length > MOST_SHOWN ? [h("li", { class: "choice-group", role: "presentation" }, t("dashboard.choose_more", { n: fits.length - MOST_SHOWN }))] : []), ...(some.length ? [] : [h("li", { class: "choice-group", role: "presentation" }, t("dashboard.choose_none"))]));
      if (at >= 0) search.setAttribute("aria-activedescendant", `${list.id}-${at}`);
      else search.removeAttribute("aria-activedescendant");
      $$(".at", list)[0]?.scrollIntoView({ block: "nearest" });
    }
    search.addEventListener("input", () => { at = search.value ? 0 : -1; fill(); });
    search.addEventListener("keydown", (event) => {
      const many = $$("[role=option]", list).length;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        at = many ? (at + (event.key === "ArrowDown" ? 1 : -1) + (at < 0 && event.key === "ArrowUp" ? 1 : 0) + many) % many : -1;
        fill();
      } else if (event.key === "Enter") {
        event.preventDefault();
        const one = $$("[role=option]", list)[Math.max(0, at)];
        if (one && (at >= 0 || search.value)) take(one.dataset.value);
        else closePopover();
      } else if (event.key === "Tab") closePopover();
    });
    const box = h("div", { class: "choice-pop" }, search, list);
    at = state.multi ? -1 : found(state.options, "").findIndex((one) => values.has(one.value));
    fill();
    popover(button, box, { focus: () => search, closed: () => { apply(); if (!document.activeElement || document.activeElement === document.body) button.focus(); } });
    $$("[aria-selected=true]", list)[0]?.scrollIntoView({ block: "center" });
  }
  show();
  return {
    element: button,
    /** @param {Partial<typeof given> & {allAllowed?: boolean}} next */
    update(next) { state = { ...state, ...next }; show(); },
  };
}
const ALL = "$__all";
