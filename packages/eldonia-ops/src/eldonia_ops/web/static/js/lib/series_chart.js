// Series as lines or stacked areas, on a linear or a logarithmic scale, with a legend that hides and shows them.
import { axes, charts, colour, mount } from "./chart.js";
import { h } from "./dom.js";
import { exactly, quantity, timeOfDay } from "./format.js";
import { t } from "./i18n.js";

const COLOURS = 8;
const DASHES = [[], [7, 3], [2, 3]];
export const MOST_LINES = 100;

const numbers = (points) => points.map(([, value]) => value).filter((value) => typeof value === "number");

/** Least, greatest, mean and last value of points. @param {[number, number | null][]} points */
export function statistics(points) {
  const found = numbers(points);
  if (!found.length) return { min: null, max: null, avg: null, last: null };
  let [min, max, sum] = [Infinity, -Infinity, 0];
  for (const value of found) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
  }
  return { min, max, avg: sum / found.length, last: found.at(-1) };
}

/** Each series on top of those before it; what is missing counts as nothing, but stays a gap where all are missing. */
export function stacked(columns) {
  const total = (columns[0] ?? []).map(() => 0);
  return columns.map((values) => values.map((value, index) => {
    total[index] += value ?? 0;
    return columns.every((one) => one[index] === null) ? null : total[index];
  }));
}

/** The bounds of the axis of values. @returns {[number, number]} */
export function valueBounds(columns, log) {
  let [low, high] = [Infinity, -Infinity];
  for (const values of columns) for (const value of values) if (value !== null && (!log || value > 0)) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return log ? [0.1, 10] : [0, 1];
  if (log) return [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high) + 1e-9)];
  // An axis that begins at zero where the values are near it, else one that fits them.
  const size = high - low;
  if (!size) return high === 0 ? [0, 1] : high > 0 ? [0, high * 1.25] : [low * 1.25, 0];
  const least = low >= 0 && low < size * 2 ? 0 : low - size * 0.05;
  return [least, high + size * 0.08];
}

/**
 * @param {HTMLElement} place
 * @param {HTMLElement} legend
 * @param {{sync: string, onSelect: (start: number, end: number) => void}} options
 */
export function seriesChart(place, legend, { sync, onSelect }) {
  let lines = [];
  let data = null;
  let bounds = [0, 1];
  let look = { stack: false, log: false, unit: "count" };
  const hidden = new Set();
  const holder = mount(place, () => ({
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: sync, setSeries: false }, y: false, points: { size: 6, width: 1 }, drag: { x: true, y: false, setScale: false } },
    scales: { x: { time: true, auto: false }, y: { auto: false, distr: look.log ? 3 : 1, log: 10 } },
    axes: axes(look.unit, place.clientHeight),
    series: [
      {},
      ...lines.map((line, index) => {
        const stroke = colour(`--c${index % COLOURS}`);
        return { label: line.key, stroke, width: look.stack ? 1 : 1.6, dash: DASHES[Math.floor(index / COLOURS) % DASHES.length], points: { show: !look.stack && line.single, size: 5 }, spanGaps: false, fill: look.stack ? `${stroke}55` : undefined, show: !hidden.has(line.key) };
      }),
    ],
    bands: look.stack ? lines.slice(1).map((_, index) => /** @type {any} */ ({ series: [index + 2, index + 1] })) : [],
    hooks: {
      setCursor: [(self) => showValues(self.cursor.idx)],
      setSelect: [(self) => {
        if (self.select.width < 6) return;
        const start = self.posToVal(self.select.left, "x") * 1000;
        const end = self.posToVal(self.select.left + self.select.width, "x") * 1000;
        self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        onSelect(start, end);
      }],
    },
  }));

  function showValues(index) {
    const there = index !== null && index !== undefined;
    for (const line of lines) {
      line.value.textContent = quantity(there ? line.column[index] : line.stats.last, line.unit);
    }
    place.title = there ? timeOfDay(data.times[index] * 1000) : "";
    legend.querySelector("[data-now]")?.replaceChildren(there ? exactly(data.times[index] * 1000) : t("explore.last"));
  }

  function toggle(line, only) {
    if (only) {
      const others = lines.filter((one) => one !== line).map((one) => one.key);
      const alone = !hidden.has(line.key) && others.every((key) => hidden.has(key));
      hidden.clear();
      if (!alone) for (const key of others) hidden.add(key);
    } else if (!hidden.delete(line.key)) hidden.add(line.key);
    for (const one of lines) one.row.setAttribute("aria-pressed", String(!hidden.has(one.key)));
    chart.rebuild();
  }

  function showLegend() {
    const head = h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("explore.series")), ...["min", "max", "avg"].map((key) => h("th", { scope: "col", class: "num" }, t(`explore.${key}`))), h("th", { scope: "col", class: "num", "data-now": true }, t("explore.last"))));
    const rows = lines.map((line, index) => {
      line.value = h("td", { class: "num" });
      line.row = h("button", { type: "button", class: "series-name", title: `${line.title}\n${t("explore.toggle_hint")}`, "aria-pressed": String(!hidden.has(line.key)), onclick: (event) => toggle(line, event.shiftKey || event.ctrlKey || event.metaKey) },
        h("span", { class: `swatch c${index % COLOURS}${index >= COLOURS ? " dashed" : ""}` }), h("span", { class: "mono" }, line.name));
      const stat = (key) => h("td", { class: "num" }, quantity(line.stats[key], line.unit));
      return h("tr", {}, h("td", {}, line.row), stat("min"), stat("max"), stat("avg"), line.value);
    });
    legend.replaceChildren(h("table", { class: "series-legend" }, head, h("tbody", {}, rows)));
  }

  const chart = {
    /**
     * @param {{key: string, name: string, title: string, unit: string, points: [number, number | null][]}[]} series
     * @param {[number, number]} range
     * @param {{stack: boolean, log: boolean, unit: string}} wanted
     */
    update(series, range, wanted) {
      bounds = range;
      look = wanted;
      const times = [...new Set(series.flatMap((one) => one.points.map(([at]) => at)))].sort((a, b) => a - b);
      lines = series.map((one) => {
        const known = new Map(one.points);
        return { ...one, column: times.map((at) => known.get(at) ?? null), stats: statistics(one.points), single: numbers(one.points).length === 1, value: null, row: null };
      });
      data = { times: times.map((at) => at / 1000) };
      holder.clear();
      showLegend();
      chart.draw();
    },
    draw() {
      if (!data?.times.length) return;
      const shown = lines.map((line) => (hidden.has(line.key) ? line.column.map(() => null) : line.column));
      const columns = look.stack ? stacked(shown) : look.log ? shown.map((one) => one.map((value) => (value > 0 ? value : null))) : shown;
      const [min, max] = valueBounds(columns.filter((_, index) => !hidden.has(lines[index].key)), look.log);
      holder.draw([data.times, ...columns], { x: { min: bounds[0] / 1000, max: bounds[1] / 1000 }, y: { min: look.stack ? Math.min(0, min) : min, max } });
      showValues(null);
    },
    rebuild() {
      holder.clear();
      chart.draw();
    },
    clear() {
      holder.clear();
      data = null;
      lines = [];
      legend.replaceChildren();
    },
    destroy() {
      holder.clear();
      charts.delete(chart);
    },
  };
  charts.add(chart);
  return chart;
}
