// The chooser of a panel's type, with little pictures.
import { h } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { svg } from "../panels/gauge.js";
import { PANEL_TYPES } from "../panels/index.js";

const line = { fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round" };
const soft = { fill: "currentColor", opacity: 0.35 };
const full = { fill: "currentColor" };
const text = { fill: "currentColor", "font-size": 13, "font-weight": 700, "text-anchor": "middle" };
const rows = (many) => Array.from({ length: many }, (_, at) => 6 + at * 7);
/** @type {Record<string, () => SVGElement[]>} */
const PICTURES = {
  timeseries: () => [svg("path", { d: "M4 24 L12 14 L20 18 L30 6 L44 12 L44 28 L4 28Z", ...soft }), svg("path", { d: "M4 24 L12 14 L20 18 L30 6 L44 12", ...line })],
  stat: () => [svg("path", { d: "M4 28 L14 22 L24 25 L34 18 L44 21 L44 30 L4 30Z", ...soft }), Object.assign(svg("text", { x: 24, y: 16, ...text }), { textContent: "42" })],
  gauge: () => [svg("path", { d: "M8 26 A16 16 0 0 1 40 26", ...line, opacity: 0.35, "stroke-width": 5 }), svg("path", { d: "M8 26 A16 16 0 0 1 28 10.500", ...line, "stroke-width": 5 })],
  bar: () => [[28, 5], [18, 14], [38, 23]].flatMap(([width, y]) => [svg("rect", { x: 4, y, width: 40, height: 6, rx: 1, ...soft }), svg("rect", { x: 4, y, width, height: 6, rx: 1, ...full })]),
  table: () => [svg("rect", { x: 4, y: 4, width: 40, height: 6, ...full }), ...rows(4).slice(1).flatMap((y) => [svg("rect", { x: 4, y, width: 18, height: 4, ...soft }), svg("rect", { x: 26, y, width: 18, height: 4, ...soft })])],
  heatmap: () => [0, 1, 2, 3].flatMap((y) => [0, 1, 2, 3, 4].map((x) => svg("rect", { x: 4 + x * 8, y: 3 + y * 7, width: 7, height: 6, ...full, opacity: 0.15 + (((x * 3 + y * 5) % 7) / 7) * 0.8 }))),
  state_timeline: () => [[4, 14, 5], [19, 9, 5], [29, 15, 5], [4, 24, 15], [29, 15, 15], [4, 8, 25], [13, 31, 25]].map(([x, width, y], at) => svg("rect", { x, y: y - 2, width, height: 6, ...full, opacity: at % 3 === 1 ? 0.35 : 0.85 })),
  logs: () => rows(4).flatMap((y, at) => [svg("rect", { x: 4, y: y - 2, width: 3, height: 4, ...full }), svg("rect", { x: 10, y: y - 2, width: [30, 22, 34, 18][at], height: 3, ...soft })]),
  traces: () => [[4, 40, 5], [10, 22, 12], [16, 12, 19], [30, 10, 26]].map(([x, width, y]) => svg("rect", { x, y, width, height: 4, rx: 1, ...full, opacity: y === 5 ? 0.9 : 0.45 })),
  text: () => [svg("path", { d: "M8 8 H40 M8 15 H34 M8 22 H38", ...line })],
};
export function picture(type) {
  const drawn = svg("svg", { viewBox: "0 0 48 32", class: "type-picture", "aria-hidden": "true" });
  drawn.append(...(PICTURES[type] ?? PICTURES.text)());
  return drawn;
}
/** @param {string} chosen @param {(type: string) => void} changed */
export function typeChooser(chosen, changed) {
  const box = h("div", { class: "type-chooser", role: "radiogroup", "aria-label": t("editor.type") });
  box.append(...PANEL_TYPES.map((type) => h("label", { class: "type-choice" }, h("input", { type: "radio", name: "panel-type", value: type, checked: type === chosen, onchange: () => changed(type) }), picture(type), h("span", {}, t(`panel_type.${type}`)))));
  return box;
}
