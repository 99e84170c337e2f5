// The types of panels: what draws each, and what an empty one says.
import { framesOf } from "../lib/dashboards/frames.js";
import { transformed } from "../lib/dashboards/transformations.js";
import { render as bar } from "./bar.js";
import { render as gauge } from "./gauge.js";
import { render as heatmap } from "./heatmap.js";
import { render as logs } from "./logs.js";
import { render as stateTimeline } from "./state_timeline.js";
import { render as stat } from "./stat.js";
import { render as table } from "./table.js";
import { render as text } from "./text.js";
import { render as timeseries } from "./timeseries.js";
import { render as traces } from "./traces.js";

export { release } from "./instances.js";
export const PANEL_TYPES = ["timeseries", "stat", "gauge", "bar", "table", "heatmap", "state_timeline", "logs", "traces", "text"];
export const CHARTS = new Set(["timeseries", "heatmap", "state_timeline"]);
const RENDERERS = { timeseries, stat, gauge, bar, table, heatmap, state_timeline: stateTimeline, logs, traces, text };

/**
 * Draw a panel in its place; the same place is updated the next time.
 * @param {HTMLElement} place @param {any} panel of the document
 * @param {{frames: any[], results?: any[]}} data @param {any} context
 */
export const render = (place, panel, data, context) => (RENDERERS[panel.type] ?? timeseries)(place, panel, data, context);

/** What a panel shows of its results. */
export const dataOf = (panel, results) => ({ results, frames: transformed(framesOf(panel, results), panel.transformations) });

/** Whether there is nothing to draw. */
export function isEmpty(panel, data) {
  if (panel.type === "text") return false;
  if (panel.type === "logs") return !data.results.some((one) => one.records?.length);
  if (panel.type === "traces") return !data.results.some((one) => one.traces?.length);
  return !data.frames.some((frame) => frame.columns.some((one) => one.type !== "time" && one.values.some((value) => value !== null && value !== undefined)));
}
