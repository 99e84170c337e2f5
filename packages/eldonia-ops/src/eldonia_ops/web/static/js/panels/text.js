// Text: Markdown that the server makes HTML of, without raw HTML, as in postmortems (web/markdown.py).
import { h } from "../lib/dom.js";
import { sendText } from "../lib/api.js";
import { words } from "../lib/dashboards/display.js";
import { interpolate } from "../lib/dashboards/interpolate.js";
import { instance } from "./instances.js";

const known = new Map(); // text → the promise of its HTML

/** @param {string} text @returns {Promise<string>} */
function toHtml(text) {
  if (!known.has(text)) {
    if (known.size >= 100) known.delete(known.keys().next().value);
    const asked = sendText("POST", "/markdown", text, {}).then((response) => response.text());
    asked.catch(() => known.delete(text));
    known.set(text, asked);
  }
  return known.get(text);
}

function create(place) {
  const holder = h("div", { class: "panel-text", tabindex: "0", role: "region" });
  place.append(holder);
  let shown = /** @type {string | null} */ (null);
  return {
    async update(panel, context) {
      holder.setAttribute("aria-label", context.name);
      const text = interpolate(words(panel.options?.content), context.selections ?? {}, { globals: context.globals });
      if (text === shown) return;
      shown = text;
      if (!text.trim()) return holder.replaceChildren();
      try {
        const html = await toHtml(text);
        if (shown !== text) return;
        holder.innerHTML = html;
        for (const link of holder.querySelectorAll("a")) { link.rel = "noopener"; }
      } catch {
        shown = null;
        holder.replaceChildren(h("pre", {}, text)); // as it is written, until the server answers again
      }
    },
  };
}
export function render(place, panel, data, context) {
  instance(place, "text", () => create(place)).update(panel, context);
}
