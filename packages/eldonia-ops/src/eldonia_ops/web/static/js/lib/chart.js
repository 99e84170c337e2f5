// Line charts and stacked bars with uPlot, in the page's colours.
import { h } from "./dom.js";
import { quantity, tickTime, timeOfDay } from "./format.js";
import { zoneName } from "./zone.js";

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const charts = new Set();
const MOST_LINES = 8;
// Distances between ticks of a time axis, in seconds; uPlot's own have no two minutes and go below the second.
const TICK_SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];

document.addEventListener("theme", () => {
  for (const chart of charts) chart.rebuild();
});
matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => {
  for (const chart of charts) chart.rebuild();
});

// Ticks are round numbers: 4 %, not 4.00 %.
const tickText = (value, unit) => quantity(value, unit).replace(/(\d)\.0+(?!\d)/, "$1").replace(/(\.\d*[1-9])0+(?!\d)/, "$1");

export function axes(unit, height) {
  const font = `11px ${getComputedStyle(document.documentElement).fontFamily}`;
  const common = { stroke: colour("--muted"), font, ticks: { show: false } };
  return [
    {
      ...common,
      // Below the lowest label of the other axis, which reaches half a line under the corner.
      size: 30,
      gap: 9,
      // Room for HH:MM, or for HH:MM:SS where a range is so short that ticks may be less than a minute apart.
      space: (_, axis, from, to, width) => (((to - from) * 54) / width < 60 ? 76 : 54),
      incrs: TICK_SECONDS,
      grid: { show: false },
      values: (_, ticks, axis, space, step) => ticks.map((tick) => tickTime(tick * 1000, step)),
    },
    {
      ...common,
      size: (self, values) => (values ? Math.max(34, 12 + Math.max(...values.map((text) => text.length)) * 6.4) : 40),
      gap: 5,
      space: Math.max(26, height / 4),
      grid: { stroke: colour("--grid"), width: 1 },
      values: (_, ticks) => ticks.map((tick) => (unit === "up_down" ? (tick === 0 || tick === 1 ? quantity(tick, unit) : "") : tick === null ? "" : tickText(tick, unit))),
    },
  ];
}

// Days and hours of the time axis begin where they do on the reader's clock.
const tzDate = (seconds) => window.uPlot.tzDate(new Date(seconds * 1000), zoneName);

export function mount(place, build) {
  let plot = null;
  const size = () => ({ width: Math.max(120, place.clientWidth), height: place.clientHeight });
  const observer = new ResizeObserver(() => plot?.setSize(size()));
  observer.observe(place);
  return {
    get plot() {
      return plot;
    },
    draw(data, scale) {
      if (!plot) {
        plot = new window.uPlot({ ...size(), ...build(), tzDate }, data, place);
      } else plot.setData(data, false);
      plot.batch(() => {
        plot.setScale("x", scale.x);
        plot.setScale("y", scale.y);
      });
    },
    clear() {
      plot?.destroy();
      plot = null;
    },
  };
}

// Over the lines: a dashed level for each threshold, and an upright for each moment, named where there is room.
function paint(plot, { levels, marks }) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineWidth = ratio;
  const stroke = (tone, dash, from, to) => {
    ctx.strokeStyle = colour(`--${tone}`);
    ctx.setLineDash(dash.map((one) => one * ratio));
    ctx.beginPath();
    ctx.moveTo(...from);
    ctx.lineTo(...to);
    ctx.stroke();
  };
  for (const level of levels) {
    const y = plot.valToPos(level, "y", true);
    stroke("bad", [6, 4], [bbox.left, y], [bbox.left + bbox.width, y]);
  }
  ctx.font = `${11 * ratio}px ${getComputedStyle(document.documentElement).fontFamily}`;
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  const taken = [];
  for (const mark of marks) {
    const x = plot.valToPos(mark.at / 1000, "x", true);
    stroke(mark.tone, [2, 3], [x, bbox.top], [x, bbox.top + bbox.height]);
    const width = ctx.measureText(mark.text).width;
    const [left, right] = [x + 2 * ratio, x + width + 10 * ratio];
    if (right > bbox.left + bbox.width || taken.some(([from, to]) => left < to && right > from)) continue;
    ctx.fillStyle = colour(`--${mark.tone}`);
    ctx.fillText(mark.text, x + 4 * ratio, bbox.top + 2 * ratio);
    taken.push([left, right]);
  }
  ctx.restore();
}

// One panel of lines. `onSelect(startMs, endMs)` is called once for a drag, though synced panels all see it.
export function lineChart(place, legend, { unit, least, sync, onSelect = /** @type {((start: number, end: number) => void) | null} */ (null) }) {
  const none = { levels: [], marks: [] };
  let over = none;
  let lines = [];
  let bounds = [0, 1];
  let last = null;
  const holder = mount(place, () => ({
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: sync, setSeries: false },
      y: false,
      points: { size: 6, width: 1 },
      drag: { x: true, y: false, setScale: false },
      dataIdx: (self, series, index) => index,
    },
    scales: { x: { time: true, auto: false }, y: { auto: false } },
    axes: axes(unit, place.clientHeight),
    series: [
      {},
      ...lines.map((line, index) => ({
        label: line.name,
        stroke: colour(`--c${index % MOST_LINES}`),
        width: 1.6,
        points: { show: false },
        spanGaps: false,
      })),
    ],
    hooks: {
      draw: [(self) => paint(self, over)],
      setCursor: [(self) => show(self.cursor.idx)],
      setSelect: [
        (self) => {
          if (self.select.width < 6) return;
          const start = self.posToVal(self.select.left, "x") * 1000;
          const end = self.posToVal(self.select.left + self.select.width, "x") * 1000;
          self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          onSelect?.(start, end);
        },
      ],
    },
  }));

  function show(index) {
    if (!last) return;
    lines.forEach((line, position) => {
      const values = last[position + 1];
      let at = index ?? values.length - 1;
      if (index === null || index === undefined) while (at > 0 && values[at] === null) at -= 1;
      line.value.textContent = quantity(values[at], unit);
    });
    place.title = index === null || index === undefined ? "" : timeOfDay(last[0][index] * 1000);
  }

  const chart = {
    // series: [{name, points: [[ms, value|null]]}]; range: [startMs, endMs];
    // overlay: {levels: [value], marks: [{at: ms, tone, text}]}
    update(series, range, overlay = none) {
      bounds = range;
      over = overlay;
      const kept = series.slice(0, MOST_LINES);
      const names = kept.map((one) => one.name).join("\n");
      if (kept.length !== lines.length || names !== lines.map((one) => one.name).join("\n")) {
        holder.clear();
        lines = kept.map((one) => ({ name: one.name, value: h("b") }));
        legend.replaceChildren(
          ...lines.map((line, index) =>
            h("li", {}, h("span", { class: `swatch c${index}` }), line.name ? h("span", { title: line.name }, line.name) : null, line.value),
          ),
        );
      }
      const times = [...new Set(kept.flatMap((one) => one.points.map(([at]) => at)))].sort((a, b) => a - b);
      last = [
        times.map((at) => at / 1000),
        ...kept.map((one) => {
          const known = new Map(one.points);
          return times.map((at) => known.get(at) ?? null);
        }),
      ];
      chart.draw();
    },
    draw() {
      if (!last?.[0].length) return;
      const values = [...last.slice(1).flat().filter((value) => value !== null), ...over.levels];
      const top = Math.max(least, ...values) * (unit === "percent" && Math.max(...values) <= 100 && least >= 100 ? 1 : 1.08);
      holder.draw(last, { x: { min: bounds[0] / 1000, max: bounds[1] / 1000 }, y: { min: Math.min(0, ...values), max: top || 1 } });
      show(holder.plot.cursor.idx);
    },
    rebuild() {
      holder.clear();
      chart.draw();
    },
  };
  charts.add(chart);
  return chart;
}

// Stacked bars of log levels; a drag calls onSelect(startMs, endMs).
export function levelChart(place, levels, onSelect) {
  let last = null;
  const holder = mount(place, () => ({
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
    scales: { x: { time: true, auto: false }, y: { auto: false } },
    axes: axes("count", place.clientHeight),
    series: [
      {},
      ...levels.map((level) => ({
        label: level,
        fill: colour(`--level-${level}`),
        width: 0,
        points: { show: false },
        paths: window.uPlot.paths.bars({ size: [0.82, 40], align: 1, gap: 1 }),
      })),
    ],
    hooks: {
      setSelect: [
        (self) => {
          if (self.select.width < 4) return;
          const start = self.posToVal(self.select.left, "x") * 1000;
          const end = self.posToVal(self.select.left + self.select.width, "x") * 1000;
          self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          onSelect(start, end);
        },
      ],
      setCursor: [
        (self) => {
          const at = self.cursor.idx;
          place.title = last && at !== null && at !== undefined
            ? `${timeOfDay(last.starts[at])}  ${levels.map((level) => `${level} ${last.counts[level][at]}`).join("  ")}`
            : "";
        },
      ],
    },
  }));
  const chart = {
    // {starts: [ms], width_ms, counts: {level: [n]}}: the tallest stack is drawn first, the others over it
    update(histogram, bounds) {
      last = { ...histogram, bounds };
      for (const level of levels) last.counts[level] ??= histogram.starts.map(() => 0);
      chart.draw();
    },
    draw() {
      if (!last) return;
      const stacks = levels.map((_, index) =>
        last.starts.map((_, at) => levels.slice(index).reduce((sum, level) => sum + last.counts[level][at], 0)),
      );
      const top = Math.max(4, ...stacks[0]) * 1.1;
      holder.draw([last.starts.map((ms) => ms / 1000), ...stacks], {
        x: { min: last.bounds[0] / 1000, max: last.bounds[1] / 1000 },
        y: { min: 0, max: top },
      });
    },
    rebuild() {
      holder.clear();
      chart.draw();
    },
  };
  charts.add(chart);
  return chart;
}
