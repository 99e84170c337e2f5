// Heat maps: how many values were in which range, over time.
import { h } from "../lib/dom.js";
import { heatColours, settingsOf } from "../lib/dashboards/display.js";
import { seriesOf } from "../lib/dashboards/frames.js";
import { fromBuckets, fromNamedSeries, fromValues, rampPlace } from "../lib/dashboards/heat.js";
import { variable } from "../lib/palette.js";
import { rangeText } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { inUnit, tickTexts } from "../lib/units.js";
import { instance } from "./instances.js";
import { AXIS_FONT, plotIn, timeAxis } from "./plot.js";

/** @returns {import("../lib/dashboards/heat.js").HeatMap} */
export function heatOf(panel, data) {
  const histogram = data.results?.find((one) => one.kind === "heatmap" && !one.error);
  if (histogram && !panel.transformations?.length) return fromBuckets(histogram.timestamps, histogram.series, histogram.buckets);
  const series = seriesOf(data.frames);
  if (panel.options?.heat?.calculate || !series.length) return fromValues(series);
  const bounded = series.every((one) => one.labels.le !== undefined || /(?:^|[^\w.])[-+]?(?:\d[\d.e+-]*|\+?Inf)$/i.test(` ${one.name}`));
  return bounded && series.length > 1 ? fromNamedSeries(series[0].times, series) : fromValues(series);
}

function create(place) {
  const chart = h("div", { class: "chart", role: "img" });
  const scale = h("div", { class: "heat-scale", "aria-hidden": "true" });
  place.append(h("div", { class: "chart-box" }, chart, scale));
  let state = /** @type {any} */ (null);

  const rowAt = (value) => state.map.rows[state.map.ordinal ? Math.floor(value) : state.map.rows.findIndex((row) => value >= row.low && value < row.high)];
  const plot = plotIn(chart, {
    tipRows(index, self, top) {
      const row = rowAt(self.posToVal(top, "y"));
      const count = row?.counts[index];
      const { map, unit } = state;
      if (!row) return null;
      const name = (one) => (one === Infinity ? "∞" : one === -Infinity ? "-∞" : inUnit(one, unit));
      return [h("div", { class: "tip-time" }, rangeText(map.times[index], map.times[index] + map.step)), h("div", { class: "tip-row" }, h("i", { class: "none" }), h("span", {}, `${name(row.low)} – ${name(row.high)}`), h("b", {}, inUnit(count ?? 0, "short")))];
    },
  });

  function cells(self) {
    const { map, ramp, heat } = state;
    const { ctx } = self;
    const { left, top, width, height } = self.bbox;
    const gap = Math.min(2, heat.cell_gap ?? 1) * devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    const xs = map.times.map((ms) => Math.round(self.valToPos((ms - (map.ordinal ? map.step : 0)) / 1000, "x", true)));
    const last = Math.round(self.valToPos((map.times.at(-1) + (map.ordinal ? 0 : map.step)) / 1000, "x", true));
    const ys = map.rows.map((row, at) => Math.round(self.valToPos(map.ordinal ? at : row.low, "y", true)));
    const end = Math.round(self.valToPos(map.ordinal ? map.rows.length : (map.rows.at(-1)?.high ?? 1), "y", true));
    // A colour at a time: changing it is what costs.
    const byColour = new Map();
    map.rows.forEach((row, r) => {
      const y = ys[r + 1] ?? end;
      const tall = Math.max(1, Math.abs(ys[r] - y) - gap);
      for (let at = 0; at < map.times.length; at += 1) {
        const place = rampPlace(row.counts[at], map.most, heat, ramp.length);
        if (place < 0) continue;
        const wide = Math.max(1, (xs[at + 1] ?? last) - xs[at] - (xs.length > width / 4 ? 0 : gap));
        if (!byColour.has(place)) byColour.set(place, []);
        byColour.get(place).push(xs[at], Math.min(y, ys[r]), wide, tall);
      }
    });
    for (const [place, rects] of byColour) {
      ctx.fillStyle = ramp[place];
      for (let at = 0; at < rects.length; at += 4) ctx.fillRect(rects[at], rects[at + 1], rects[at + 2], rects[at + 3]);
    }
    ctx.restore();
  }

  return {
    update(panel, data, context) {
      const map = heatOf(panel, data);
      const heat = panel.options?.heat ?? {};
      const ramp = heatColours(heat.scheme, heat.reverse);
      const { unit, decimals } = settingsOf(panel, { name: "" });
      state = { map, heat, ramp, unit };
      const high = map.ordinal ? map.rows.length : (map.rows.at(-1)?.high ?? 1);
      const low = map.ordinal ? 0 : (map.rows[0]?.low ?? 0);
      const rowTicks = (self) => {
        const every = Math.max(1, Math.ceil(map.rows.length / Math.max(2, (self.bbox?.height ?? 120) / devicePixelRatio / 18)));
        return Array.from({ length: Math.floor(map.rows.length / every) }, (_, at) => (at + 1) * every);
      };
      plot.update({
        key: JSON.stringify([map.ordinal, map.ordinal && map.rows.map((row) => row.high), unit, decimals, heat]),
        build: () => ({
          scales: { x: { time: true, auto: false }, y: { auto: false, ...(heat.reverse_y ? { dir: -1 } : {}) } },
          axes: [{ ...timeAxis(), grid: { show: false } }, {
            scale: "y", stroke: variable("--muted"), font: AXIS_FONT(), gap: 5, ticks: { show: false }, grid: { show: false },
            size: (self, texts) => (texts?.length ? Math.max(28, 11 + Math.max(...texts.map((text) => (text ?? "").length)) * 6.3) : 40),
            ...(map.ordinal ? { splits: rowTicks } : {}),
            values: (_, ticks) => (map.ordinal ? ticks.map((tick) => { const bound = state.map.rows[tick - 1]?.high; return bound === undefined ? "" : bound === Infinity ? "∞" : inUnit(bound, unit, { decimals: decimals ?? null }); }) : tickTexts(ticks, unit, decimals ?? null)),
          }],
          series: [{}, { scale: "y", paths: () => null, points: { show: false } }],
          cursor: { points: { show: false } },
          hooks: { drawClear: [], drawAxes: [cells] },
        }),
        data: [map.times.map((ms) => ms / 1000), map.times.map(() => null)],
        bounds: context.bounds,
        scales: { y: [low, high > low ? high : low + 1] },
      }, context);
      chart.setAttribute("aria-label", context.name);
      const stops = [0, 0.25, 0.5, 0.75, 1].map((part) => ramp[Math.round(part * (ramp.length - 1))]);
      scale.replaceChildren(h("span", {}, inUnit(heat.min ?? 0, "short")), h("i", { vars: { ramp: `linear-gradient(to right, ${stops.join(", ")})` } }), h("span", {}, inUnit(heat.max ?? map.most, "short")), h("span", { class: "hide" }, t("panel.heat_scale")));
    },
    destroy: () => plot.destroy(),
  };
}
export function render(place, panel, data, context) {
  instance(place, "heatmap", () => create(place)).update(panel, data, context);
}
