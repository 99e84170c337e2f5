// The rows of a list of log records: a line each, which opens to the whole record. Used by the logs page and by Explore.
import { $, h } from "./dom.js";
import { clockMs, exactly, nsToMs } from "./format.js";
import { t } from "./i18n.js";
import { recordTree } from "./record_tree.js";
import { copyText } from "./share_link.js";
import { term, valueIn, withTerm, wordsOf } from "./search_terms.js";
import { showSurroundings } from "./surroundings.js";

const AROUND_MS = 900_000;

// The pattern that finds the words of a search in a message; null where there are none.
function wordPattern(search) {
  const words = wordsOf(search);
  if (!words.length) return null;
  return new RegExp(`(${words.map((one) => one.split(/[*\s]+/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("\\S*?\\s*?")).join("|")})`, "gi");
}

// The message with the words of the search marked.
function marked(text, search) {
  const pattern = wordPattern(search);
  return pattern ? text.split(pattern).map((part, index) => (index % 2 ? h("mark", {}, part) : part)) : [text];
}

function cell(record, field) {
  const value = valueIn(record, field);
  const text = value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  return h("td", { title: text, class: "own" }, text);
}

// The page of the record's service, with its metrics around that time.
function serviceThen(record) {
  if (!record.service) return [];
  const ms = Math.round(nsToMs(record.timestampNs));
  const around = new URLSearchParams({ from: String(ms - AROUND_MS), to: String(ms + AROUND_MS) });
  return [h("a", { href: `/services/${encodeURIComponent(record.service)}?${around}` }, t("logs.service_then"))];
}

/**
 * @param {object} list
 * @param {() => string} list.query the search whose records these are
 * @param {() => string[]} list.columns fields that are columns
 * @param {(query: string) => void} list.search shows another search
 * @param {(field: string) => void} list.toggleColumn
 * @param {(open: boolean) => void} [list.toggled] is called when a record was opened or closed
 * @param {(record: any) => any[]} [list.links] more to do with an open record; the way to its service, unless something else is given
 */
export function logRows({ query, columns, search, toggleColumn, toggled = () => {}, links = serviceThen }) {
  function toggle(line, record) {
    const button = $(".expander", line);
    if (line.dataset.open) {
      delete line.dataset.open;
      line.nextElementSibling.remove();
      button.setAttribute("aria-expanded", "false");
      return toggled(false);
    }
    if (String(getSelection())) return;
    line.dataset.open = "1";
    toggled(true);
    button.setAttribute("aria-expanded", "true");
    const same = (field, value) => value && h("button", { type: "button", class: "link-button", onclick: () => search(term(field, value)) }, t(`logs.pin_${field}`));
    const { cursor, timestampNs, id, ...shown } = record;
    const whole = { timestamp: new Date(nsToMs(timestampNs)).toISOString(), ...shown };
    line.after(
      h("tr", { class: "detail" },
        h("td", { colspan: String(4 + columns().length) },
          h("nav", {},
            record.traceId && h("a", { href: `/traces/${record.traceId}` }, t("logs.trace")),
            h("button", { type: "button", class: "link-button", onclick: () => showSurroundings(record, search) }, t("logs.around")),
            same("trace_id", record.traceId),
            same("request_id", record.requestId),
            same("user_id", record.userId),
            same("component", record.component),
            links(record),
            h("button", { type: "button", class: "link-button", onclick: () => copyText(JSON.stringify(whole, null, 2), t("logs.copied")) }, t("logs.copy")),
          ),
          recordTree(whole, { add: (one) => search(withTerm(query(), one)), column: toggleColumn }),
        ),
      ),
    );
  }

  return {
    /** The cells of the head. */
    head() {
      const fixed = (key) => h("th", { scope: "col", class: `col-${key}` }, t(`logs.${key}`));
      return [
        fixed("time"), fixed("level"), fixed("service"),
        ...columns().map((field) => h("th", { scope: "col", class: "col-own" }, h("span", { class: "mono" }, field), h("button", { type: "button", class: "link-button", "aria-label": t("search.remove_column", { field }), onclick: () => toggleColumn(field) }, "×"))),
        fixed("message"),
      ];
    },
    row(record, fresh = false) {
      const ms = nsToMs(record.timestampNs);
      const line = h("tr", { class: `record is-${record.level}${fresh ? " fresh" : ""}`, "data-cursor": record.cursor },
        h("td", {}, h("button", { type: "button", class: "expander", "aria-expanded": "false" }, h("time", { datetime: new Date(ms).toISOString(), title: exactly(ms) }, clockMs(ms)))),
        h("td", { class: `lv-${record.level}` }, record.level),
        h("td", {}, record.service ?? ""),
        ...columns().map((field) => cell(record, field)),
        h("td", { title: record.message, class: "message" }, ...marked(record.message, query())),
      );
      line.addEventListener("click", () => toggle(line, record));
      return line;
    },
  };
}
