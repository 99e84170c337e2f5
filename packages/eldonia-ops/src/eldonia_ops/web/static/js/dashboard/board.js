// The board: sections with their grids, panels with their headers, what is dragged and resized. Places are CSS variables, so the
// browser lays out and nothing is measured; canvases stay when a panel is moved.
import { h, icon } from "../lib/dom.js";
import { words } from "../lib/dashboards/display.js";
import { depth, ordered } from "../lib/dashboards/grid.js";
import { interpolate, safeAddress } from "../lib/dashboards/interpolate.js";
import { t } from "../lib/i18n.js";
import { CHARTS, dataOf, isEmpty, release, render } from "../panels/index.js";
import { draggable } from "./drag.js";

const NEAR = "300px 0px";

/**
 * @param {HTMLElement} place
 * @param {any} page see pages/dashboard.js: what the board asks of its page
 */
export function boardIn(place, page) {
  /** @type {Map<string, any>} */
  const cards = new Map();
  const sections = new Map();
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const item = /** @type {any} */ (entry.target).item;
      if (item) page.near(item, entry.isIntersecting);
    }
  }, { rootMargin: NEAR });

  const titleOf = (item) => interpolate(words(item.panel.title), { ...page.selections(), ...item.selections }, { globals: page.globals() });

  function card(item) {
    const title = h("h3", { id: `title-${item.key}` });
    const info = h("button", { type: "button", class: "panel-info icon-button", hidden: true, "aria-label": t("dashboard.description") }, icon("question"));
    const status = h("span", { class: "panel-status", role: "status" });
    const links = h("span", { class: "panel-links" });
    const more = h("button", { type: "button", class: "icon-button panel-more", "aria-haspopup": "menu", "aria-expanded": "false", onclick: (event) => page.panelMenu(element.item, event.currentTarget) }, icon("more"));
    const grip = h("button", { type: "button", class: "panel-grip icon-button", "aria-label": t("dashboard.move"), title: t("dashboard.move_hint") }, icon("grip"));
    const corner = h("span", { class: "panel-corner", "aria-hidden": "true" });
    const body = h("div", { class: "panel-body" });
    const note = h("p", { class: "panel-note", hidden: true });
    const header = h("header", { class: "panel-head" }, grip, title, info, links, h("span", { class: "grow" }), status, more);
    const element = /** @type {any} */ (h("section", { class: "panel-card", "aria-labelledby": `title-${item.key}`, "data-key": item.key }, header, body, note, corner));
    Object.assign(element, { parts: { title, info, status, links, more, grip, corner, body, note, header } });
    element.item = item;
    watcher.observe(element);
    draggable(element, place, page);
    return element;
  }

  function dress(item) {
    const { element } = item;
    const { title, info, links, more } = element.parts;
    const text = titleOf(item);
    title.textContent = text;
    title.title = text;
    const name = text || t(`panel_type.${item.panel.type ?? "timeseries"}`);
    more.setAttribute("aria-label", t("dashboard.panel_menu", { name }));
    title.classList.toggle("hide", !text && !page.editing());
    if (!text) title.textContent = page.editing() ? t("dashboard.untitled") : name;
    item.name = name;
    const about = words(item.panel.description);
    info.hidden = !about;
    info.onclick = () => page.describe(item, info);
    links.replaceChildren(...(item.panel.links ?? []).flatMap((link) => {
      const address = page.linkAddress(link, item);
      return address && safeAddress(address) ? [h("a", { href: safeAddress(address), title: words(link.tooltip), ...(link.new_tab ? { target: "_blank", rel: "noopener" } : {}) }, interpolate(words(link.title), page.selections()) || address)] : [];
    }));
    // A range of its own is said: the charts beside it show another.
    const own = [item.panel.time_from, item.panel.time_shift && `−${item.panel.time_shift}`].filter(Boolean).join(" ");
    if (own) links.prepend(h("span", { class: "badge" }, own));
    element.className = `panel-card type-${item.panel.type ?? "timeseries"}${item.panel.transparent ? " transparent" : ""}${item.grid.h <= 2 ? " short" : ""}${text ? "" : " untitled"}`;
    for (const key of ["x", "y", "w", "h"]) element.style.setProperty(`--${key}`, String(item.grid[key]));
  }

  const head = (section) => {
    const { row, key } = section;
    const open = !section.collapsed;
    const button = h("button", { type: "button", class: "row-toggle", "aria-expanded": String(open), onclick: () => page.toggleRow(section) }, icon("chevron"), h("h2", {}, section.title || t("dashboard.untitled_row")), h("span", { class: "row-count" }, open ? "" : t("dashboard.row_panels", { n: section.items.length })));
    return h("header", { class: "row-head", "data-row": key }, button,
      page.editing() ? h("button", { type: "button", class: "icon-button", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": t("dashboard.row_menu", { name: section.title }), onclick: (event) => page.rowMenu(row, event.currentTarget) }, icon("more")) : null);
  };

  function state(item) {
    if (!item.element) return;
    const { status, note, body } = item.element.parts;
    const faults = (item.results ?? []).filter((one) => one.error).map((one) => `${one.ref}: ${one.error.message}`);
    const warnings = [...new Set((item.results ?? []).flatMap((one) => one.warnings ?? []))];
    const error = item.error?.message || faults.join("\n");
    item.element.classList.toggle("loading", Boolean(item.loading));
    item.element.setAttribute("aria-busy", String(Boolean(item.loading)));
    status.replaceChildren(...(error || warnings.length ? [h("button", { type: "button", class: `icon-button ${error ? "is-bad" : "is-warn"}`, "aria-label": `${t(error ? "dashboard.panel_failed" : "dashboard.panel_warned")} ${error || warnings.join(" ")}`, title: error || warnings.join("\n"), onclick: () => page.inspect(item) }, icon("warning"))] : []));
    if (!error || (item.results ?? []).some((one) => !one.error)) return;
    release(body);
    item.element.classList.remove("drawn");
    body.hidden = true;
    note.hidden = false;
    note.replaceChildren(h("b", {}, t("dashboard.panel_failed")), h("span", { class: "mono small" }, error), ...(item.results ?? []).filter((one) => one.error?.hint).slice(0, 1).map((one) => h("span", {}, one.error.hint)));
  }

  function draw(item) {
    if (!item.element || !item.results) return;
    const { body, note } = item.element.parts;
    if (item.error || (item.results.length && item.results.every((one) => one.error))) return state(item);
    const shown = item.table ? { ...item.panel, type: "table", options: { ...item.panel.options, cell: "auto" } } : item.panel;
    if (item.decoded !== item.results || item.decodedPanel !== item.panel) Object.assign(item, { data: dataOf(item.panel, item.results), decoded: item.results, decodedPanel: item.panel });
    const empty = isEmpty(item.panel, item.data);
    note.hidden = !empty;
    body.hidden = empty;
    if (empty) {
      release(body);
      const missing = !(item.panel.queries ?? []).some((one) => one.expr || one.language === "logs" || one.language === "traces");
      note.replaceChildren(h("b", {}, words(item.panel.no_value) || t(missing ? "dashboard.no_query" : "dashboard.no_data")), ...(missing || !page.whyEmpty ? [] : page.whyEmpty(item)));
      return;
    }
    const selections = { ...page.selections(), ...item.selections };
    render(body, shown, item.data, {
      bounds: item.bounds, name: item.name, selections, globals: page.globals(), annotations: CHARTS.has(item.panel.type ?? "timeseries") ? page.annotations() : [],
      cursor: page.cursor(), seen: () => item.near !== false, hidden: item.hidden ?? new Set(), zoom: page.zoom, zoomOut: page.zoomOut, openEvent: page.openEvent,
      onHidden: (hidden) => { item.hidden = hidden; draw(item); },
    });
    item.element.classList.add("drawn");
  }

  /** @param {any[]} next sections: {key, row, title, collapsed, items} */
  function show(next) {
    const wanted = new Set();
    const parts = [];
    for (const section of next) {
      let holder = sections.get(section.key);
      if (!holder) {
        holder = { element: h("div", { class: "board-section" }), grid: h("div", { class: "grid" }) };
        sections.set(section.key, holder);
      }
      holder.grid.dataset.row = section.key;
      holder.grid.section = section;
      const shownItems = section.collapsed ? [] : ordered(section.items);
      for (const item of shownItems) {
        wanted.add(item.key);
        const element = cards.get(item.key) ?? card(item);
        cards.set(item.key, element);
        element.item = item;
        item.element = element;
        dress(item);
      }
      // Elements that are in their place already are not taken out, which would lose the focus in them.
      const elements = shownItems.map((one) => one.element);
      elements.forEach((element, at) => { if (holder.grid.children[at] !== element) holder.grid.insertBefore(element, holder.grid.children[at] ?? null); });
      for (const extra of [...holder.grid.children].slice(elements.length)) if (!elements.includes(extra)) extra.remove();
      holder.grid.style.setProperty("--rows", String(depth(section.items)));
      holder.grid.hidden = section.collapsed || (!section.items.length && !page.editing());
      holder.grid.classList.toggle("empty-grid", !section.items.length);
      if (section.row) {
        const key = JSON.stringify([section.title, section.collapsed, section.items.length, page.editing()]);
        if (holder.key !== key) {
          const focused = holder.head?.contains(document.activeElement);
          holder.key = key;
          const made = head(section);
          holder.head?.remove();
          holder.head = made;
          holder.element.prepend(made);
          if (focused) made.querySelector("button").focus();
        }
      }
      if (holder.grid.parentElement !== holder.element) holder.element.append(holder.grid);
      parts.push(holder.element);
    }
    for (const [key, element] of cards) if (!wanted.has(key)) { watcher.unobserve(element); release(element.parts.body); element.remove(); cards.delete(key); page.near(element.item, false); }
    for (const [key] of sections) if (!next.some((one) => one.key === key)) sections.delete(key);
    parts.forEach((element, at) => { if (place.children[at] !== element) place.insertBefore(element, place.children[at] ?? null); });
    for (const extra of [...place.children].slice(parts.length)) extra.remove();
    place.classList.toggle("editing", page.editing());
  }

  return { show, draw, state, dress, cardOf: (key) => cards.get(key), get cards() { return [...cards.values()]; } };
}
