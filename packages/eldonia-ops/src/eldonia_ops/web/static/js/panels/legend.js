// The legend of a chart: a list, or a table with calculations. A click turns a series on or off, a click with Shift, Ctrl or a
// double one leaves it alone.
import { h } from "../lib/dom.js";
import { calcTitle, legendRows, toggled } from "../lib/dashboards/legend.js";
import { t } from "../lib/i18n.js";

/** @param {HTMLElement} place */
export function legendIn(place) {
  let shown = "";
  let sort = null; // what the reader sorts by, over what the document says
  let state = /** @type {any} */ ({});

  function choose(name, event) {
    const alone = event.shiftKey || event.ctrlKey || event.metaKey || event.detail === 2;
    // A double click comes after two single ones, which have cancelled each other.
    state.onHidden(toggled(state.hidden, name, state.series.map((one) => one.name), alone));
  }
  const button = ({ at, name }) => {
    const { colour, dash } = state.colours[at];
    const on = !state.hidden.has(name);
    return h("button", { type: "button", class: "legend-name", "aria-pressed": String(on), title: name, onclick: (event) => choose(name, event) },
      h("i", { class: dash.length ? "swatch dashed" : "swatch", vars: { colour } }), h("span", {}, name || t("panel.unnamed")));
  };
  function sorter(by, text) {
    const current = sort ?? { by: state.legend.sort_by, descending: state.legend.sort_descending };
    const on = current.by === by;
    return h("th", { scope: "col", class: by ? "num" : "", "aria-sort": on ? (current.descending ? "descending" : "ascending") : "none" },
      h("button", { type: "button", class: "sorter", onclick: () => { sort = { by, descending: on ? !current.descending : by !== "name" }; shown = ""; draw(); } }, text));
  }
  function draw() {
    const { legend, series } = state;
    place.hidden = !legend.show;
    if (!legend.show) return;
    const rows = legendRows(series, { ...legend, ...(sort ? { sort_by: sort.by, sort_descending: sort.descending } : {}) });
    const key = JSON.stringify([rows, state.colours.map((one) => one.colour), [...state.hidden], legend.mode]);
    if (key === shown) return;
    shown = key;
    const focused = place.contains(document.activeElement) ? document.activeElement.getAttribute("title") : null;
    if (legend.mode === "table") {
      place.replaceChildren(h("table", { class: "legend-table" },
        h("thead", {}, h("tr", {}, sorter("name", t("panel.series")), legend.calcs.map((calc) => sorter(calc, calcTitle(calc))))),
        h("tbody", {}, rows.map((row) => h("tr", { class: state.hidden.has(row.name) ? "off" : "" }, h("th", { scope: "row" }, button(row)), row.texts.map((text) => h("td", { class: "num" }, text)))))));
    } else {
      place.replaceChildren(h("ul", { class: "legend-list" }, rows.map((row) => h("li", { class: state.hidden.has(row.name) ? "off" : "" }, button(row),
        legend.calcs.map((calc, at) => h("span", { class: "legend-calc" }, `${calcTitle(calc)}: `, h("b", {}, row.texts[at])))))));
    }
    if (focused !== null) /** @type {HTMLElement} */ (place.querySelector(`[title="${CSS.escape(focused)}"]`))?.focus();
  }
  return {
    /** @param {{series: any[], colours: any[], legend: any, hidden: Set<string>, onHidden: (hidden: Set<string>) => void}} next */
    update(next) {
      state = next;
      draw();
    },
  };
}
export const legendOf = (options) => ({ show: true, mode: "list", placement: "bottom", calcs: [], ...options?.legend });
