// Single values in large figures, with a small line of how they got there.
import { h } from "../lib/dom.js";
import { ownColour, shown } from "../lib/dashboards/display.js";
import { boundsOf, change, singleValues } from "../lib/dashboards/single.js";
import { faded, inkOn, namedColour, variable } from "../lib/palette.js";
import { t } from "../lib/i18n.js";
import { inUnit } from "../lib/units.js";
import { canvasIn, sparkline } from "./canvas.js";
import { instance } from "./instances.js";
import { linked, valueLinks } from "./links.js";

/** A place with one element for each single value; `make` creates one, which is updated as long as it is there. */
export function tiles(place, className, make) {
  const list = h("ul", { class: `tiles ${className}` });
  place.append(list);
  const made = [];
  return {
    list,
    update(all, ...rest) {
      while (made.length > all.length) { const one = made.pop(); one.destroy?.(); one.element.remove(); }
      all.forEach((one, at) => {
        if (!made[at]) { made[at] = make(); list.append(made[at].element); }
        made[at].update(one, all, ...rest);
      });
    },
    destroy: () => { for (const one of made) one.destroy?.(); },
  };
}

/** Sizes by what has to fit: characters a line, set as CSS variables, so that nothing is measured. */
export const fit = (element, texts) => element.style.setProperty("--characters", String(Math.max(3, ...texts.map((text) => [...text].reduce((sum, one) => sum + (one > "⺀" ? 1.8 : /[.,:|il1\s]/.test(one) ? 0.55 : 1), 0)))));

function tile() {
  const name = h("span", { class: "tile-name" });
  const value = h("span", { class: "tile-value" });
  const note = h("span", { class: "tile-change" });
  const spark = h("span", { class: "tile-spark" });
  const element = h("li", { class: "tile" }, spark, h("span", { class: "tile-text" }, name, value, note));
  let last = /** @type {any} */ (null);
  const canvas = canvasIn(spark, (context, width, height) => { if (last?.line) sparkline(context, width, height, last.values, last.line, last.area); });
  return {
    element,
    destroy: canvas.destroy,
    update(one, all, panel, context, longest) {
      const { color_mode: mode = "value", graph_mode: graph = "area", text_mode: text = "auto", justify = "auto", percent_change: percent = false, value_size: size = 0, title_size: titleSize = 0 } = panel.options ?? {};
      const found = shown(one.value, one.settings, { bounds: boundsOf(one, all), otherwise: ownColour(one, "") });
      const colour = found.colour && found.colour !== "transparent" ? found.colour : "";
      const filled = mode.startsWith("background") && colour;
      element.className = `tile${filled ? ` filled ink-${inkOn(colour) === "#ffffff" ? "light" : "dark"}` : ""}${justify === "center" ? " centred" : ""}${mode === "background" ? " soft" : ""}`;
      element.style.setProperty("--colour", filled ? colour : "transparent");
      element.style.setProperty("--ink", mode === "value" && colour ? colour : "inherit");
      element.style.setProperty("--own", size ? `${size}px` : "0px");
      element.style.setProperty("--own-title", titleSize ? `${titleSize}px` : "0px");
      element.style.setProperty("--longest", String(longest));
      const named = text === "value_and_name" || text === "name" || (text === "auto" && (all.length > 1 || Boolean(panel.display_name)));
      name.textContent = named ? one.name : "";
      value.hidden = text === "name" || text === "none";
      value.replaceChildren(...linked(found.text, valueLinks(one.settings.links, { value: one.value, text: found.text, field: one.field, row: one.row }, context)));
      const by = percent ? change(one.values) : null;
      note.textContent = by === null ? "" : `${by > 0 ? "▲" : by < 0 ? "▼" : ""} ${inUnit(Math.abs(by), "ratio", { decimals: 1 })}`;
      note.title = by === null ? "" : t("panel.change_hint");
      const line = graph === "area" && one.values.length > 1 ? (filled ? (inkOn(colour) === "#ffffff" ? "#ffffffaa" : "#0b0e1488") : colour || namedColour(one.settings.color?.color, variable("--c0"))) : "";
      const area = line ? (filled ? "rgba(255,255,255,0.14)" : faded(line, 0.16)) : "";
      const changed = !last || last.values !== one.values || last.line !== line;
      last = { values: one.values, line, area };
      spark.hidden = !line;
      if (changed) canvas.draw();
    },
  };
}

function create(place) {
  const holder = tiles(place, "stats", tile);
  const none = h("p", { class: "panel-note" });
  return {
    update(panel, data, context) {
      const all = singleValues(panel, data.frames);
      const orientation = panel.options?.orientation ?? "auto";
      holder.list.classList.toggle("vertical", orientation === "vertical");
      holder.list.classList.toggle("horizontal", orientation === "horizontal");
      const longest = Math.max(3, ...all.map((one) => shown(one.value, one.settings).text.length));
      holder.list.style.setProperty("--many", String(all.length));
      holder.update(all, panel, context, longest);
      none.remove();
    },
    destroy: holder.destroy,
  };
}

export function render(place, panel, data, context) {
  instance(place, "stat", () => create(place)).update(panel, data, context);
}
