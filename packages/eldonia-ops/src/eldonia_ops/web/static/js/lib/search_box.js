// The field in which a search is written: it completes fields and values, and shows where a fault is.
import { get } from "./api.js";
import { $, h } from "./dom.js";
import { integer } from "./format.js";
import { t } from "./i18n.js";
import { pieceAt, stageAt, term } from "./search_terms.js";

const SHOWN = 12;
const WAIT_MS = 120;
const COMMANDS = ["stats", "timechart", "top", "rare", "where", "sort", "head", "dedup", "extract", "fields", "rename", "eval"];
const FUNCTIONS = ["count()", "sum(", "avg(", "min(", "max(", "p50(", "p95(", "p99(", "uniq(", "first(", "last(", "stddev("];
const COUNTING = ["stats", "timechart"];

/**
 * @param {HTMLInputElement} input
 * @param {() => Record<string, any>} within the time in which values are looked for
 * @param {() => void} changed
 * @param {{fault?: HTMLElement, id?: string, of?: string, joiner?: string}} [more] where faults are shown; the id of the
 *   list, which is one's own; what is searched (`logs`, `traces`); what is between a field and its value
 */
export function searchBox(input, within, changed, { fault = $("#fault"), id = "completion", of = "logs", joiner = ":" } = {}) {
  const list = h("ul", { class: "completion", id, role: "listbox", "aria-label": t("search.completion"), hidden: true });
  input.after(list);
  for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id })) input.setAttribute(name, value);
  let options = [];
  let chosen = -1;
  let fields = null;
  let asked = 0;
  let timer = 0;

  async function fieldsLike(text) {
    fields ??= /** @type {Promise<Api.Answer<"/logs/fields">>} */ (get(`/${of}/fields`, within())).catch(() => { fields = null; return []; });
    const wanted = text.toLowerCase();
    const found = (await fields).filter((one) => one.name.toLowerCase().includes(wanted));
    const first = (one) => (one.name.toLowerCase().startsWith(wanted) ? 0 : 1);
    return found.sort((a, b) => first(a) - first(b)).map((one) => ({ text: `${one.name}${joiner}`, count: one.count, more: true }));
  }

  // What may follow a pipe: commands, then the functions and fields of one.
  async function stageLike({ command, text }) {
    const wanted = text.toLowerCase();
    const from = (words, more) => words.filter((one) => one.startsWith(wanted) && one !== wanted).map((one) => ({ text: more ? `${one} ` : one, count: null, more }));
    if (!command) return from(COMMANDS, true);
    const words = COUNTING.includes(command) ? [...from(FUNCTIONS, false), ...from(["by"], true)] : [];
    if (!wanted || ["head", "extract"].includes(command)) return words;
    return [...words, ...(await fieldsLike(text)).map((one) => ({ ...one, text: one.text.slice(0, -joiner.length), more: false }))];
  }

  async function valuesLike(field, text) {
    const prefix = text.replace(/^"/, "");
    const found = await /** @type {Promise<Api.Answer<"/logs/values">>} */ (get(`/${of}/values`, { ...within(), field, prefix, limit: SHOWN })).catch(() => []);
    return found.map((one) => ({ text: term("", one.value).slice(1), count: one.count, more: false }));
  }

  function close() {
    list.hidden = true;
    options = [];
    choose(-1);
    input.setAttribute("aria-expanded", "false");
  }

  function choose(index) {
    chosen = index;
    [...list.children].forEach((one, place) => { one.setAttribute("aria-selected", String(place === index)); });
    if (index < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", list.children[index].id);
      list.children[index].scrollIntoView({ block: "nearest" });
    }
  }

  async function complete() {
    const caret = input.selectionStart ?? 0;
    const stage = of === "logs" ? stageAt(input.value, caret) : null;
    const piped = stage && stage.command !== "where" ? stage : null;
    const piece = piped ?? pieceAt(input.value, caret);
    const mine = ++asked;
    if (!piece || (!piped && !piece.field && !piece.text)) return close();
    const found = await (piped ? stageLike(piped) : piece.field ? valuesLike(piece.field, piece.text) : fieldsLike(piece.text));
    if (mine !== asked || document.activeElement !== input) return;
    options = found.filter((one) => one.text !== piece.text).slice(0, SHOWN).map((one) => ({ ...one, start: piece.start, end: caret }));
    if (!options.length) return close();
    list.replaceChildren(
      ...options.map((one, index) => {
        const row = h("li", { role: "option", id: `${id}-${index}`, "aria-selected": "false" }, h("span", { class: "mono" }, one.text), one.count === null ? null : h("span", { class: "muted" }, integer(one.count)));
        row.addEventListener("pointerdown", (event) => { event.preventDefault(); accept(index); });
        return row;
      }),
    );
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    choose(-1);
  }

  function accept(index) {
    const { text, start, end, more } = options[index];
    const rest = input.value.slice(end);
    const written = more || /[( ]$/.test(text) || /^[\s)]/.test(rest) ? text : `${text} `;
    input.value = input.value.slice(0, start) + written + rest;
    input.setSelectionRange(start + written.length, start + written.length);
    close();
    if (more) complete();
    else changed();
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(complete, WAIT_MS);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // keys that choose among readings of Japanese or Chinese
    if (event.key === "ArrowDown" && list.hidden) return void complete();
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose(chosen < 0 ? (step > 0 ? 0 : options.length - 1) : (chosen + step + options.length) % options.length);
    } else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) {
      event.preventDefault();
      accept(chosen);
    } else if (event.key === "Enter") close();
    else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  });

  return {
    // Shows what is wrong with the search; nothing when all is well.
    fault(error, search) {
      input.setAttribute("aria-invalid", String(Boolean(error)));
      showFault(fault, error, search);
    },
    forget() {
      fields = null;
    },
  };
}

/**
 * What is wrong with a text, with its place marked; nothing is shown for null.
 * @param {HTMLElement} place
 * @param {{message: string, position?: number, end?: number, hint?: string} | null} error
 * @param {string} text
 */
export function showFault(place, error, text) {
  place.hidden = !error;
  if (!error) return;
  const at = error.position ?? -1;
  // Places are counted in characters.
  const characters = [...text];
  const end = Math.max(at + 1, error.end ?? 0);
  const part = (from, to) => characters.slice(from, to).join("");
  const marked = at >= 0 ? h("code", {}, part(0, at), h("mark", {}, part(at, end) || " "), part(end)) : null;
  place.replaceChildren(...[h("b", {}, error.message), marked, error.hint ? h("span", { class: "muted" }, error.hint) : null].filter(Boolean));
}
