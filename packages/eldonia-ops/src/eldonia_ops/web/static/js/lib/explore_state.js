// What Explore shows, as its address holds it: one or two panes, each with what it asks of metrics, logs and traces.

export const KINDS = ["metrics", "logs", "traces"];
export const MOST_QUERIES = 10;
const LONGEST = 20_000;
const LONGEST_ADDRESS = 19_000; // bytes of what the server takes in one parameter, and a little less
const SORTS = ["newest", "longest", "spans", "errors"];

const text = (value, longest = 4_000) => (typeof value === "string" ? value.slice(0, longest) : "");
const one = (value, known) => (known.includes(value) ? value : known[0]);

/** @typedef {{expr: string, hidden: boolean}} Query */
/**
 * @typedef {object} Pane
 * @property {string} kind
 * @property {{queries: Query[], instant: boolean, step: string, table: boolean, stack: boolean, log: boolean}} metrics
 * @property {{query: string, columns: string[]}} logs
 * @property {{service: string, operation: string, min_duration: string, max_duration: string, where: string, errors: boolean, sort: string}} traces
 * @property {{from: number, to: number} | null} own a time range of its own, while times are not linked
 */

/** A pane out of what was given, with a default for everything else. @param {any} [given] @returns {Pane} */
export function pane(given = {}) {
  const from = (name) => (given?.[name] && typeof given[name] === "object" ? given[name] : {});
  const metrics = from("metrics");
  const logs = from("logs");
  const traces = from("traces");
  const own = from("own");
  const queries = (Array.isArray(metrics.queries) ? metrics.queries : []).slice(0, MOST_QUERIES)
    .map((query) => (typeof query === "string" ? { expr: text(query, LONGEST), hidden: false } : { expr: text(query?.expr, LONGEST), hidden: query?.hidden === true }));
  return {
    kind: one(given?.kind, KINDS),
    metrics: {
      queries: queries.length ? queries : [{ expr: "", hidden: false }],
      instant: metrics.instant === true, step: text(metrics.step, 20), table: metrics.table === true, stack: metrics.stack === true, log: metrics.log === true,
    },
    logs: { query: text(logs.query), columns: (Array.isArray(logs.columns) ? logs.columns : []).filter((name) => typeof name === "string").slice(0, 8) },
    traces: {
      service: text(traces.service), operation: text(traces.operation), min_duration: text(traces.min_duration, 20), max_duration: text(traces.max_duration, 20),
      where: text(traces.where), errors: traces.errors === true, sort: one(traces.sort, SORTS),
    },
    own: Number.isFinite(own.from) && Number.isFinite(own.to) && own.from < own.to ? { from: own.from, to: own.to } : null,
  };
}

// Only what differs from the default: addresses stay readable.
function shortened(value, usual) {
  if (Array.isArray(value) || !value || typeof value !== "object") return value;
  const kept = Object.entries(value).filter(([name, item]) => JSON.stringify(item) !== JSON.stringify(usual?.[name]));
  return Object.fromEntries(kept.map(([name, item]) => [name, shortened(item, usual?.[name])]));
}

const compact = (wanted) => {
  const short = shortened(wanted, pane());
  if (short.metrics?.queries) short.metrics.queries = wanted.metrics.queries.map((query) => (query.hidden ? query : query.expr));
  return short;
};

/**
 * The panes of an address. `query` (repeatable), `logs`, `traces` and `service` are short forms for links of other pages.
 * @param {URLSearchParams} given
 * @returns {{panes: Pane[], linked: boolean}}
 */
export function readState(given) {
  let panes = [];
  try {
    const found = JSON.parse(given.get("panes") ?? "[]");
    if (Array.isArray(found)) panes = found.slice(0, 2).map(pane);
  } catch {
    // an address that was cut or written by hand: what is left of it is shown
  }
  if (!panes.length && given.has("query")) panes = [pane({ metrics: { queries: given.getAll("query"), instant: given.get("instant") === "1" } })];
  if (!panes.length && given.has("logs")) panes = [pane({ kind: "logs", logs: { query: given.get("logs") } })];
  if (!panes.length && given.has("traces")) panes = [pane({ kind: "traces", traces: { service: given.get("service") ?? "", where: given.get("traces") } })];
  return { panes: panes.length ? panes : [pane()], linked: given.get("linked") !== "0" };
}

/** Write the panes into an address; without them where they are too long for one. @param {URLSearchParams} into @param {{panes: Pane[], linked: boolean}} state */
export function writeState(into, { panes, linked }) {
  for (const name of ["panes", "linked", "query", "instant", "logs", "traces", "service"]) into.delete(name);
  const short = panes.map(compact);
  const written = JSON.stringify(short);
  if ((short.length > 1 || Object.keys(short[0]).length) && new TextEncoder().encode(written).length <= LONGEST_ADDRESS) into.set("panes", written);
  if (!linked) into.set("linked", "0");
}

/** The address of Explore with queries. @param {string[]} queries @param {[number, number]} [bounds] */
export function exploreLink(queries, bounds) {
  const given = new URLSearchParams(queries.map((query) => ["query", query]));
  if (bounds) {
    given.set("from", String(Math.round(bounds[0])));
    given.set("to", String(Math.round(bounds[1])));
  }
  return `/explore?${given}`;
}
