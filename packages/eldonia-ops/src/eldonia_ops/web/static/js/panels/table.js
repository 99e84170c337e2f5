// Tables: sorted by a click, cells with colours, bars, small lines and links.
import { $$, h, icon } from "../lib/dom.js";
import { nameOf, settingsOf, shown, valueColour } from "../lib/dashboards/display.js";
import { rowsIn, tableOf } from "../lib/dashboards/frames.js";
import { calcText, calcTitle } from "../lib/dashboards/legend.js";
import { reduce } from "../lib/dashboards/reduce.js";
import { rowOrder } from "../lib/dashboards/transformations.js";
import { faded, inkOn, variable } from "../lib/palette.js";
import { t } from "../lib/i18n.js";
import { inUnit } from "../lib/units.js";
import { exactly } from "../lib/format.js";
import { canvasIn, sparkline } from "./canvas.js";
import { instance } from "./instances.js";
import { linked, valueLinks } from "./links.js";

const PAGE = 100;

function bounds(column, settings) {
  const { min, max, unit } = settings;
  const low = min ?? Math.min(0, reduce("min", column.values) ?? 0);
  const high = max ?? (unit === "percent" ? 100 : unit === "ratio" ? 1 : (reduce("max", column.values) ?? 1));
  return /** @type {[number, number]} */ ([low, high > low ? high : low + 1]);
}

function cellText(value, column, settings) {
  if (column.type === "time" && value !== null) return settings.unit ? inUnit(value, settings.unit) : inUnit(value, "time_of_day");
  if (value && typeof value === "object") return JSON.stringify(value);
  return shown(value, column.type === "string" ? { ...settings, unit: "text" } : settings).text;
}

function cell(column, at, row, context, canvases) {
  const { settings } = column;
  const value = column.values[at];
  const text = cellText(value, column, settings);
  const style = settings.cell ?? "auto";
  const links = valueLinks(settings.links, { value, text, field: column, row }, context);
  const align = (settings.align ?? "auto") === "auto" ? (column.type === "number" ? "right" : "left") : settings.align;
  const td = h("td", { class: `at-${align}`, "data-label": column.title });
  const colour = column.type === "time" ? "" : valueColour(value, settings, column.bounds);
  const wanted = style !== "auto" || column.coloured;
  if (style === "gauge" && typeof value === "number") {
    const part = Math.min(1, Math.max(0, (value - column.bounds[0]) / (column.bounds[1] - column.bounds[0])));
    td.append(h("span", { class: "cell-gauge", vars: { part: String(part), colour: colour || variable("--c0") } }, h("i"), h("b", {}, ...linked(text, links))));
  } else if (style === "sparkline" && column.lines?.[at]) {
    const holder = h("span", { class: "cell-line" });
    const line = colour || variable("--c0");
    canvases.push(canvasIn(holder, (drawing, width, height) => sparkline(drawing, width, height, column.lines[at], line, faded(line, 0.15))));
    td.append(holder, h("b", {}, text));
  } else if (style === "json") td.append(h("code", {}, text));
  else td.append(...linked(text, links));
  if (wanted && colour && colour !== "transparent") {
    if (style === "background") {
      td.classList.add("filled", `ink-${inkOn(colour) === "#ffffff" ? "light" : "dark"}`);
      td.style.setProperty("--colour", colour);
    } else if (style === "color" || (style === "auto" && column.coloured)) td.style.color = colour;
  }
  if (column.type === "time" && value !== null) td.title = exactly(value);
  return td;
}

function create(place) {
  const scroll = h("div", { class: "table-scroll", tabindex: "0", role: "region" });
  const foot = h("div", { class: "table-foot", hidden: true });
  place.append(scroll, foot);
  let sort = /** @type {{field: string, descending: boolean} | null} */ (null);
  let page = 0;
  const filters = new Map();
  let state = /** @type {any} */ (null);
  let canvases = [];

  function header(column, current) {
    const on = current?.field === column.name;
    const next = () => {
      // Rising, falling, and as it came.
      sort = !on ? { field: column.name, descending: column.type === "number" } : current.descending === (column.type === "number") ? { field: column.name, descending: !current.descending } : { field: "", descending: false };
      page = 0;
      draw();
      $$(".sorter", scroll).find((one) => one.dataset.name === column.name)?.focus();
    };
    const align = (column.settings.align ?? "auto") === "auto" ? (column.type === "number" ? "right" : "left") : column.settings.align;
    return h("th", { scope: "col", class: `at-${align}`, "aria-sort": on ? (current.descending ? "descending" : "ascending") : "none", ...(column.settings.width ? { width: String(column.settings.width) } : {}) },
      h("button", { type: "button", class: "sorter", "data-name": column.name, onclick: next }, column.title),
      column.settings.filterable ? h("input", { class: "column-filter", "aria-label": t("panel.filter_column", { name: column.title }), placeholder: t("panel.filter"), value: filters.get(column.name) ?? "", oninput: (event) => {
        filters.set(column.name, event.currentTarget.value);
        page = 0;
        const { selectionStart: caret } = event.currentTarget;
        draw();
        const again = $$(".column-filter", scroll).find((one) => one.previousElementSibling.dataset.name === column.name);
        again?.focus();
        again?.setSelectionRange(caret, caret);
      } }) : null);
  }

  function draw() {
    const { panel, context, table } = state;
    for (const one of canvases) one.destroy();
    canvases = [];
    const options = panel.options ?? {};
    const columns = table.columns.map((one) => {
      const settings = settingsOf(panel, { ...one, ref: one.ref ?? table.ref });
      return { ...one, settings, title: nameOf(settings, one) === one.name && one.name === "Time" ? t("panel.time") : nameOf(settings, one), bounds: one.type === "number" ? bounds(one, settings) : null, coloured: settings.color?.mode === "thresholds" && options.cell === undefined ? false : settings.cell === "color" || Boolean(settings.mappings?.some((each) => each.color)) };
    }).filter((one) => !one.settings.hidden);
    const titles = new Map(columns.map((one) => [one.title, one.name]));
    const given = (options.sort ?? []).map((one) => ({ ...one, field: titles.get(one.field) ?? one.field }));
    const by = sort ? (sort.field ? [sort] : []) : given;
    let rows = rowOrder(table, by);
    for (const [name, text] of filters) {
      const column = columns.find((one) => one.name === name);
      if (text && column) rows = rows.filter((at) => cellText(column.values[at], column, column.settings).toLowerCase().includes(text.toLowerCase()));
    }
    const size = options.page_size || PAGE;
    const pages = Math.max(1, Math.ceil(rows.length / size));
    page = Math.min(page, pages - 1);
    const seen = rows.slice(page * size, (page + 1) * size);
    const { scrollTop, scrollLeft } = scroll;
    scroll.setAttribute("aria-label", context.name);
    const calcs = options.footer ?? [];
    const counted = (one) => one.type === "number" && (!options.footer_fields?.length || options.footer_fields.includes(one.title) || options.footer_fields.includes(one.name));
    scroll.replaceChildren(h("table", { class: "panel-table" },
      options.header === false ? h("thead", { class: "hide" }, h("tr", {}, columns.map((one) => h("th", { scope: "col" }, one.title)))) : h("thead", {}, h("tr", {}, columns.map((one) => header(one, by[0])))),
      h("tbody", {}, seen.map((at) => {
        const row = Object.fromEntries(table.columns.map((one) => [one.name, one.values[at]]));
        return h("tr", {}, columns.map((one) => cell(one, at, row, context, canvases)));
      })),
      calcs.length ? h("tfoot", {}, calcs.map((calc) => h("tr", {}, columns.map((one, at) => h("td", { class: counted(one) ? "at-right" : "" }, counted(one) ? calcText(calc, rows.map((row) => one.values[row]), one.settings) : at === 0 ? calcTitle(calc) : ""))))) : null));
    scroll.scrollTo(scrollLeft, scrollTop);
    foot.hidden = pages < 2;
    if (pages > 1) {
      const step = (by, name, glyph) => h("button", { type: "button", class: "icon-button", "aria-label": t(name), disabled: page + by < 0 || page + by >= pages, onclick: () => { page += by; draw(); scroll.scrollTop = 0; } }, glyph);
      foot.replaceChildren(step(-1, "panel.page_before", back()), h("span", {}, t("panel.rows", { from: page * size + 1, to: Math.min(rows.length, (page + 1) * size), all: rows.length })), step(1, "panel.page_after", icon("chevron")));
    }
  }
  const back = () => { const one = icon("chevron"); one.classList.add("turned"); return one; };
  return {
    update(panel, data, context) {
      const table = tableOf(data.frames);
      const alike = state && state.table.columns.map((one) => one.name).join("\n") === table.columns.map((one) => one.name).join("\n");
      if (!alike) { page = 0; }
      state = { panel, context, table };
      // Someone who is typing in a filter is not interrupted by a refresh; the next key draws.
      if (scroll.contains(document.activeElement) && document.activeElement.matches("input")) return;
      draw();
    },
    destroy: () => { for (const one of canvases) one.destroy(); },
    get rows() { return rowsIn(state?.table ?? { ref: "", columns: [] }); },
  };
}
export function render(place, panel, data, context) {
  instance(place, "table", () => create(place)).update(panel, data, context);
}
