// A log record as a tree of JSON. Each value is a button that offers to search for it, to leave it out, to make a column.
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { excluded, fieldName, term } from "./search_terms.js";

const UNSEARCHED = new Set(["timestamp", "offset"]);

/**
 * @param {Record<string, any>} record
 * @param {{add: (term: string) => void, column: (field: string) => void}} acts
 */
export function recordTree(record, { add, column }) {
  const tree = h("div", { class: "json" });
  let menu = null;

  function offer(button, path, value) {
    const open = button.getAttribute("aria-expanded") === "true";
    menu?.previousElementSibling?.setAttribute("aria-expanded", "false");
    menu?.remove();
    menu = null;
    if (open) return;
    const field = fieldName(path);
    const wanted = term(field, value);
    menu = h("span", { class: "value-menu" },
      h("button", { type: "button", onclick: () => add(wanted) }, t("search.add")),
      h("button", { type: "button", onclick: () => add(excluded(wanted)) }, t("search.exclude")),
      h("button", { type: "button", onclick: () => column(field) }, t("search.as_column")),
    );
    button.setAttribute("aria-expanded", "true");
    button.after(menu);
  }

  function scalar(path, value, searchable) {
    const kind = typeof value === "string" ? "s" : typeof value === "number" ? "n" : "b";
    const text = JSON.stringify(value);
    if (!searchable || value === null || value === "" || UNSEARCHED.has(path[0])) return h("span", { class: kind }, text);
    const button = h("button", { type: "button", class: `json-value ${kind}`, "aria-expanded": "false" }, text);
    button.addEventListener("click", () => offer(button, path, value));
    return button;
  }

  function write(into, path, value, searchable) {
    if (!value || typeof value !== "object") return into.append(scalar(path, value, searchable));
    const list = Array.isArray(value);
    const entries = Object.entries(value);
    const [begin, end] = list ? ["[", "]"] : ["{", "}"];
    if (!entries.length) return into.append(begin + end);
    const inner = h("div", { class: "json-inner" });
    for (const [key, item] of entries) {
      const line = h("div", {}, list ? null : [h("span", { class: "k" }, JSON.stringify(key)), ": "]);
      write(line, [...path, key], item, searchable && !list);
      inner.append(line);
    }
    const whole = h("details", { open: true }, h("summary", {}, h("span", { class: "p" }, begin)), inner, h("span", { class: "p" }, end));
    return into.append(whole);
  }

  // Names as a search has them: user_id and not userId, path and not metadata.path.
  const shown = Object.entries(record).flatMap(([key, value]) => (key === "metadata" ? Object.entries(value).map(([inner, item]) => [[key, inner], item]) : [[[key], value]]));
  for (const [path, value] of shown) {
    const name = fieldName(path);
    const line = h("div", {}, h("span", { class: "k" }, name.startsWith('"') ? name : JSON.stringify(name)), ": ");
    write(line, path, value, true);
    tree.append(line);
  }
  return tree;
}
