// State timelines: a row for each series, a bar for as long as it had one value.
import { h } from "../lib/dom.js";
import { duration, rangeText } from "../lib/format.js";
import { mapped, nameOf, settingsOf, shown, valueColour } from "../lib/dashboards/display.js";
import { seriesOf } from "../lib/dashboards/frames.js";
import { spans } from "../lib/dashboards/states.js";
import { inkOn, places, seriesColour, variable } from "../lib/palette.js";
import { instance } from "./instances.js";
import { legendOf } from "./legend.js";
import { AXIS_FONT, plotIn, timeAxis, tipRow } from "./plot.js";

const MOST_ROWS = 100;

/** Rows with their spans, texts and colours. */
export function timelineOf(panel, frames, until = Infinity) {
  const rows = seriesOf(frames, ["number", "string", "boolean"]).slice(0, MOST_ROWS).map((one) => {
    const settings = settingsOf(panel, one);
    return { ...one, settings, name: nameOf(settings, one), spans: /** @type {any[]} */ ([]) };
  });
  const texts = new Set();
  for (const row of rows) {
    // Values that read the same are one state: the same text, or the same colour of a threshold.
    const thresholds = row.settings.thresholds?.steps?.length > 1;
    const key = (value) => mapped(value, row.settings.mappings)?.text || (thresholds && typeof value === "number" ? valueColour(value, row.settings) : shown(value, row.settings).text);
    row.spans = spans(row.times, row.values, { merge: panel.options?.merge_equal ?? true, until, key });
    for (const span of row.spans) { span.text = shown(span.value, row.settings).text; texts.add(span.text); }
  }
  const free = places([...texts]);
  for (const row of rows) {
    const plain = ["auto", "palette", "name"].includes(row.settings.color?.mode ?? "auto") && !(row.settings.thresholds?.steps?.length > 1);
    for (const span of row.spans) {
      const own = valueColour(span.value, plain ? { ...row.settings, thresholds: undefined } : row.settings);
      span.colour = own || seriesColour(free.get(span.text));
    }
  }
  return rows;
}

function create(place) {
  const chart = h("div", { class: "chart", role: "img" });
  const legendPlace = h("div", { class: "chart-legend" });
  place.append(h("div", { class: "chart-box" }, chart, legendPlace));
  let state = /** @type {any} */ (null);
  const plot = plotIn(chart, {
    tipRows(index, self, top) {
      const { rows } = state;
      const row = rows[rows.length - 1 - Math.floor(self.posToVal(top, "y"))];
      const at = self.posToVal(self.cursor.left, "x") * 1000;
      const span = row?.spans.find((one) => at >= one.from && at < one.to);
      if (!span) return null;
      return [h("div", { class: "tip-time" }, rangeText(span.from, span.to)), tipRow({ colour: span.colour, name: row.name, text: span.text }), h("div", { class: "tip-more" }, duration(span.to - span.from))];
    },
  });
  function bars(self) {
    const { rows, options } = state;
    const { ctx } = self;
    const { left, top, width, height } = self.bbox;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    ctx.font = `${11 * devicePixelRatio}px ${variable("--font")}`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    const share = options.row_height ?? 0.9;
    rows.forEach((row, at) => {
      const low = self.valToPos(rows.length - 1 - at, "y", true);
      const high = self.valToPos(rows.length - at, "y", true);
      const tall = Math.max(2, (low - high) * share);
      const y = high + (low - high - tall) / 2;
      for (const { from, to, colour, text } of row.spans) {
        const x = self.valToPos(from / 1000, "x", true);
        const end = self.valToPos(to / 1000, "x", true);
        if (end < left || x > left + width) continue;
        ctx.fillStyle = colour;
        ctx.fillRect(x, y, Math.max(1, end - x - (end - x > 6 ? devicePixelRatio : 0)), tall);
        const [a, b] = [Math.max(left, x), Math.min(left + width, end)];
        if ((options.show_values ?? "auto") !== "never" && tall > 13 * devicePixelRatio && b - a > 8 * devicePixelRatio + ctx.measureText(text).width) {
          ctx.fillStyle = inkOn(colour);
          ctx.fillText(text, a + 5 * devicePixelRatio, y + tall / 2);
        }
      }
    });
    ctx.restore();
  }
  return {
    update(panel, data, context) {
      const rows = timelineOf(panel, data.frames, context.bounds[1]);
      const times = [...new Set(rows.flatMap((row) => row.times))].sort((a, b) => a - b);
      state = { rows, options: panel.options ?? {} };
      const longest = Math.min(22, Math.max(4, ...rows.map((row) => row.name.length)));
      plot.update({
        key: JSON.stringify([rows.map((row) => row.name), panel.options]),
        build: () => ({
          scales: { x: { time: true, auto: false }, y: { auto: false } },
          axes: [{ ...timeAxis(), grid: { show: false } }, {
            scale: "y", stroke: variable("--muted"), font: AXIS_FONT(), gap: 6, ticks: { show: false }, grid: { show: false }, size: 14 + longest * 6.3,
            splits: () => state.rows.map((_, at) => at + 0.5),
            values: (self) => { const every = Math.ceil((14 * state.rows.length) / Math.max(14, self.bbox.height / devicePixelRatio)); return state.rows.map((_, at) => { const { name } = state.rows[state.rows.length - 1 - at]; return at % every ? "" : name.length > longest ? `${name.slice(0, longest - 1)}…` : name; }); },
          }],
          series: [{}, { scale: "y", paths: () => null, points: { show: false } }],
          cursor: { points: { show: false } },
          hooks: { drawAxes: [bars] },
        }),
        data: [times.map((ms) => ms / 1000), times.map(() => null)],
        bounds: context.bounds,
        scales: { y: [0, Math.max(1, rows.length)] },
      }, context);
      chart.setAttribute("aria-label", context.name);
      const states = new Map(rows.flatMap((row) => row.spans.map((span) => [span.text, span.colour])));
      const legend = legendOf(panel.options);
      legendPlace.hidden = !legend.show || !states.size || states.size > 24;
      legendPlace.replaceChildren(h("ul", { class: "legend-list" }, [...states].sort().map(([text, colour]) => h("li", {}, h("span", { class: "legend-name" }, h("i", { class: "swatch box", vars: { colour } }), h("span", {}, text))))));
    },
    destroy: () => plot.destroy(),
  };
}
export function render(place, panel, data, context) {
  instance(place, "state_timeline", () => create(place)).update(panel, data, context);
}
