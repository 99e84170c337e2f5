// Bars: one for each value between the bounds, or columns for the rows of a table.
import { h } from "../lib/dom.js";
import { coloursOf, nameOf, ownColour, settingsOf, shown, steps } from "../lib/dashboards/display.js";
import { rowsIn, tableOf } from "../lib/dashboards/frames.js";
import { rangeOf } from "../lib/dashboards/scales.js";
import { boundsOf, partOf, singleValues } from "../lib/dashboards/single.js";
import { faded, variable } from "../lib/palette.js";
import { inUnit } from "../lib/units.js";
import { niceStep } from "../lib/dashboards/heat.js";
import { instance } from "./instances.js";
import { legendIn, legendOf } from "./legend.js";
import { linked, valueLinks } from "./links.js";
import { hideTip, showTip, tipRow } from "./plot.js";
import { tiles } from "./stat.js";

const CELLS = 30;
const MOST_CATEGORIES = 60;

function tile() {
  const name = h("span", { class: "bar-name" });
  const fill = h("i");
  const track = h("span", { class: "bar-track" }, fill);
  const value = h("span", { class: "bar-value" });
  const element = h("li", { class: "bar-row" }, name, track, value);
  return {
    element,
    update(one, all, panel, context) {
      const { bar_style: style = "gradient", show_unfilled: unfilled = true } = panel.options ?? {};
      const bounds = boundsOf(one, all);
      const found = shown(one.value, one.settings, { bounds, otherwise: ownColour(one, variable("--c0")) });
      const colour = found.colour || variable("--c0");
      const part = partOf(one.value, bounds);
      element.style.setProperty("--part", String(part));
      element.style.setProperty("--colour", colour);
      track.className = `bar-track ${style}${unfilled ? "" : " bare"}`;
      if (style === "lcd") {
        const marks = steps(one.settings, bounds);
        const at = (place) => marks.findLast(([from]) => bounds[0] + ((bounds[1] - bounds[0]) * (place + 0.5)) / CELLS >= from)?.[1] ?? colour;
        track.replaceChildren(...Array.from({ length: CELLS }, (_, place) => h("b", { vars: { colour: (place + 0.5) / CELLS <= part ? at(place) : faded(at(place), 0.15) } })));
      } else if (fill.parentElement !== track) track.replaceChildren(fill);
      name.textContent = one.name;
      name.title = one.name;
      value.replaceChildren(...linked(found.text, valueLinks(one.settings.links, { value: one.value, text: found.text, field: one.field, row: one.row }, context)));
    },
  };
}

function createBars(place) {
  const holder = tiles(place, "bars", tile);
  return {
    update(panel, data, context) {
      const all = singleValues(panel, data.frames);
      holder.list.classList.toggle("upright", panel.options?.orientation === "vertical");
      holder.list.style.setProperty("--many", String(all.length));
      holder.update(all, panel, context);
    },
    destroy: holder.destroy,
  };
}

/** Rows of a table as groups of bars. @returns {{categories: string[], series: any[]}} */
export function categories(panel, frames) {
  const single = frames.length > 1 && frames.every((one) => one.columns.length === 2 && one.columns[0].type === "time");
  if (single) {
    // Series over time: each is a category with its last value.
    const all = singleValues(panel, frames);
    return { categories: all.map((one) => one.name), series: [{ name: panel.title?.en ?? panel.title ?? "", settings: settingsOf(panel, { name: "Value" }), values: all.map((one) => one.value) }] };
  }
  const table = tableOf(frames);
  const { category = "" } = panel.options ?? {};
  const named = table.columns.find((one) => one.name === category) ?? table.columns.find((one) => one.type === "string") ?? table.columns.find((one) => one.type === "time");
  const many = Math.min(MOST_CATEGORIES, rowsIn(table));
  const numeric = table.columns.filter((one) => one.type === "number" && one !== named);
  const text = (value) => (named?.type === "time" ? inUnit(value, "time_of_day") : String(value ?? ""));
  return {
    categories: Array.from({ length: many }, (_, at) => (named ? text(named.values[at]) : String(at + 1))),
    series: numeric.map((one) => { const settings = settingsOf(panel, one); return { ...one, name: nameOf(settings, one), settings, values: one.values.slice(0, many) }; }),
  };
}

function createColumns(place) {
  const chart = h("div", { class: "columns-chart" });
  const legendPlace = h("div", { class: "chart-legend" });
  place.append(h("div", { class: "chart-box" }, chart, legendPlace));
  const legend = legendIn(legendPlace);
  return {
    update(panel, data, context) {
      const { categories: names, series } = categories(panel, data.frames);
      const looks = coloursOf(series);
      const shownSeries = series.map((one, at) => ({ ...one, at })).filter((one) => !context.hidden.has(one.name));
      const { stacking = "none", orientation = "auto", show_values: values = "auto" } = panel.options ?? {};
      const stack = stacking !== "none";
      const totals = names.map((_, at) => shownSeries.reduce((sum, one) => sum + Math.abs(one.values[at] ?? 0), 0));
      const size = (one, at) => (stacking === "percent" ? (totals[at] ? (100 * Math.abs(one.values[at] ?? 0)) / totals[at] : 0) : (one.values[at] ?? 0));
      const settings = { ...panel.options, ...(series[0]?.settings ?? {}) };
      const [low, high] = stacking === "percent" ? [0, 100] : rangeOf(stack ? [totals] : shownSeries.map((one) => one.values), settings, { zero: true });
      const part = (value) => Math.max(0, Math.min(1, (value - low) / (high - low)));
      const lying = orientation === "horizontal" || (orientation === "auto" && names.length > 24);
      const step = niceStep((high - low) / 4);
      const ticks = [];
      for (let tick = Math.ceil(low / step) * step; tick <= high + 1e-9; tick += step) ticks.push(Number(tick.toPrecision(12)));
      const unit = stacking === "percent" ? "percent" : settings.unit;
      const alone = series.length === 1;
      const column = (name, at) => h("li", { class: "column-item" },
        h("span", { class: stack ? "column-bars stack" : "column-bars" }, shownSeries.map((one) => {
          const value = one.values[at];
          const found = shown(value, one.settings, { bounds: [low, high], otherwise: looks[one.at].colour });
          const own = one.settings.color?.mode === "thresholds" || one.settings.mappings?.length ? found.colour : looks[one.at].colour;
          const [a, b] = [part(Math.min(0, size(one, at))), part(Math.max(0, size(one, at)))];
          const seen = values === "always" || (values === "auto" && names.length * shownSeries.length <= 20);
          return h("i", { vars: { colour: own || looks[one.at].colour, size: String(stack ? size(one, at) / (high - low) : b - a), from: String(stack ? 0 : a) },
            onpointerenter: (event) => showTip(place, { x: event.clientX, y: event.clientY }, [h("div", { class: "tip-time" }, name), ...shownSeries.map((each) => tipRow({ colour: looks[each.at].colour, name: each.name, text: shown(each.values[at], each.settings).text, near: each === one }))]),
            onpointerleave: () => hideTip(place) }, seen ? h("em", {}, found.text) : h("em", { class: "hide" }, found.text));
        })),
        h("span", { class: "column-name", title: name }, name));
      chart.className = `columns-chart${lying ? " lying" : ""}`;
      chart.replaceChildren(
        h("div", { class: "columns-axis", "aria-hidden": "true" }, ticks.map((tick) => h("span", { vars: { at: String(part(tick)) } }, h("b", {}, inUnit(tick, unit, { decimals: settings.decimals ?? null }))))),
        h("ol", { class: "column-list", vars: { zero: String(part(0)) } }, names.map(column)),
      );
      const options = legendOf(panel.options);
      legend.update({ series, colours: looks, legend: { ...options, show: options.show && !alone }, hidden: context.hidden, onHidden: (hidden) => context.onHidden(hidden) });
    },
    destroy: () => hideTip(place),
  };
}

export function render(place, panel, data, context) {
  const type = panel.options?.bar_style === "columns" ? "columns" : "bars";
  instance(place, type, () => (type === "columns" ? createColumns(place) : createBars(place))).update(panel, data, context);
}

