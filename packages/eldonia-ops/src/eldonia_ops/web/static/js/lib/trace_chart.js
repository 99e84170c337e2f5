// How traces are spread: over time and duration as a map of cells, and over duration as bars. Both are dragged to filter.
import { duration, integer, rangeText, tickTime } from "./format.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";

const NAMESPACE = "http://www.w3.org/2000/svg";
const HEIGHT = 150;
const MARGIN = { left: 58, right: 22, top: 8, bottom: 22 };
const LEAST_DRAG = 5;

const svg = (tag, attributes = {}, ...children) => {
  const element = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
};

/** The counts of each bucket of durations. @param {{durations: number[], cells: {duration: number, count: number, errors: number}[]}} found */
export function durationCounts(found) {
  const bars = found.durations.slice(0, -1).map(() => ({ count: 0, errors: 0 }));
  for (const cell of found.cells) {
    bars[cell.duration].count += cell.count;
    bars[cell.duration].errors += cell.errors;
  }
  return bars;
}

/** How dark a cell is, 0.15 to 1: counts differ by orders of magnitude. */
export const shade = (count, most) => (most <= 1 ? 1 : 0.15 + 0.85 * (Math.log(count) / Math.log(most)));

/** A bound in ms as the filter takes it, in a unit that keeps it exact enough. */
export const durationFilter = (ms) => (ms <= 0 ? "" : ms < 1 ? `${Math.round(ms * 1000)}us` : ms < 10_000 ? `${Number(ms.toPrecision(4))}ms` : `${Number((ms / 1000).toPrecision(4))}s`);

// Calls back with the ends of a drag within a drawing, in its own pixels; a short one is a click and says nothing.
function dragging(place, show, done) {
  let from = null;
  const at = (event) => {
    const box = place.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  place.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    from = at(event);
    place.setPointerCapture?.(event.pointerId);
  });
  place.addEventListener("pointermove", (event) => { if (from) show(from, at(event)); });
  place.addEventListener("pointercancel", () => { from = null; show(null, null); });
  place.addEventListener("pointerup", (event) => {
    if (!from) return;
    const [begin, end] = [from, at(event)];
    from = null;
    show(null, null);
    if (Math.hypot(end[0] - begin[0], end[1] - begin[1]) >= LEAST_DRAG) done(begin, end);
  });
}

/**
 * @param {HTMLElement} map
 * @param {HTMLElement} bars
 * @param {(wanted: {from?: number, to?: number, min?: number, max?: number}) => void} narrow instants in ms, durations in ms
 */
export function traceCharts(map, bars, narrow) {
  let found = null;
  const width = (place) => Math.max(200, place.clientWidth);
  const inner = (place) => width(place) - MARGIN.left - MARGIN.right;
  const tall = HEIGHT - MARGIN.top - MARGIN.bottom;
  const selection = () => svg("rect", { class: "drag", visibility: "hidden" });
  const marks = { map: selection(), bars: selection() };
  const draw = (mark, box) => {
    if (!box) return mark.setAttribute("visibility", "hidden");
    for (const [name, value] of Object.entries({ ...box, visibility: "visible" })) mark.setAttribute(name, String(value));
  };
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  // The labels of some bounds of durations, not closer than `least` pixels.
  function bounds(step, least) {
    const every = Math.max(1, Math.ceil(least / step));
    return found.durations.map((ms, index) => ({ ms, index })).filter(({ index }) => index % every === 0);
  }

  function drawMap() {
    const rows = found.durations.length - 1;
    const wide = inner(map) / found.starts.length;
    const high = tall / Math.max(1, rows);
    const most = Math.max(1, ...found.cells.map((one) => one.count));
    const cells = found.cells.flatMap((one) => {
      const start = found.starts[one.time];
      const box = { x: MARGIN.left + one.time * wide, y: MARGIN.top + (rows - 1 - one.duration) * high, width: Math.max(1, wide - 0.6), height: Math.max(1, high - 0.6) };
      const rect = svg("rect", { class: "cell", ...box, "fill-opacity": shade(one.count, most).toFixed(2) });
      rect.append(svg("title", {}, `${rangeText(start, start + found.width_ms)} · ${duration(found.durations[one.duration])}–${duration(found.durations[one.duration + 1])} · ${t("traces.total", { n: integer(one.count) })}${one.errors ? ` · ${t("traces.with_errors", { n: integer(one.errors) })}` : ""}`));
      // The part of a cell that failed is red, and never too small to be seen.
      const part = one.errors ? Math.max(2, (box.height * one.errors) / one.count) : 0;
      return part ? [rect, svg("rect", { class: "failed", ...box, y: box.y + box.height - part, height: part })] : [rect];
    });
    const left = bounds(high, 22).map(({ ms, index }) => svg("text", { x: MARGIN.left - 7, y: MARGIN.top + (rows - index) * high + 4, "text-anchor": "end" }, duration(ms)));
    const ticks = Math.max(2, Math.floor(inner(map) / 110));
    const step = (found.width_ms * found.starts.length) / ticks;
    const below = Array.from({ length: ticks }, (_, index) => svg("text", { x: MARGIN.left + (inner(map) * index) / ticks, y: HEIGHT - 5 }, tickTime(found.starts[0] + step * index, step < 60_000 ? 1 : 60)));
    map.replaceChildren(svg("svg", { width: width(map), height: HEIGHT, role: "img", "aria-label": t("traces.map") }, ...cells, ...left, ...below, marks.map));
  }

  function drawBars() {
    const counts = durationCounts(found);
    const wide = inner(bars) / Math.max(1, counts.length);
    const most = Math.max(1, ...counts.map((one) => one.count));
    const size = (count) => (count / most) * tall;
    const drawn = counts.flatMap((one, index) => {
      const x = MARGIN.left + index * wide;
      const bar = (count, kind) => svg("rect", { class: kind, x: x + 1, y: MARGIN.top + tall - size(count), width: Math.max(1, wide - 2), height: size(count) });
      const whole = bar(one.count, "bar-all");
      whole.append(svg("title", {}, `${duration(found.durations[index])}–${duration(found.durations[index + 1])} · ${t("traces.total", { n: integer(one.count) })}`));
      return one.errors ? [whole, bar(one.errors, "bar-failed")] : [whole];
    });
    const below = bounds(wide, 54).map(({ ms, index }) => svg("text", { x: MARGIN.left + index * wide, y: HEIGHT - 5, "text-anchor": "middle" }, duration(ms)));
    const left = [most, Math.round(most / 2)].filter((count, index, all) => count > 0 && all.indexOf(count) === index).map((count) => svg("text", { x: MARGIN.left - 7, y: MARGIN.top + tall - size(count) + 4, "text-anchor": "end" }, integer(count)));
    bars.replaceChildren(svg("svg", { width: width(bars), height: HEIGHT, role: "img", "aria-label": t("traces.bars") }, ...drawn, ...below, ...left, marks.bars));
  }

  function redraw() {
    if (!found?.cells.length) {
      for (const place of [map, bars]) place.replaceChildren(h("p", { class: "plot-note" }, t("traces.no_chart")));
      return;
    }
    drawMap();
    drawBars();
  }

  const rowAt = (y) => clamp(Math.floor(((MARGIN.top + tall - y) / tall) * (found.durations.length - 1)), 0, found.durations.length - 2);
  const columnAt = (x) => clamp(Math.floor(((x - MARGIN.left) / inner(bars)) * (found.durations.length - 1)), 0, found.durations.length - 2);
  const durations = (first, last) => ({ min: first === 0 ? 0 : found.durations[first], max: last >= found.durations.length - 2 ? 0 : found.durations[last + 1] });
  dragging(map, (from, to) => draw(marks.map, from && { x: Math.min(from[0], to[0]), y: Math.min(from[1], to[1]), width: Math.abs(to[0] - from[0]), height: Math.abs(to[1] - from[1]) }), (from, to) => {
    if (!found?.cells.length) return;
    const [left, right] = [from[0], to[0]].map((x) => clamp((x - MARGIN.left) / inner(map), 0, 1)).sort((a, b) => a - b);
    const whole = found.width_ms * found.starts.length;
    const time = right - left > 0.01 ? { from: found.starts[0] + left * whole, to: found.starts[0] + right * whole } : {};
    const [bottom, top] = [rowAt(from[1]), rowAt(to[1])].sort((a, b) => a - b);
    narrow({ ...time, ...(Math.abs(from[1] - to[1]) >= 2 * LEAST_DRAG ? durations(bottom, top) : {}) });
  });
  dragging(bars, (from, to) => draw(marks.bars, from && { x: Math.min(from[0], to[0]), y: MARGIN.top, width: Math.abs(to[0] - from[0]), height: tall }), (from, to) => {
    if (!found?.cells.length) return;
    const [first, last] = [columnAt(from[0]), columnAt(to[0])].sort((a, b) => a - b);
    narrow(durations(first, last));
  });
  new ResizeObserver(redraw).observe(map);
  return {
    /** @param {any} distribution */
    update(distribution) {
      found = distribution;
      redraw();
    },
  };
}
