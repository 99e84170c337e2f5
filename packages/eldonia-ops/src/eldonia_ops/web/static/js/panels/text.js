// Text: Markdown that the server makes HTML of, without raw HTML, as in postmortems (web/markdown.py).
import { h } from "../lib/dom.js";
import { send } from "../lib/api.js";
import { words } from "../lib/dashboards/display.js";
import { interpolate } from "../lib/dashboards/interpolate.js";
import { instance } from "./instances.js";

const known = new Map(); // text → its HTML, or the promise of it
let waiting = /** @type {{text: string, done: (html: string) => void, failed: (error: any) => void}[]} */ ([]);

/** The HTML of a text. Those asked for in one turn go in one request. @returns {Promise<string>} */
function toHtml(text) {
  if (!known.has(text)) {
    known.set(text, new Promise((done, failed) => {
      waiting.push({ text, done, failed });
      if (waiting.length === 1) queueMicrotask(ask);
    }));
    if (known.size > 200) known.delete(known.keys().next().value);
  }
  return known.get(text);
}
async function ask() {
  const asked = waiting;
  waiting = [];
  try {
    const { html } = await send("POST", "/markdown", { texts: asked.map((one) => one.text) });
    asked.forEach((one, at) => { one.done(html[at]); });
  } catch (error) {
    for (const one of asked) { known.delete(one.text); one.failed(error); }
  }
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
