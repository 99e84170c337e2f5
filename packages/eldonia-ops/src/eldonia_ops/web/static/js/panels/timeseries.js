// Lines, bars and points over time.
import { h } from "../lib/dom.js";
import { coloursOf, nameOf, settingsOf, shown, steps } from "../lib/dashboards/display.js";
import { aligned, seriesOf } from "../lib/dashboards/frames.js";
import { reduce } from "../lib/dashboards/reduce.js";
import { axesOf, rangeOf } from "../lib/dashboards/scales.js";
import { connected, milliseconds, stacked } from "../lib/dashboards/stack.js";
import { faded, variable } from "../lib/palette.js";
import { tickSteps, tickTexts } from "../lib/units.js";
import { instance } from "./instances.js";
import { legendIn, legendOf } from "./legend.js";
import { AXIS_FONT, plotIn, timeAxis, tipRow, tipTime } from "./plot.js";

const MOST_SERIES = 200;
const MOST_TIP_ROWS = 24;

/** The series of a panel, with what counts for each. Also used for the table view and the legend of other charts. */
export function seriesWithSettings(panel, frames) {
  return seriesOf(frames).slice(0, MOST_SERIES).map((one) => {
    const settings = settingsOf(panel, one);
    return { ...one, settings, name: nameOf(settings, one), original: one.name };
  });
}

function axisOptions(axis, index, first) {
  const { settings, unit } = axis;
  const grid = settings.axis_grid === "on" || (settings.axis_grid !== "off" && first);
  return {
    scale: axis.key, side: axis.side === "right" ? 1 : 3, show: axis.side !== "hidden", stroke: variable("--muted"), font: AXIS_FONT(), gap: 5, ticks: { show: false },
    grid: { show: grid, stroke: variable("--grid"), width: 1 },
    label: settings.axis_label || undefined, labelSize: 18, labelFont: AXIS_FONT(), labelGap: 0,
    size: (self, texts) => (texts?.length ? Math.max(28, 11 + Math.max(...texts.map((text) => (text ?? "").length)) * 6.3) : 36),
    space: 30,
    ...(tickSteps(unit) && (settings.axis_scale ?? "linear") === "linear" ? { incrs: tickSteps(unit) } : {}),
    values: (_, ticks) => {
      // On a logarithmic axis uPlot gives null for ticks that have no room.
      const known = ticks.filter((one) => one !== null && one !== undefined);
      const texts = new Map(known.map((one, at) => [one, tickTexts(known, unit, settings.decimals ?? null)[at]]));
      return ticks.map((one) => texts.get(one) ?? "");
    },
  };
}

function scaleOptions(axis) {
  const { axis_scale: scale = "linear" } = axis.settings;
  const distribution = { log2: { distr: 3, log: 2 }, log10: { distr: 3, log: 10 }, symlog: { distr: 4 } }[scale] ?? {};
  return { auto: false, ...distribution };
}

function fillOf(settings, colour, axis) {
  const opacity = (settings.fill ?? 0) / 100;
  if (!opacity) return undefined;
  if (settings.gradient === "scheme") return (self) => stepGradient(self, settings, axis, opacity);
  if (settings.gradient === "opacity" || settings.gradient === "hue") {
    return (self) => {
      const { top, height } = self.bbox;
      if (!Number.isFinite(top + height)) return faded(colour, opacity);
      const gradient = self.ctx.createLinearGradient(0, top, 0, top + height);
      gradient.addColorStop(0, faded(colour, opacity));
      gradient.addColorStop(1, faded(colour, opacity * 0.08));
      return gradient;
    };
  }
  return faded(colour, opacity);
}
// Colours of thresholds from the bottom to the top of the axis.
function stepGradient(self, settings, axis, opacity = 1) {
  const { min, max } = self.scales[axis.key];
  const all = steps(settings, [settings.min ?? min, settings.max ?? max]);
  if (all.length < 2 || min === null) return all[0] ? faded(all[0][1], opacity) : undefined;
  const { top, height } = self.bbox;
  const gradient = self.ctx.createLinearGradient(0, top + height, 0, top);
  const part = (value) => Math.min(1, Math.max(0, (value - min) / (max - min)));
  all.forEach(([from, colour], at) => {
    gradient.addColorStop(part(from), faded(colour, opacity));
    gradient.addColorStop(part(all[at + 1]?.[0] ?? Infinity), faded(colour, opacity));
  });
  return gradient;
}

function paths(settings) {
  const { linear, spline, stepped, bars, points } = window.uPlot.paths;
  if (settings.draw === "bars") return bars({ size: [Math.min(1, settings.bar_width ?? 0.97) * 0.92, 120], align: 0, radius: 0.05 });
  if (settings.draw === "points") return points?.() ?? (() => null);
  switch (settings.interpolation) {
    case "smooth": return spline();
    case "step_before": return stepped({ align: -1 });
    case "step_after": return stepped({ align: 1 });
    default: return linear();
  }
}
const DASHES = { dash: [8, 5], dots: [2, 4] };

function seriesOptions(one, look, axis, hidden) {
  const { settings } = one;
  const width = settings.draw === "points" ? 0 : settings.draw === "bars" ? Math.min(1, settings.line_width ?? 1) : (settings.line_width ?? 1) * 1.4;
  const filled = settings.draw === "bars" && !settings.fill ? { ...settings, fill: 80 } : settings;
  const scheme = settings.gradient === "scheme" && settings.thresholds?.steps?.length > 1;
  return {
    label: one.name, scale: axis.key, show: !hidden, width, paths: paths(settings),
    stroke: scheme ? (self) => stepGradient(self, settings, axis) ?? look.colour : look.colour,
    fill: fillOf(filled, look.colour, axis), dash: DASHES[settings.line_style] ?? (look.dash.length ? look.dash : undefined),
    spanGaps: settings.connect === "always",
    points: settings.draw === "points" || settings.points === "always" ? { show: true, size: settings.point_size ?? 5, fill: look.colour }
      : settings.points === "never" || settings.draw === "bars" ? { show: false } : { size: settings.point_size ?? 5, fill: look.colour, filter: alonePoints },
  };
}
// Where points are not asked for, only those without neighbours are drawn: a line cannot show them.
function alonePoints(self, index, show, gaps) {
  if (show) return null;
  const values = self.data[index];
  const found = [];
  const [from, to] = self.series[0].idxs;
  for (let at = from; at <= to; at += 1) if (values[at] !== null && values[at] !== undefined && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null) found.push(at);
  return found.length ? found : null;
}

// The panel's thresholds are in the unit of its first axis; another axis has some of its own, or none.
function thresholdMarks(axes, common) {
  return (self) => {
    for (const [at, axis] of axes.entries()) {
      const { settings } = axis;
      if (at > 0 && settings.thresholds === common) continue;
      const style = settings.threshold_style ?? "off";
      if (style === "off" || !settings.thresholds?.steps?.length) continue;
      const { min, max } = self.scales[axis.key];
      const all = steps(settings, [settings.min ?? min, settings.max ?? max]);
      const { ctx } = self;
      const { left, top, width, height } = self.bbox;
      const y = (value) => Math.min(top + height, Math.max(top, self.valToPos(value, axis.key, true)));
      ctx.save();
      if (style.includes("area")) {
        all.forEach(([from, colour], at) => {
          const low = y(Math.max(min, from));
          const high = y(Math.min(max, all[at + 1]?.[0] ?? max));
          if (colour === "transparent" || low <= high) return;
          ctx.globalAlpha = 0.1;
          ctx.fillStyle = colour;
          ctx.fillRect(left, high, width, low - high);
        });
        ctx.globalAlpha = 1;
      }
      if (style.includes("line") || style.includes("dashed")) {
        for (const [from, colour] of all) {
          if (!Number.isFinite(from) || from < min || from > max || colour === "transparent") continue;
          ctx.strokeStyle = colour;
          ctx.lineWidth = 1.5 * devicePixelRatio;
          ctx.setLineDash(style.includes("dashed") ? [8 * devicePixelRatio, 5 * devicePixelRatio] : []);
          ctx.beginPath();
          ctx.moveTo(left, y(from));
          ctx.lineTo(left + width, y(from));
          ctx.stroke();
        }
      }
      ctx.restore();
    }
  };
}

function create(place) {
  const chart = h("div", { class: "chart", role: "img" });
  const legendPlace = h("div", { class: "chart-legend" });
  const box = h("div", { class: "chart-box" }, chart, legendPlace);
  place.append(box);
  const legend = legendIn(legendPlace);
  let state = /** @type {any} */ (null);

  const plot = plotIn(chart, {
    tipRows(index, self, top) {
      const { panel, series, looks, axes, axisOf, drawn, times } = state;
      const mode = panel.options?.tooltip?.mode ?? "all";
      if (mode === "none") return null;
      const rows = [];
      series.forEach((one, at) => {
        if (!drawn[at] || one.settings.hide_in?.includes("tooltip")) return;
        const value = state.columns[at][index];
        if (value === null || value === undefined) return;
        const distance = Math.abs(self.valToPos(self.data[at + 1][index], axes[axisOf[at]].key) - top);
        rows.push({ value, distance, name: one.name, colour: looks[at].colour, text: shown(value, one.settings).text });
      });
      if (!rows.length) return null;
      const nearest = rows.reduce((best, one) => (one.distance < best.distance ? one : best));
      nearest.near = true;
      const { sort = "descending" } = panel.options?.tooltip ?? {};
      if (sort !== "none") rows.sort((a, b) => (sort === "ascending" ? a.value - b.value : b.value - a.value));
      let listed = mode === "single" && panel.options?.tooltip?.mode ? [nearest] : rows;
      const more = listed.length - MOST_TIP_ROWS;
      if (more > 0) { listed = listed.slice(0, MOST_TIP_ROWS); if (!listed.includes(nearest)) listed[MOST_TIP_ROWS - 1] = nearest; }
      return [tipTime(times[index]), ...listed.map(tipRow), more > 0 ? h("div", { class: "tip-more" }, `+ ${more}`) : null];
    },
  });

  function draw() {
    const { panel, context } = state;
    const series = state.series.filter((one) => !one.settings.hide_in?.includes("chart"));
    const { times, columns } = aligned(series);
    for (const [at, one] of series.entries()) {
      if (one.settings.negative) columns[at] = columns[at].map((value) => (typeof value === "number" ? -value : value));
      const longest = one.settings.connect && one.settings.connect !== "always" ? milliseconds(one.settings.connect) : null;
      if (longest) columns[at] = connected(times, columns[at], longest);
    }
    const axes = axesOf(series);
    const axisOf = [];
    axes.forEach((axis, index) => { for (const at of axis.members) axisOf[at] = index; });
    const drawn = series.map((one) => !context.hidden.has(one.name));
    const stacks = series.map((one, at) => ({ shown: drawn[at], group: (one.settings.stacking ?? "none") === "none" ? null : `${axisOf[at]}:${one.settings.stack_group ?? ""}` }));
    const percent = series.some((one) => one.settings.stacking === "percent");
    const { columns: places, bands } = stacked(columns, stacks, percent);
    series.forEach((one, at) => {
      if (!one.settings.fill_below || !drawn[at]) return;
      const other = series.findIndex((each) => each.name === one.settings.fill_below || each.original === one.settings.fill_below);
      if (other >= 0) bands.push([at, other]);
    });
    const looks = coloursOf(series);
    Object.assign(state, { times, columns, axes, axisOf, drawn, looks, shownSeries: series });
    const scales = {};
    axes.forEach((axis, index) => {
      const members = axis.members.filter((at) => drawn[at]);
      const zero = members.some((at) => series[at].settings.draw === "bars" || (series[at].settings.fill ?? 0) > 0 || stacks[at].group !== null);
      scales[axis.key] = rangeOf(members.map((at) => places[at]), axis.settings, { zero, percent: percent && members.some((at) => series[at].settings.stacking === "percent") });
      if (percent && axis.settings.stacking === "percent") { axis.unit = "percent"; axis.settings = { ...axis.settings, decimals: 0 }; scales[axis.key] = [0, 100]; }
    });
    plot.update({
      key: JSON.stringify([series.map((one) => [one.name, one.settings]), looks, drawn, bands]),
      build: () => ({
        scales: { x: { time: true, auto: false }, ...Object.fromEntries(axes.map((axis) => [axis.key, scaleOptions(axis)])) },
        axes: [timeAxis(), ...axes.map((axis, index) => axisOptions(axis, index, index === 0))],
        series: [{}, ...series.map((one, at) => seriesOptions(one, looks[at], axes[axisOf[at]], !drawn[at]))],
        bands: bands.map(([upper, lower]) => ({ series: [upper + 1, lower + 1], fill: faded(looks[upper].colour, (series[upper].settings.fill || (series[upper].settings.draw === "bars" ? 80 : 0)) / 100) })),
        hooks: { drawAxes: [thresholdMarks(axes, panel.thresholds)] },
      }),
      data: [times.map((ms) => ms / 1000), ...places],
      bounds: context.bounds,
      scales,
    }, context);
    state.series = series;
    const options = legendOf(panel.options);
    const listed = series.map((one, at) => ({ ...one, at })).filter((one) => !one.settings.hide_in?.includes("legend"));
    box.classList.toggle("legend-right", options.placement === "right");
    legend.update({
      series: listed, colours: listed.map((one) => looks[one.at]), legend: options, hidden: context.hidden,
      onHidden: (hidden) => { context.onHidden(hidden); },
    });
    // What the picture says, in short; the table view says the rest.
    const said = listed.slice(0, 6).map((one) => `${one.name} ${shown(reduce("last", one.values), one.settings).text}`);
    chart.setAttribute("aria-label", [context.name, ...said, ...(listed.length > 6 ? [`+ ${listed.length - 6}`] : [])].join(", "));
  }
  return {
    update(panel, data, context) {
      state = { ...state, panel, context, series: seriesWithSettings(panel, data.frames) };
      draw();
    },
    destroy: () => plot.destroy(),
  };
}

/** @param {HTMLElement} place @param {any} panel @param {any} data @param {any} context */
export function render(place, panel, data, context) {
  instance(place, "timeseries", () => create(place)).update(panel, data, context);
}

