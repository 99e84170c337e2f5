// One dashboard: its document, what is chosen, its time; the board shows it, and the parts below dashboard/ change it.
import { ApiError, act, get, send } from "../lib/api.js";
import { $, $$, can, h, toast } from "../lib/dom.js";
import { rangeText, zoneName } from "../lib/format.js";
import { words } from "../lib/dashboards/display.js";
import { changePanel, equal, findPanel, historyOf, movePanel } from "../lib/dashboards/document.js";
import { interpolate, safeAddress } from "../lib/dashboards/interpolate.js";
import { t } from "../lib/i18n.js";
import { minutesOf, timeRange } from "../lib/range.js";
import { showLinks } from "../dashboard/dashboard_links.js";
import { boardIn } from "../dashboard/board.js";
import { blankBoard } from "../dashboard/blank.js";
import { editPanel } from "../dashboard/editor.js";
import { describe, inspect, panelMenu } from "../dashboard/panel_menu.js";
import { loaderOf } from "../dashboard/loader.js";
import { dashboardMenu, leaveEditing, rowMenu, save, share, wireEditing } from "../dashboard/acts.js";
import { handedOver, keepRecent } from "../dashboard/recent.js";
import { ownSections, placedSections, repeats } from "../dashboard/sections.js";
import { refreshing } from "../dashboard/timing.js";
import { keepValues, valuesIn, variableBar } from "../dashboard/variables.js";
import { whyEmpty } from "../dashboard/why_empty.js";

const uid = decodeURIComponent(location.pathname.split("/").at(-1));
const given = new URLSearchParams(location.search);
const isNew = uid === "new";
const NEW = () => ({ uid: "new", title: t("dashboard.new_title"), time: { from: "-1h", to: "now" }, panels: [] });

/** @type {any} */
const view = isNew
  ? { dashboard: NEW(), source: "stored", read_only: false, version: 0, etag: "", starred: false, problems: [] }
  : await get(`/dashboards/${encodeURIComponent(uid)}`).catch((error) => {
    $("#title").textContent = uid;
    $("#blank").hidden = false;
    $("#blank").className = "card empty";
    $("#blank").replaceChildren(h("h2", {}, error.status === 404 ? t("dashboard.gone") : error.message), h("p", {}, error.hint || t("dashboard.gone_hint")), h("a", { class: "button", href: "/dashboards" }, t("page.dashboards")));
    if (!(error instanceof ApiError)) throw error;
    return new Promise(() => {}); // nothing else of the page is to happen
  });

const simple = (time) => ((time?.to ?? "now") === "now" && minutesOf((time?.from ?? "-1h").replace(/^(?:now)?-/, "")) ? (time?.from ?? "-1h").replace(/^(?:now)?-/, "") : null);
const history = historyOf(view.dashboard);
/** @type {any} what the parts of the page know of each other */
const page = {
  view, uid, isNew, history, saved: view.dashboard, values: valuesIn(location.search), resolved: [], chosen: {}, placed: [], closed: new Map(), off: new Set(), events: [],
  items: new Map(), solo: given.get("view"), edited: null, mode: { editing: false }, previewed: null,
};
page.dashboard = () => page.previewed ?? history.document;
page.dirty = () => !equal(history.document, page.saved);
page.editing = () => page.mode.editing;
page.selections = () => page.chosen;

// --- time ---
// A range that the document gives in words of its own ("now/d") is sent as it is, until the reader chooses another.
let own = simple(view.dashboard.time) || given.get("range") || given.get("from") ? null : view.dashboard.time;
const preset = simple(view.dashboard.time) ?? "24h";
const UNITS = { m: "minute", h: "hour", d: "day", w: "week" };
const rangeName = (name) => t("dashboard.last", { length: new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: UNITS[name.slice(-1)], unitDisplay: "long" }).format(Number(name.slice(0, -1))) });
for (const button of $$("#ranges [data-range]")) button.textContent = rangeName(button.dataset.range);
function showRange(state) {
  $("#range-text").textContent = own ? `${own.from} – ${own.to}` : state.fixed ? rangeText(state.fixed.from, state.fixed.to) : rangeName(state.preset);
}
let started = false;
const range = timeRange(() => { own = null; showRange({ preset: range.preset, fixed: range.fixed ? { from: range.bounds[0], to: range.bounds[1] } : null }); if (started) { $("#range-pop").hidePopover(); page.timeChanged(); } }, { preset, shown: showRange });
page.range = range;
page.time = () => {
  if (own) return { from: own.from, to: own.to, tz: page.zone() };
  const [from, to] = range.bounds.map(Math.round);
  return { from, to, tz: page.zone() };
};
page.zone = () => { const zone = history.document.timezone; return zone && zone !== "browser" ? zone : zoneName; };
page.bounds = () => (loader.bounds[1] ? loader.bounds : range.bounds.map(Math.round));
page.zoom = (from, to) => { if (!range.fixed || Math.abs(range.bounds[0] - from) > 1) range.narrow(from, to); };
page.zoomOut = () => {
  const [from, to] = page.bounds();
  const size = to - from;
  range.narrow(Math.round(from - size / 2), Math.round(Math.min(Date.now(), to + size / 2)));
};
page.timeChanged = async () => { await page.resolve(); await loader.refresh(); };
$("#range-pop").addEventListener("toggle", (event) => {
  if (event.newState !== "open") return;
  const at = $("#range-open").getBoundingClientRect();
  const pop = $("#range-pop");
  pop.style.top = `${at.bottom + 4}px`;
  pop.style.left = `${Math.max(6, Math.min(at.right - pop.offsetWidth, innerWidth - pop.offsetWidth - 6))}px`;
});
$("#range-custom").addEventListener("click", () => $("#range-pop").hidePopover());

// --- what panels ask for ---
const loader = loaderOf({
  range: page.time,
  selections: () => page.chosen,
  more: () => ({ dashboard: history.document.uid, interval: history.document.interval ?? "" }),
  draw: (item) => { board.draw(item); if (page.drawn) page.drawn(item); },
  state: (item) => { board.state(item); if (page.stated) page.stated(item); },
});
page.loader = loader;
page.near = (item, near) => loader.near(item, near);
page.globals = () => {
  const [from, to] = page.bounds();
  return { __from: String(from), __to: String(to), __dashboard: words(history.document.title), "__dashboard.uid": history.document.uid, "__url_time_range": `from=${from}&to=${to}` };
};
page.annotations = () => page.events;
// Charts of a dashboard share the crosshair, unless the document says otherwise.
page.cursor = () => (history.document.cursor === "none" && "cursor" in history.document ? "" : "dashboard");

async function askEvents() {
  const wanted = (history.document.annotations ?? []).filter((one) => (one.enabled ?? true) !== page.off.has(one.name) && !page.off.has(one.name));
  const before = JSON.stringify(page.events);
  if (!wanted.length) page.events = [];
  else {
    try {
      const answer = await send("POST", "/dashboards/annotations", { ...page.time(), variables: page.chosen, annotations: wanted.map((one) => ({ ...one, enabled: true })) });
      page.events = answer.annotations.flatMap((one) => one.events.map((event) => ({ ...event, name: one.name, color: one.color })));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      page.events = [];
    }
  }
  if (JSON.stringify(page.events) !== before) for (const item of page.items.values()) if (item.results) loader.redraw(item);
}

/** Variables and layout by the server; `only` when one variable was changed. */
let resolving = 0;
page.resolve = async (only) => {
  resolving += 1;
  const turn = resolving;
  const document = history.document;
  try {
    const answer = await send("POST", "/dashboards/variables", { dashboard: document, values: page.values, ...page.time(), ...(only ? { only } : {}) });
    if (turn !== resolving) return;
    Object.assign(page, { resolved: answer.variables, chosen: answer.selections, placed: answer.sections });
    page.resolvedFor = document.variables;
  } catch (error) {
    if (error instanceof ApiError) toast(error.message, { bad: true, hint: error.hint });
    else throw error;
  }
  page.show();
  askEvents();
};
const bar = variableBar($("#variables"), {
  async changed(name, values) {
    page.values = { ...Object.fromEntries(page.resolved.filter((one) => one.values.length).map((one) => [one.name, one.all ? ["$__all"] : one.values])), ...page.values, [name]: values };
    globalThis.history.replaceState(globalThis.history.state, "", keepValues(new URL(location.href), page.values));
    await page.resolve([name]);
    await loader.refresh();
  },
  annotation(name, on) {
    if (on) page.off.delete(name);
    else page.off.add(name);
    bar.update(history.document, page.resolved, page.off);
    askEvents();
  },
});
for (const one of view.dashboard.annotations ?? []) if (one.enabled === false) page.off.add(one.name);

// --- the board ---
page.linkAddress = (link, item) => {
  const selections = { ...page.chosen, ...(item?.selections ?? {}) };
  let address = link.dashboard ? `/dashboards/${encodeURIComponent(link.dashboard)}` : interpolate(link.url ?? "", selections, { globals: page.globals(), address: true });
  if (!address) return "";
  const more = new URLSearchParams();
  if (link.keep_time) { const now = new URLSearchParams(location.search); for (const name of ["range", "from", "to"]) if (now.get(name)) more.set(name, now.get(name)); if (!more.size && !own) more.set("range", range.preset); }
  if (link.keep_variables) for (const [name, one] of Object.entries(selections)) for (const value of one.all ? ["$__all"] : one.values) more.append(`var-${name}`, value);
  if (more.size) address += (address.includes("?") ? "&" : "?") + more;
  return address;
};
page.say = (text) => { $("#said").textContent = text; };
page.describe = describe;
page.inspect = (item) => inspect(page, item);
page.panelMenu = (item, anchor) => panelMenu(page, item, anchor);
page.rowMenu = (row, anchor) => rowMenu(page, row, anchor);
page.openEvent = (event) => { const address = safeAddress(event.url); if (address) location.href = address; };
page.whyEmpty = (item) => whyEmpty(page, item);
page.toggleRow = (section) => {
  const next = !section.collapsed;
  page.closed.set(section.key, next);
  if (page.editing() && section.row) { page.closed.delete(section.key); page.change(changePanel(history.document, section.row.id, (row) => ({ ...row, collapsed: next || undefined })), t("dashboard.did_fold")); }
  else page.show();
};
const board = boardIn($("#board"), page);
page.board = board;

function sections() {
  const dashboard = page.dashboard();
  const known = page.items;
  const found = page.editing() || page.previewed || !repeats(dashboard)
    ? ownSections(dashboard, page.chosen, page.placed, page.closed, known)
    : placedSections(dashboard, page.chosen, page.placed, page.closed, known);
  if (!page.solo) return found;
  const item = found.flatMap((one) => one.items).find((one) => one.key === page.solo);
  return item ? [{ key: "solo", row: null, title: "", collapsed: false, items: [item] }] : found;
}
page.show = () => {
  const dashboard = page.dashboard();
  const all = sections();
  const shown = all.flatMap((one) => one.items);
  for (const item of shown) {
    const asked = JSON.stringify([item.panel.queries, item.panel.type, item.panel.interval, item.panel.max_points, item.panel.time_from, item.panel.time_shift, item.panel.options?.limit, item.panel.options?.heat?.calculate, item.selections]);
    item.width = estimate(item);
    const changed = item.askedFor !== undefined && item.askedFor !== asked;
    const redrawn = item.shownPanel !== undefined && item.shownPanel !== item.panel && !changed;
    Object.assign(item, { askedFor: asked, shownPanel: item.panel });
    if (changed) loader.again(item);
    else if (redrawn) loader.redraw(item);
  }
  loader.set(shown);
  for (const [key, item] of page.items) if (!shown.includes(item) && !all.some((one) => one.items.includes(item)) && !findPanel(dashboard, item.id)) page.items.delete(key);
  $("#board").classList.toggle("solo", Boolean(page.solo) && all[0]?.key === "solo");
  board.show(all);
  bar.update(dashboard, page.resolved, page.off);
  showLinks($("#links"), page);
  title();
  blankBoard(page, $("#blank"));
};
// The width of a panel's chart, near enough for the number of its points.
const estimate = (item) => { const wide = $("#board").clientWidth || 1200; return wide < 640 || page.solo ? wide : Math.max(120, (wide * item.grid.w) / 24 - 60); };

function title() {
  const { title: text } = history.document;
  $("#title").textContent = words(text);
  document.title = `${words(text)} · Eldonia Ops`;
  $("#dirty").hidden = !page.dirty();
  $("#source").hidden = page.view.source === "stored";
  $("#source").textContent = page.view.source === "stored" ? "" : t(`dashboard.source.${page.view.source}`);
  $("#star").setAttribute("aria-pressed", String(page.view.starred));
  $("#star").hidden = page.isNew;
  $("#edit").hidden = page.editing() || !can("respond");
  $("#edit-bar").hidden = !page.editing();
  const [undone, redone] = [history.undoName, history.redoName];
  $("#undo").disabled = undone === null;
  $("#undo").title = undone === null ? t("dashboard.undo") : t("dashboard.undo_what", { what: undone });
  $("#redo").disabled = redone === null;
  $("#redo").title = redone === null ? t("dashboard.redo") : t("dashboard.redo_what", { what: redone });
  $("#save").textContent = t(page.view.read_only ? "dashboard.save_copy" : "dashboard.save");
}

// --- changes ---
/** Another document: shown at once, and asked anew where queries or variables differ. */
page.change = (next, name, merge = "") => {
  if (!history.push(next, name, merge)) return;
  page.afterChange();
};
page.afterChange = () => {
  page.previewed = null;
  if (!equal(page.resolvedFor, history.document.variables)) page.resolve().then(() => loader.refresh());
  page.show();
  if (!equal(page.eventsFor, history.document.annotations)) { page.eventsFor = history.document.annotations; askEvents(); }
  page.edited?.changed?.();
};
page.preview = (item, section, grid) => {
  page.previewed = movePanel(history.document, item.id, section.row?.id ?? null, grid);
  page.show();
};
page.settle = (item, keep, name, merge = "") => {
  const next = page.previewed;
  page.previewed = null;
  if (keep && next) page.change(next, name, merge);
  else page.show();
};
page.undo = () => { if (history.undo()) { page.afterChange(); page.say(t("dashboard.undone")); } };
page.redo = () => { if (history.redo()) { page.afterChange(); page.say(t("dashboard.redone")); } };
page.startEditing = () => { page.mode.editing = true; if (page.solo) page.showAlone(null); page.show(); };
page.stopEditing = () => { page.mode.editing = false; page.show(); };
/** The document that is in force now: after a save, a restore, or another's version was taken. */
page.adopt = (next) => {
  page.view = next;
  page.saved = next.dashboard;
  history.reset(next.dashboard);
  page.isNew = false;
  page.afterChange();
};
page.showAlone = (key) => {
  page.solo = key;
  const address = new URL(location.href);
  if (key) address.searchParams.set("view", key);
  else address.searchParams.delete("view");
  globalThis.history.pushState({}, "", address);
  page.show();
  if (!key && page.lastSolo) board.cardOf(page.lastSolo)?.scrollIntoView({ block: "nearest" });
  page.lastSolo = key;
};
page.edit = (item) => editPanel(page, item);
addEventListener("popstate", () => { page.solo = new URLSearchParams(location.search).get("view"); page.show(); });
addEventListener("beforeunload", (event) => { if (page.dirty() && !page.leaving) event.preventDefault(); });

// --- keys: for the panel under the pointer, else the one that has the focus ---
let hovered = null;
$("#board").addEventListener("pointerover", (event) => { hovered = event.target.closest(".panel-card"); });
$("#board").addEventListener("pointerleave", () => { hovered = null; });
const current = () => (document.activeElement?.closest?.(".panel-card") ?? hovered)?.item ?? (page.solo ? page.items.get(page.solo) : null);
function kiosk(on) {
  document.documentElement.classList.toggle("kiosk", on);
  $("#kiosk-exit").hidden = !on;
  const address = new URL(location.href);
  if (on) address.searchParams.set("kiosk", "");
  else address.searchParams.delete("kiosk");
  globalThis.history.replaceState(globalThis.history.state, "", address.href.replace("kiosk=&", "kiosk&").replace(/kiosk=$/, "kiosk"));
}
page.kiosk = () => kiosk(!document.documentElement.classList.contains("kiosk"));
$("#kiosk-exit").addEventListener("click", () => kiosk(false));
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || $("dialog[open]") || $(".pop")) return;
  const typing = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable], .cm-host");
  if ((event.ctrlKey || event.metaKey) && !typing && page.editing() && event.key.toLowerCase() === "z") { event.preventDefault(); return event.shiftKey ? page.redo() : page.undo(); }
  if ((event.ctrlKey || event.metaKey) && page.editing() && event.key.toLowerCase() === "s") { event.preventDefault(); return save(page); }
  if (event.ctrlKey || event.metaKey || event.altKey || typing) return;
  const item = current();
  if (event.key === "Escape") {
    if (page.edited) return page.edited.close();
    if (document.documentElement.classList.contains("kiosk")) return kiosk(false);
    if (page.solo) return page.showAlone(null);
  }
  if (page.edited) return;
  if (event.key === "v" && item) page.showAlone(page.solo ? null : item.key);
  else if (event.key === "e" && item && can("respond")) page.edit(item);
  else if (event.key === "i" && item) page.inspect(item);
  else if (event.key === "r") act(page.timeChanged);
  else if (event.key === "k") page.kiosk();
});
$("#edit").addEventListener("click", () => page.startEditing());
$("#share").addEventListener("click", (event) => share(page, event.currentTarget));
$("#more").addEventListener("click", (event) => dashboardMenu(page, event.currentTarget));
$("#refresh").addEventListener("click", () => act(page.timeChanged));
$("#star").addEventListener("click", () => act(async () => {
  const next = !page.view.starred;
  await send(next ? "PUT" : "DELETE", `/dashboards/${encodeURIComponent(page.view.dashboard.uid)}/star`);
  page.view = { ...page.view, starred: next };
  title();
}));
wireEditing(page);
page.leaveEditing = () => leaveEditing(page);

const interval = refreshing($("#interval"), async () => {
  if (range.fixed || !range.live) return;
  await loader.refresh({ abort: false });
  await askEvents();
});
page.every = interval;
$("#interval").addEventListener("change", (event) => {
  interval.set(event.target.value);
  const address = new URL(location.href);
  if (event.target.value === (history.document.refresh ?? "")) address.searchParams.delete("refresh");
  else address.searchParams.set("refresh", event.target.value || "off");
  globalThis.history.replaceState(globalThis.history.state, "", address);
});
document.addEventListener("theme", () => { board.cards.forEach((card) => { loader.redraw(card.item); }); });
matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => board.cards.forEach((card) => { loader.redraw(card.item); }));
document.addEventListener("retry", () => { act(page.timeChanged); });

const said = handedOver();
if (said) toast(said.text);
if (!isNew) keepRecent(uid);
interval.set(given.has("refresh") ? (given.get("refresh") === "off" ? "" : given.get("refresh")) : (view.dashboard.refresh ?? ""));
if (given.has("kiosk")) kiosk(true);
page.eventsFor = view.dashboard.annotations;
if (isNew && can("respond")) page.mode.editing = true;
title();
await page.resolve();
started = true;
await loader.refresh();
const edited = given.get("edit") && page.items.get(given.get("edit"));
if (edited && can("respond")) page.edit(edited);
