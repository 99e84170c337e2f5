// Gauges: an arc between the bounds, the thresholds around it, the value in its middle.
import { h } from "../lib/dom.js";
import { ownColour, shown, steps } from "../lib/dashboards/display.js";
import { boundsOf, partOf, singleValues } from "../lib/dashboards/single.js";
import { variable } from "../lib/palette.js";
import { inUnit } from "../lib/units.js";
import { instance } from "./instances.js";
import { linked, valueLinks } from "./links.js";
import { tiles } from "./stat.js";

const SVG = "http://www.w3.org/2000/svg";
const FROM = -210; // degrees, clockwise from three o'clock
const SWEEP = 240;
const [CX, CY] = [60, 58];

export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}
const point = (part, radius) => {
  const angle = ((FROM + SWEEP * part) * Math.PI) / 180;
  return `${(CX + radius * Math.cos(angle)).toFixed(2)} ${(CY + radius * Math.sin(angle)).toFixed(2)}`;
};
const arc = (from, to, radius) => `M ${point(from, radius)} A ${radius} ${radius} 0 ${(to - from) * SWEEP > 180 ? 1 : 0} 1 ${point(to, radius)}`;

function tile() {
  const picture = svg("svg", { viewBox: "0 0 120 96", class: "gauge-arc", "aria-hidden": "true" });
  const value = h("span", { class: "gauge-value" });
  const name = h("span", { class: "tile-name" });
  const element = h("li", { class: "dial-tile" }, h("span", { class: "gauge-dial" }, picture, value), name);
  return {
    element,
    update(one, all, panel, context) {
      const { threshold_markers: markers = true, threshold_labels: labels = false, text_mode: text = "auto" } = panel.options ?? {};
      const bounds = boundsOf(one, all);
      const found = shown(one.value, one.settings, { bounds, otherwise: ownColour(one, variable("--c0")) });
      const part = partOf(one.value, bounds);
      const marks = steps(one.settings, bounds);
      const parts = [svg("path", { d: arc(0, 1, 44), stroke: variable("--raised"), "stroke-width": 12, fill: "none" })];
      if (part > 0) parts.push(svg("path", { d: arc(0, Math.max(0.004, part), 44), stroke: found.colour || variable("--c0"), "stroke-width": 12, fill: "none" }));
      if (markers && marks.length > 1) {
        marks.forEach(([from, colour], at) => {
          const [a, b] = [partOf(Math.max(bounds[0], from), bounds), partOf(Math.min(bounds[1], marks[at + 1]?.[0] ?? bounds[1]), bounds)];
          if (b > a) parts.push(svg("path", { d: arc(a, b, 53), stroke: colour, "stroke-width": 3, fill: "none" }));
        });
      }
      if (labels) {
        for (const [from, colour] of marks) {
          if (!Number.isFinite(from) || from <= bounds[0] || from >= bounds[1]) continue;
          const [x, y] = point(partOf(from, bounds), 34).split(" ");
          parts.push(svg("text", { x, y, fill: colour, "font-size": 7, "text-anchor": "middle", "dominant-baseline": "middle" }, inUnit(from, one.settings.unit)));
        }
      }
      picture.replaceChildren(...parts);
      value.style.setProperty("--characters", String(Math.max(4, found.text.length)));
      value.style.setProperty("--ink", found.colour || "inherit");
      value.replaceChildren(...linked(found.text, valueLinks(one.settings.links, { value: one.value, text: found.text, field: one.field, row: one.row }, context)));
      name.textContent = all.length > 1 || text === "value_and_name" ? one.name : "";
      element.setAttribute("aria-label", `${one.name} ${found.text} (${inUnit(bounds[0], one.settings.unit)}–${inUnit(bounds[1], one.settings.unit)})`);
    },
  };
}

function create(place) {
  const holder = tiles(place, "gauges", tile);
  return {
    update(panel, data, context) {
      const all = singleValues(panel, data.frames);
      holder.list.style.setProperty("--many", String(all.length));
      holder.list.classList.toggle("vertical", panel.options?.orientation === "horizontal");
      holder.update(all, panel, context);
    },
    destroy: holder.destroy,
  };
}
export function render(place, panel, data, context) {
  instance(place, "gauge", () => create(place)).update(panel, data, context);
}
