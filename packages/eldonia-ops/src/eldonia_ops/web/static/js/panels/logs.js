// Records of a search: a line each, with its fields when it is opened.
import { h } from "../lib/dom.js";
import { clockMs, exactly, nsToMs } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { recordTree } from "../lib/record_tree.js";
import { valueIn, withTerm, wordsOf } from "../lib/search_terms.js";
import { instance } from "./instances.js";

const text = (value) => (value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));

/** The address of the search page for a search and a range. */
export const logSearch = (query, [from, to]) => `/logs?${new URLSearchParams({ q: query, from: String(Math.round(from)), to: String(Math.round(to)) })}`;

function marked(message, search) {
  const words = wordsOf(search);
  if (!words.length) return [message];
  const pattern = new RegExp(`(${words.map((one) => one.split(/[*\s]+/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("\\S*?\\s*?")).join("|")})`, "gi");
  return message.split(pattern).map((part, at) => (at % 2 ? h("mark", {}, part) : part));
}

function create(place) {
  const list = h("ol", { class: "panel-logs", tabindex: "0" });
  const foot = h("p", { class: "table-foot" });
  place.append(list, foot);
  const opened = new Set();
  let key = "";
  let state = /** @type {any} */ (null);

  function line(record, search) {
    const ms = nsToMs(record.timestampNs);
    const columns = state.panel.options?.columns ?? [];
    const id = record.cursor ?? record.id;
    const item = h("li", { class: `panel-log is-${record.level}` });
    const show = () => {
      const open = opened.has(id);
      button.setAttribute("aria-expanded", String(open));
      detail?.remove();
      detail = null;
      if (!open) return;
      const { cursor, timestampNs, id: own, ...shown } = record;
      const to = (query) => { location.href = logSearch(query, state.context.bounds); };
      detail = h("div", { class: "panel-log-detail" },
        h("nav", {}, record.traceId ? h("a", { href: `/traces/${record.traceId}` }, t("logs.trace")) : null, h("a", { href: logSearch(search, [ms - 60_000, ms + 60_000]) }, t("panel.in_logs"))),
        recordTree({ timestamp: new Date(ms).toISOString(), ...shown }, { add: (term) => to(withTerm(search, term)), column: () => to(search) }));
      item.append(detail);
    };
    let detail = null;
    const button = h("button", { type: "button", class: "panel-log-line", "aria-expanded": "false", onclick: () => { if (!opened.delete(id)) opened.add(id); show(); } },
      h("time", { datetime: new Date(ms).toISOString(), title: exactly(ms) }, clockMs(ms)),
      h("span", { class: `lv-${record.level}` }, record.level),
      columns.map((field) => h("span", { class: "panel-log-field", title: field }, text(valueIn(record, field)))),
      h("span", { class: "panel-log-text" }, ...marked(record.message, search)));
    item.append(button);
    if (opened.has(id)) show();
    return item;
  }

  return {
    update(panel, data, context) {
      state = { panel, context };
      const found = (data.results ?? []).filter((one) => one.kind === "logs");
      const records = found.flatMap((one) => (one.records ?? []).map((record) => ({ record, search: one.expr })));
      const newest = panel.options?.newest_first ?? true;
      records.sort((a, b) => (newest ? -1 : 1) * (a.record.timestampNs.length - b.record.timestampNs.length || (a.record.timestampNs < b.record.timestampNs ? -1 : a.record.timestampNs > b.record.timestampNs ? 1 : 0)));
      const next = JSON.stringify([records.map((one) => one.record.cursor), panel.options]);
      list.classList.toggle("nowrap", panel.options?.wrap === false);
      list.setAttribute("aria-label", context.name);
      const limit = panel.options?.limit ?? 100;
      foot.replaceChildren(records.length >= limit ? `${t("panel.newest", { n: records.length })} ` : "", found.length ? h("a", { href: logSearch(found[0].expr, context.bounds) }, t("panel.in_logs")) : "");
      if (next === key) return;
      key = next;
      const { scrollTop } = list;
      list.replaceChildren(...records.map(({ record, search }) => line(record, search)));
      list.scrollTop = scrollTop;
    },
  };
}
export function render(place, panel, data, context) {
  instance(place, "logs", () => create(place)).update(panel, data, context);
}
