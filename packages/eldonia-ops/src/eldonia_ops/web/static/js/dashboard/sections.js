// What the board shows: the parts of a dashboard with their panels, as the server laid them out (repeats are expanded), or as
// the document has them while it is edited. A panel keeps what it has loaded as long as it is there.
import { allPanels, findPanel, sectionsOf } from "../lib/dashboards/document.js";
import { flowed } from "../lib/dashboards/grid.js";
import { words } from "../lib/dashboards/display.js";
import { interpolate } from "../lib/dashboards/interpolate.js";

export const TOP = "top";
/** @typedef {{key: string, row: any, title: string, collapsed: boolean, items: any[]}} Section */

/**
 * @param {Map<string, any>} known items by key, which is filled
 * @param {(panel: any, key: string, selections: any, grid: any) => any} make
 */
function itemIn(known, panel, key, selections, grid, make) {
  const item = known.get(key) ?? make(panel, key, selections, grid);
  Object.assign(item, { panel, selections, grid, id: panel.id });
  known.set(key, item);
  return item;
}
const fresh = (panel, key, selections, grid) => ({ key, panel, selections, grid, id: panel.id, generation: -1, asked: -1, near: undefined, results: null, loading: false, hidden: new Set(), table: false });

/** As the document has them; a repeated panel is shown once, for the first of its values. @returns {Section[]} */
export function ownSections(dashboard, selections, placed, closed, known) {
  const first = (id) => placed.flatMap((one) => one.panels).find((one) => one.id === id)?.selections ?? {};
  return sectionsOf(dashboard).map(({ row, panels }) => {
    const key = row ? String(row.id) : TOP;
    return {
      key, row, title: row ? interpolate(words(row.title), { ...selections, ...(placed.find((one) => one.row?.id === row.id)?.row.selections ?? {}) }) : "", collapsed: row ? (closed.get(key) ?? Boolean(row.collapsed)) : false,
      items: flowed(/** @type {any[]} */ (panels)).map((panel) => itemIn(known, panel, String(panel.id), first(panel.id), panel.grid, fresh)),
    };
  });
}

/** As the server laid them out. @param {any[]} placed sections of the answer @returns {Section[]} */
export function placedSections(dashboard, selections, placed, closed, known) {
  return placed.map(({ row, panels }) => {
    const key = row ? String(row.key) : TOP;
    const own = row ? findPanel(dashboard, row.id) : null;
    return {
      key, row: own, title: own ? interpolate(words(own.title), { ...selections, ...row.selections }) : "",
      collapsed: row ? (closed.get(key) ?? Boolean(row.collapsed)) : false,
      items: panels.flatMap((one) => { const panel = findPanel(dashboard, one.id); return panel ? [itemIn(known, panel, String(one.key), one.selections ?? {}, one.grid, fresh)] : []; }),
    };
  });
}
export const repeats = (dashboard) => (dashboard.panels ?? []).some((one) => one.repeat) || allPanels(dashboard).some((one) => one.repeat);
