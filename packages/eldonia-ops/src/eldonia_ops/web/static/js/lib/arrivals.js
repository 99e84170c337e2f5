// What arrives from an entry since it was saved: how long it took, how much there is, and where it is seen.
import { get } from "./api.js";
import { h, badge } from "./dom.js";
import { duration, integer } from "./format.js";
import { t, word } from "./i18n.js";
import { spark } from "./spark.js";

const quoted = (text) => JSON.stringify(text);
const KINDS = { scrape: "scrape", probes: "probe", logs: "tail", nginx: "nginx", postgresql: "postgresql", redis: "redis", host: "host" };
// The metric that shows an entry alive, by its section.
const SERIES = {
  scrape: (name) => `sum(scrape_samples_scraped{job=${quoted(name)}})`,
  probes: (name) => `probe_duration_seconds{probe=${quoted(name)}}`,
  host: () => 'avg(node_load1)',
  nginx: () => "sum(nginx_connections_active)",
  redis: () => "sum(redis_connected_clients)",
  postgresql: () => "sum(pg_stat_activity_count)",
};
/** Whether a path is one that a pattern of log files names: as Python's glob, where `**` passes folders. */
export function matches(pattern, path) {
  const text = pattern.replace(/[.+^${}()|\\]/g, "\\$&").replaceAll("**/", "\u0000").replaceAll("*", "[^/]*").replaceAll("?", "[^/]").replaceAll("\u0000", "(?:.*/)?");
  return new RegExp(`^${text}$`).test(path);
}
const search = (pattern) => `source:${pattern.replace(/[^A-Za-z0-9/_.*?-]/g, "\\$&").replaceAll("?", "*")}*`;
const isOf = (target, { section, name }) => {
  if (target.kind !== KINDS[section]) return false;
  if (section === "scrape") return target.labels.job === name;
  if (section === "probes") return target.labels.probe === name;
  if (section === "logs") return matches(name, target.labels.path ?? target.url);
  return section === "host" || target.name.includes(name) || target.url === name;
};
const seenAt = ({ section, name }) =>
  section === "logs" ? `/logs?query=${encodeURIComponent(search(name))}` : section === "receivers" ? "/settings" : section === "host" ? "/" : "/targets";

/** What is known of one entry now: {state, error, text, points, href}. `since` is when it was saved. */
export async function arrival(entry, targets) {
  const { section, name, since } = entry;
  if (section === "receivers") return { state: "up", text: t("arrive.receiver"), points: [], href: "/settings" };
  const mine = targets.filter((one) => isOf(one, entry));
  const down = mine.find((one) => one.health === "down");
  const up = mine.filter((one) => one.health === "up");
  if (down && !up.length) return { state: "down", error: down.error, text: "", points: [], href: seenAt(entry) };
  if (!up.length) return { state: "wait", text: t("arrive.waiting", { time: duration(Math.max(0, Date.now() - since)) }), points: [], href: seenAt(entry) };
  entry.first ??= Math.max(0, Math.min(...up.map((one) => one.last_at || Date.now())) - since);
  const text = t("arrive.first", { time: duration(Math.max(100, entry.first)) });
  if (section === "logs") {
    const recognised = up.find((one) => one.recognised)?.recognised;
    const counted = await get("/logs/histogram", { query: search(name), since: "-30d" }).catch(() => null);
    const lines = counted?.total;
    const parts = [text, lines ? t("arrive.lines", { count: integer(lines) }) : "", recognised ? t("targets.recognised", { form: word("form", recognised) }) : ""];
    return { state: "up", text: parts.filter(Boolean).join(" · "), points: [], href: seenAt(entry) };
  }
  const now = Date.now();
  const found = SERIES[section] ? await get("/query_range", { query: SERIES[section](name), start: now - 600_000, end: now, step: 5 }).catch(() => null) : null;
  const points = found?.series?.[0]?.points ?? [];
  const last = points.at(-1)?.[1];
  const more = last === undefined ? "" : section === "scrape" ? t("arrive.series", { count: integer(last) }) : section === "probes" ? t("arrive.took", { time: duration(last * 1000) }) : "";
  return { state: "up", text: [text, more].filter(Boolean).join(" · "), points, href: seenAt(entry) };
}

const TONES = { up: "ok", down: "bad", wait: "" };
export const arrivalRow = (entry, found, tools = []) =>
  h("div", { class: "arrival" },
    h("div", {}, badge(t(`arrive.${found.state}`), TONES[found.state]), " ", h("strong", {}, entry.name), " ", h("span", { class: "muted small" }, word("entry_kind", entry.section)),
      h("span", { class: found.error ? "sub bad" : "sub" }, found.error || found.text)),
    found.points.length > 1 ? spark(found.points, { name: t("arrive.chart", { name: entry.name }) }) : h("span"),
    h("div", { class: "arrival-tools" }, found.state === "up" ? h("a", { class: "button", href: found.href }, t("arrive.see")) : null, tools));
