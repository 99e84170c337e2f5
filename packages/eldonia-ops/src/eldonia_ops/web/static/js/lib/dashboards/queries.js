// The requests of a dashboard: the queries of its panels in one batch, and their results for each panel.

/** @typedef {{key: string, id: number, panel: any, selections?: Record<string, any>, width?: number}} Item */

const ROUND = 100; // pixels: panels of nearly one width have equal steps, and equal queries run once
const MOST_QUERIES = 200;

/** @param {Item} item @returns {any[]} */
export function queriesOf({ key, id, panel, selections = {}, width = 600 }) {
  if (panel.type === "text" || panel.type === "row") return [];
  return (panel.queries ?? []).filter((one) => !one.hide && (one.expr?.trim() || one.language === "logs" || one.language === "traces")).map((one, at) => ({
    panel: id, key, ref: one.ref || String.fromCharCode(65 + at), language: one.language ?? "promql", expr: one.expr ?? "", legend: one.legend ?? "", instant: Boolean(one.instant),
    format: panel.type === "logs" && one.language === "logs" ? "records" : panel.type === "heatmap" && (one.format ?? "series") === "series" && !panel.options?.heat?.calculate && /\b(?:le)\b/.test(one.expr ?? "") ? "heatmap" : (one.format ?? "series"),
    interval: one.interval || panel.interval || "", max_points: panel.max_points || Math.max(ROUND, Math.round(width / ROUND) * ROUND),
    time_from: panel.time_from ?? "", time_shift: panel.time_shift ?? "", limit: panel.options?.limit ?? 100, variables: selections,
  }));
}

/** Items in batches that the server takes. @param {Item[]} items @returns {{items: Item[], queries: any[]}[]} */
export function batches(items) {
  const found = [];
  for (const item of items) {
    const queries = queriesOf(item);
    if (!queries.length) continue;
    let last = found.at(-1);
    if (!last || last.queries.length + queries.length > MOST_QUERIES) { last = { items: [], queries: [] }; found.push(last); }
    last.items.push(item);
    last.queries.push(...queries);
  }
  return found;
}

/** Results by the key of their panel. @returns {Map<string, any[]>} */
export function byPanel(results) {
  const found = new Map();
  for (const one of results) {
    if (!found.has(one.key)) found.set(one.key, []);
    found.get(one.key).push(one);
  }
  return found;
}
