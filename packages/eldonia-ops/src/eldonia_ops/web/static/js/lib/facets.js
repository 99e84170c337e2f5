// The side of a search: the most frequent values of some fields, each to be wanted or left out.
import { h, render } from "./dom.js";
import { integer } from "./format.js";
import { t } from "./i18n.js";
import { excluded, hasTerm, term, termsOf } from "./search_terms.js";

const LEVELS = ["error", "warn", "info", "debug"];

function row(field, one, most, search, toggle) {
  const wanted = term(field, one.value);
  const text = one.value === "" ? '""' : one.value;
  const on = hasTerm(search, wanted);
  return h("li", {},
    h("button", { type: "button", class: "facet-value", "aria-pressed": String(on), title: wanted, onclick: () => toggle(wanted) },
      h("span", { class: `facet-name ${field === "level" ? `lv-${one.value}` : field === "source" ? "ends" : ""}` }, h("bdi", {}, text)), h("span", { class: "facet-count" }, integer(one.count)),
      h("meter", { class: "facet-bar", "aria-hidden": "true", min: 0, max: most, value: one.count })),
    h("button", { type: "button", class: "facet-not", "aria-label": t("search.exclude_value", { value: text }), title: t("search.exclude"), onclick: () => toggle(excluded(wanted)) }, "−"),
  );
}

// A term of the search whose value is not among those that were found: it can still be taken back.
const other = (field, one, toggle) =>
  h("li", {}, h("button", { type: "button", class: "facet-value", "aria-pressed": "true", title: one, onclick: () => toggle(one) },
    h("span", { class: "facet-name" }, one.startsWith("-") ? `− ${one.slice(field.length + 2)}` : one.slice(field.length + 1)), h("span", { class: "facet-count" }, "×")));

/**
 * @param {HTMLElement} place
 * @param {{field: string, values: {value: string, count: number}[]}[]} facets
 * @param {{search: string, columns: string[], removable: string[], toggle: (term: string) => void, column: (field: string) => void, remove: (field: string) => void}} state
 */
export function showFacets(place, facets, state) {
  const others = (one) => termsOf(state.search, one.field).filter((written) => !one.values.some(({ value }) => term(one.field, value) === written));
  const filled = facets.filter((one) => one.values.length || others(one).length || state.removable.includes(one.field));
  render(place, [filled, state.search, state.columns, state.removable], () =>
    filled.map((facet) => {
      const { field, values } = facet;
      const most = Math.max(1, ...values.map((one) => one.count));
      const ordered = field === "level" ? [...values].sort((a, b) => LEVELS.indexOf(a.value) - LEVELS.indexOf(b.value)) : values;
      const shown = state.columns.includes(field);
      return h("section", { class: "facet" },
        h("h3", {}, h("span", { class: "mono" }, field),
          !["level", "service"].includes(field) && h("button", { type: "button", class: "link-button", "aria-pressed": String(shown), onclick: () => state.column(field) }, t(shown ? "search.column_off" : "search.column_on")),
          state.removable.includes(field) && h("button", { type: "button", class: "link-button", "aria-label": t("search.remove_facet", { field }), onclick: () => state.remove(field) }, "×")),
        values.length || others(facet).length
          ? h("ul", {}, others(facet).map((one) => other(field, one, state.toggle)), ordered.map((one) => row(field, one, most, state.search, state.toggle)))
          : h("p", { class: "muted small" }, t("search.no_values")),
      );
    }),
  );
}
