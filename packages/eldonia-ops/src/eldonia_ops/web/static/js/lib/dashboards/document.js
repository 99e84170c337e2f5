// Changes of a dashboard document: each gives a new document, and shares what stayed as it was. Panels that are in no row come
// first, on a grid of their own; a row has its panels in it.
import { compact, freePlace, place } from "./grid.js";
import { words } from "./display.js";

/** @typedef {{id: number, type?: string, title?: any, grid?: any, panels?: any[], collapsed?: boolean, [key: string]: any}} Panel */
/** @typedef {{uid: string, title: any, panels?: Panel[], [key: string]: any}} Dashboard */

const DEFAULT_SIZES = { stat: { w: 6, h: 4 }, gauge: { w: 6, h: 6 }, row: { w: 24, h: 1 }, table: { w: 12, h: 8 }, logs: { w: 24, h: 10 }, text: { w: 8, h: 5 } };
export const sizeOf = (type) => DEFAULT_SIZES[type] ?? { w: 12, h: 8 };
export const isRow = (panel) => panel.type === "row";

/** Every panel, those of rows too, but not the rows. @param {Dashboard} dashboard @returns {Panel[]} */
export const allPanels = (dashboard) => (dashboard.panels ?? []).flatMap((one) => (isRow(one) ? (one.panels ?? []) : [one]));
export const rowsOf = (dashboard) => (dashboard.panels ?? []).filter(isRow);
export const findPanel = (dashboard, id) => (dashboard.panels ?? []).flatMap((one) => [one, ...(one.panels ?? [])]).find((one) => one.id === id) ?? null;
/** The row that a panel is in; null for one in none. */
export const rowOfPanel = (dashboard, id) => rowsOf(dashboard).find((row) => (row.panels ?? []).some((one) => one.id === id)) ?? null;
export const nextId = (dashboard) => Math.max(0, ...(dashboard.panels ?? []).flatMap((one) => [one.id, ...(one.panels ?? []).map((each) => each.id)])) + 1;

/** The parts of a dashboard that have a grid of their own: before the rows, then each row. */
export const sectionsOf = (dashboard) => [{ row: null, panels: (dashboard.panels ?? []).filter((one) => !isRow(one)) }, ...rowsOf(dashboard).map((row) => ({ row, panels: row.panels ?? [] }))];

/** The document with other panels in one of its parts. @param {Dashboard} dashboard @param {number | null} row @param {Panel[]} panels */
export function withSection(dashboard, row, panels) {
  if (row === null) return { ...dashboard, panels: [...panels, ...rowsOf(dashboard)] };
  return { ...dashboard, panels: (dashboard.panels ?? []).map((one) => (one.id === row ? { ...one, panels } : one)) };
}
const sectionOf = (dashboard, row) => sectionsOf(dashboard).find((one) => (one.row?.id ?? null) === row)?.panels ?? [];
const rowIdOf = (dashboard, id) => rowOfPanel(dashboard, id)?.id ?? null;

/** @param {Dashboard} dashboard @param {number} id @param {(panel: Panel) => Panel} change */
export function changePanel(dashboard, id, change) {
  const each = (one) => (one.id === id ? change(one) : one.panels?.some((inner) => inner.id === id) ? { ...one, panels: one.panels.map(each) } : one);
  return { ...dashboard, panels: (dashboard.panels ?? []).map(each) };
}
export const replacePanel = (dashboard, panel) => changePanel(dashboard, panel.id, () => panel);

/** A panel at the first free place of a part. @returns {[Dashboard, number]} the document and the id of the new panel */
export function addPanel(dashboard, panel, row = null) {
  const id = nextId(dashboard);
  const panels = sectionOf(dashboard, row);
  const { w, h } = { ...sizeOf(panel.type), ...panel.grid };
  return [withSection(dashboard, row, [...panels, { ...panel, id, grid: freePlace(panels, { w, h }) }]), id];
}
export function addRow(dashboard, title) {
  const id = nextId(dashboard);
  return /** @type {[Dashboard, number]} */ ([{ ...dashboard, panels: [...(dashboard.panels ?? []), { id, type: "row", title, grid: { x: 0, y: 0, w: 24, h: 1 }, panels: [] }] }, id]);
}
export function duplicatePanel(dashboard, id) {
  const panel = findPanel(dashboard, id);
  const row = rowIdOf(dashboard, id);
  const copy = nextId(dashboard);
  const beside = panel.grid.x + panel.grid.w * 2 <= 24 ? { ...panel.grid, x: panel.grid.x + panel.grid.w } : { ...panel.grid, y: panel.grid.y + panel.grid.h };
  const panels = [...sectionOf(dashboard, row), { ...structuredClone(panel), id: copy, grid: beside }];
  return /** @type {[Dashboard, number]} */ ([withSection(dashboard, row, place(panels, copy, beside)), copy]);
}
export function removePanel(dashboard, id) {
  const row = rowIdOf(dashboard, id);
  return withSection(dashboard, row, compact(sectionOf(dashboard, row).filter((one) => one.id !== id)));
}
/** A row ends; its panels go with it, or to the end of what is above it. */
export function removeRow(dashboard, id, keep) {
  const row = findPanel(dashboard, id);
  const rest = { ...dashboard, panels: dashboard.panels.filter((one) => one.id !== id) };
  if (!keep) return rest;
  const above = dashboard.panels.slice(0, dashboard.panels.indexOf(row)).filter(isRow).at(-1)?.id ?? null;
  const panels = sectionOf(rest, above);
  const bottom = Math.max(0, ...panels.map((one) => one.grid.y + one.grid.h));
  return withSection(rest, above, compact([...panels, ...(row.panels ?? []).map((one) => ({ ...one, grid: { ...one.grid, y: one.grid.y + bottom } }))]));
}
export function moveRow(dashboard, id, by) {
  const rows = rowsOf(dashboard);
  const at = rows.findIndex((one) => one.id === id);
  const to = at + by;
  if (to < 0 || to >= rows.length) return dashboard;
  const [row] = rows.splice(at, 1);
  rows.splice(to, 0, row);
  return { ...dashboard, panels: [...dashboard.panels.filter((one) => !isRow(one)), ...rows] };
}
/** A panel at another place of its part, or in another part. @param {Dashboard} dashboard @param {number} id @param {number | null} row @param {any} grid */
export function movePanel(dashboard, id, row, grid) {
  const from = rowIdOf(dashboard, id);
  if (from === row) return withSection(dashboard, row, place(sectionOf(dashboard, row), id, grid));
  const panel = findPanel(dashboard, id);
  const taken = withSection(dashboard, from, compact(sectionOf(dashboard, from).filter((one) => one.id !== id)));
  const panels = [...sectionOf(taken, row), { ...panel, grid: { ...panel.grid, ...grid } }];
  return withSection(taken, row, place(panels, id, grid));
}
export const toRow = (dashboard, id, row) => movePanel(dashboard, id, row, freePlace(sectionOf(dashboard, row), findPanel(dashboard, id).grid));

/** A document as it is sent: without keys that say nothing. */
export function cleaned(value) {
  if (Array.isArray(value)) return value.map(cleaned);
  if (!value || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined && one !== null).map(([key, one]) => [key, cleaned(one)]));
}
export function equal(a, b) {
  if (Object.is(a, b)) return true;
  if (!a || !b || typeof a !== "object" || typeof b !== "object" || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a).filter((key) => a[key] !== undefined);
  return keys.length === Object.keys(b).filter((key) => b[key] !== undefined).length && keys.every((key) => equal(a[key], b[key]));
}

/** What differs between two documents, by their panels: for the words of a conflict and of leaving. */
export function differences(before, after) {
  const found = [];
  const [old, now] = [before, after].map((one) => new Map((one.panels ?? []).flatMap((each) => [each, ...(each.panels ?? [])]).map((each) => [each.id, each])));
  const bare = ({ panels, grid, ...rest }) => (isRow(rest) ? rest : rest);
  for (const [id, panel] of now) {
    const known = old.get(id);
    const title = words(panel.title) || `#${id}`;
    if (!known) found.push({ kind: "added", what: title });
    else if (!equal(bare(known), bare(panel))) found.push({ kind: "changed", what: title });
    else if (!equal(known.grid, panel.grid) || rowIdOf(before, id) !== rowIdOf(after, id)) found.push({ kind: "moved", what: title });
  }
  for (const [id, panel] of old) if (!now.has(id)) found.push({ kind: "removed", what: words(panel.title) || `#${id}` });
  const keys = new Set([...Object.keys(before), ...Object.keys(after)].filter((key) => key !== "panels"));
  for (const key of keys) if (!equal(before[key], after[key])) found.push({ kind: "changed", what: key });
  return found;
}

/** Undo and redo: documents in their order, each with what was done. */
export function historyOf(document, most = 100) {
  let past = [];
  let future = [];
  let present = { document, name: "" };
  return {
    get document() { return present.document; },
    get undoName() { return past.length ? present.name : null; },
    get redoName() { return future.at(-1)?.name ?? null; },
    /** Changes that follow each other under one `merge` key are one step. */
    push(next, name, merge = "") {
      if (equal(next, present.document)) return false;
      if (merge && present.merge === merge) present = { ...present, document: next };
      else {
        past = [...past, present].slice(-most);
        present = { document: next, name, ...(merge ? { merge } : {}) };
      }
      future = [];
      return true;
    },
    undo() { if (!past.length) return false; future.push(present); present = past.pop(); return true; },
    redo() { if (!future.length) return false; past.push(present); present = future.pop(); return true; },
    reset(next) { past = []; future = []; present = { document: next, name: "" }; },
  };
}
