// What the PromQL editor and the metric browser know of the metrics: asked of the Prometheus API of this server, with
// limits, and kept for a minute. Nothing here raises: an editor without completion is still an editor.

const KEPT_MS = 60_000;
const MOST_NAMES = 10_000;
const MOST_VALUES = 1_000;
const WAIT_MS = 10_000;
const DAY_SECONDS = 86_400;

/** @typedef {{type: string, help: string, unit: string}} Metadata */
/** @typedef {{name: string, op: string, value: string}} Matcher */

const quote = (text) => JSON.stringify(text);
const selector = (metric, matchers = []) =>
  `{${[metric && `__name__=${quote(metric)}`, ...matchers.map((one) => `${one.name}${one.op}${quote(one.value)}`)].filter(Boolean).join(",")}}`;

// The family that a series of a histogram, summary or counter belongs to.
export const familyOf = (name) => name.replace(/_(bucket|sum|count|total)$/, "");

/** What a metadata answer says of a metric, with the type that the series itself has. @returns {Metadata | null} */
export function metadataOf(all, name) {
  const [own] = all[name] ?? [];
  if (own) return own;
  const [family] = all[familyOf(name)] ?? [];
  if (!family) return null;
  const part = name.slice(familyOf(name).length);
  const counts = part === "_bucket" || part === "_count" || part === "_total";
  // Sums of a histogram grow like counters; counts and buckets have no unit.
  return { ...family, type: ["histogram", "summary"].includes(family.type) || counts ? "counter" : family.type, unit: part === "_bucket" || part === "_count" ? "" : family.unit };
}

/** @param {{fetchFrom?: typeof fetch, now?: () => number}} [edge] */
export function promqlSource({ fetchFrom = (...given) => fetch(...given), now = () => Date.now() } = {}) {
  const kept = new Map();

  async function ask(path, parameters) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) if (value) query.append(name, value);
    const address = `/api/v1/${path}?${query}`;
    const known = kept.get(address);
    if (known && now() - known.at < KEPT_MS) return known.answer;
    const answer = (async () => {
      const response = await fetchFrom(address, { signal: AbortSignal.timeout(WAIT_MS), headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(String(response.status));
      return response.json();
    })().catch(() => {
      kept.delete(address);
      return { data: null, warnings: [] };
    });
    if (kept.size > 200) kept.clear();
    kept.set(address, { at: now(), answer });
    return answer;
  }

  // Whole minutes, so that what is asked twice within a minute has one address.
  const since = () => String(Math.floor(now() / 60_000) * 60 - DAY_SECONDS);
  const list = async (path, parameters) => (await ask(path, { start: since(), ...parameters })).data ?? [];

  return {
    /** Names of metrics; of more than 10,000 those that begin with `prefix`. */
    async metricNames(prefix = "") {
      const all = await ask("label/__name__/values", { start: since(), limit: MOST_NAMES });
      const names = all.data ?? [];
      if (!all.warnings?.length || !prefix) return names;
      const near = `{__name__=~${quote(`${prefix.replace(/[^\w:]/g, "\\$&")}.*`)}}`;
      return [...new Set([...names, ...(await list("label/__name__/values", { "match[]": near, limit: MOST_NAMES }))])];
    },
    async labelNames(metric = "") {
      return (await list("labels", { "match[]": metric && selector(metric), limit: MOST_VALUES })).filter((one) => one !== "__name__");
    },
    /** @param {string} label @param {string} [metric] @param {Matcher[]} [matchers] @returns {Promise<string[]>} */
    async labelValues(label, metric = "", matchers = []) {
      // The matcher that is being written does not narrow its own values.
      const others = matchers.filter((one) => one.name !== label && one.value);
      const match = metric || others.length ? selector(metric, others) : "";
      return list(`label/${encodeURIComponent(label)}/values`, { "match[]": match, limit: MOST_VALUES });
    },
    /** @returns {Promise<Record<string, Metadata[]>>} */
    async metricMetadata() {
      return (await ask("metadata", { limit: MOST_NAMES })).data ?? {};
    },
    /** @param {string} metric @param {Matcher[]} [matchers] @returns {Promise<Record<string, string>[]>} */
    async series(metric, matchers = []) {
      return list("series", { "match[]": selector(metric, matchers), limit: MOST_VALUES });
    },
    async flags() {
      return {};
    },
    forget() {
      kept.clear();
    },
  };
}
