// The bar above the panels: what is chosen for each variable, kept in the address; and which annotations are shown.
import { $$, h, render } from "../lib/dom.js";
import { words } from "../lib/dashboards/display.js";
import { namedColour, variable as cssVariable } from "../lib/palette.js";
import { t } from "../lib/i18n.js";
import { choice } from "./choice.js";

const ALL = "$__all";
const PREFIX = "var-";

/** What the address says of variables. @returns {Record<string, string[]>} */
export function valuesIn(search) {
  const found = {};
  for (const [name, value] of new URLSearchParams(search)) if (name.startsWith(PREFIX)) { const key = name.slice(PREFIX.length); if (!found[key]) found[key] = []; found[key].push(value); }
  return found;
}
/** The address with these values. @param {URL} address @param {Record<string, string[]>} values */
export function keepValues(address, values) {
  for (const name of [...address.searchParams.keys()]) if (name.startsWith(PREFIX)) address.searchParams.delete(name);
  for (const [name, some] of Object.entries(values)) for (const value of some) address.searchParams.append(PREFIX + name, value);
  return address;
}

/**
 * @param {HTMLElement} place
 * @param {{changed: (name: string, values: string[]) => void, annotation: (name: string, on: boolean) => void}} acts
 */
export function variableBar(place, { changed, annotation }) {
  const controls = new Map();
  function control(variable, resolved) {
    const name = words(variable.label) || variable.name;
    const { options = [], values = [], all = false } = resolved ?? {};
    const kind = variable.type === "text" ? "text" : "choice";
    let known = controls.get(variable.name);
    if (known?.kind !== kind) {
      const shown = h("span", { class: "variable-label" });
      if (kind === "text") {
        const input = h("input", { value: values[0] ?? "", spellcheck: "false", autocomplete: "off", onchange: (event) => changed(variable.name, [event.currentTarget.value]) });
        known = { kind, label: shown, element: h("label", { class: "variable" }, shown, input), update: (next) => { if (document.activeElement !== input) input.value = next.values[0] ?? ""; } };
      } else {
        const made = choice({ name, options, values, changed: (some, every) => changed(variable.name, every ? [ALL] : some) });
        const fault = h("span", { class: "variable-fault", hidden: true, role: "img" }, "!");
        known = { kind, label: shown, element: h("span", { class: "variable" }, shown, made.element, fault), update: (next) => {
          made.update(next);
          fault.hidden = !next.error;
          fault.title = next.error?.message ?? "";
          fault.setAttribute("aria-label", next.error?.message ?? "");
        } };
      }
      controls.set(variable.name, known);
    }
    known.label.textContent = name;
    known.label.title = words(variable.description);
    known.label.hidden = variable.hide === "label";
    known.update({ name, options, values, all, multi: Boolean(variable.multi), allAllowed: Boolean(variable.include_all), error: resolved?.error ?? null });
    return known.element;
  }
  return {
    /** @param {any} dashboard @param {any[]} resolved variables as the server gives them @param {Set<string>} off annotations that are turned off */
    update(dashboard, resolved, off) {
      const shown = (dashboard.variables ?? []).filter((one) => one.hide !== "variable" && one.type !== "constant");
      const found = new Map(resolved.map((one) => [one.name, one]));
      const elements = shown.map((one) => control(one, found.get(one.name)));
      const marks = (dashboard.annotations ?? []).filter((one) => !one.hide);
      const holder = $$(":scope > .annotations", place)[0] ?? h("span", { class: "annotations" });
      render(holder, [marks, [...off], document.documentElement.dataset.theme], () => marks.map((one) => h("label", { class: "chip small" }, h("input", { type: "checkbox", checked: !off.has(one.name), onchange: (event) => annotation(one.name, event.currentTarget.checked) }), h("i", { class: "mark", vars: { colour: namedColour(one.color, cssVariable("--accent")) } }), h("span", {}, one.name))));
      const wanted = [...elements, ...(marks.length ? [holder] : [])];
      wanted.forEach((element, at) => { if (place.children[at] !== element) place.insertBefore(element, place.children[at] ?? null); });
      for (const extra of [...place.children].slice(wanted.length)) extra.remove();
      place.hidden = !wanted.length;
      place.setAttribute("aria-label", t("dashboard.variables"));
    },
  };
}
