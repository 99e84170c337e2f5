import { act, get } from "../lib/api.js";
import { entryOf, onConfiguration, readConfiguration } from "../lib/configuration.js";
import { $, badge, can, h, render } from "../lib/dom.js";
import { openEntryForm } from "../lib/entry_form.js";
import { bytes, duration, integer, when, whenAgo } from "../lib/format.js";
import { t, word } from "../lib/i18n.js";
import { logMetric, retentionRule } from "../lib/log_care.js";
import { origin } from "../lib/origin.js";
import { poll } from "../lib/poll.js";

const fact = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, ...value));
const DISK_LOW = 0.1;

function facts(one) {
  return [
    fact(t("settings.started"), when(one.started_at)),
    fact(t("settings.uptime"), duration(one.now - one.started_at)),
    fact(t("settings.memory"), bytes(one.resident_bytes)),
    ...Object.entries(one.versions).map(([name, version]) => fact(name, version)),
  ];
}

function stored(one) {
  const { disk } = one;
  const low = disk && disk.free < disk.total * DISK_LOW;
  return [
    ...Object.entries(one.queues).map(([name, length]) => fact(word("queue", name), integer(length))),
    fact(t("platform.refused"), integer(one.refused)),
    disk ? fact(t("platform.disk"), h("span", { class: low ? "bad" : "" }, t("platform.disk_free", { free: bytes(disk.free), total: bytes(disk.total) }))) : null,
    ...one.stored.map(({ name, rows, bytes: size, parts }) => fact(word("stored", name), t("platform.stored_sum", { rows: integer(rows), bytes: bytes(size), parts: integer(parts) }))),
    ...Object.entries(one.files).map(([name, size]) => fact(word("stored", name), bytes(size))),
    fact(t("platform.detached"), h("span", { class: one.detached_parts ? "bad" : "" }, integer(one.detached_parts))),
    fact(t("platform.lost"), h("span", { class: one.lost_samples ? "bad" : "" }, integer(one.lost_samples))),
  ];
}

// The fixed part of a loop's name in the page's language; what it is about stays as it is.
function loopName(name) {
  const group = /^rule group (.+) of (.+)$/.exec(name);
  if (group) return t("loop.rule_group", { group: group[1], file: group[2] });
  const [, kind, rest] = /^(scrape|probe|host|postgresql|redis|nginx|journal|tail) (.+)$/.exec(name) ?? [];
  return kind ? t("loop.collecting", { kind: word("kind", kind), name: rest }) : word("loop", name);
}

function loop(one) {
  const tone = one.failing ? "bad" : one.in_row ? "warn" : "ok";
  const state = one.ended ? "ended" : one.failing ? "failing" : one.in_row ? "failed" : "running";
  return h("tr", {},
    h("td", {}, badge(t(`platform.${state}`), tone)),
    h("td", {}, h("span", {}, h("strong", {}, loopName(one.name)), one.in_row || one.ended ? h("span", { class: "sub bad" }, one.error) : null)),
    h("td", { class: "brief", "data-label": t("platform.last") }, one.succeeded_at ? whenAgo(one.succeeded_at) : h("span", { class: "muted" }, t("platform.no_turn"))),
    h("td", { class: "num brief", "data-label": t("platform.failures") }, integer(one.failures)),
  );
}

function listener(one) {
  return h("tr", {},
    h("td", {}, h("strong", {}, one.name)),
    h("td", { class: "brief", "data-label": t("platform.address") }, one.address),
    h("td", { class: "brief", "data-label": t("platform.anonymous") }, word("anonymous", one.anonymous)),
    h("td", { class: "num brief", "data-label": t("platform.connections") }, integer(one.connections)),
    h("td", { class: "num brief", "data-label": t("platform.accepted") }, integer(one.accepted)),
  );
}

const count = (name, number, bad = false) => h("td", { class: "num brief", "data-label": t(name) }, bad && number ? h("span", { class: "bad" }, integer(number)) : integer(number));

function source(one) {
  const tone = { up: "ok", down: "bad" }[one.health] ?? "neutral";
  const fault = one.fault ? h("span", { class: one.health === "down" ? "sub bad" : "sub" }, one.fault_at ? [one.fault, " · ", whenAgo(one.fault_at)] : one.fault) : null;
  return h("tr", {},
    h("td", {}, badge(t(`platform.source_${one.health}`), tone)),
    h("td", {}, h("span", {}, h("strong", {}, one.id), h("span", { class: "sub" }, one.summary), fault)),
    h("td", { class: "brief", "data-label": t("platform.last_event") }, one.last_at ? whenAgo(one.last_at) : h("span", { class: "muted" }, t("platform.no_event"))),
    count("platform.per_minute", one.per_minute),
    count("platform.events", one.events),
    count("platform.unread", one.unread, true),
  );
}

function output(one) {
  const state = one.fault ? (one.next_retry_at ? "again" : "down") : one.written ? "up" : "unknown";
  const tone = { up: "ok", again: "warn", down: "bad" }[state] ?? "neutral";
  const waits = one.queued_events ? t("platform.buffered_sum", { events: integer(one.queued_events), bytes: bytes(one.queued_bytes) }) : "–";
  return h("tr", {},
    h("td", {}, badge(t(`platform.output_${state}`), tone)),
    h("td", {}, h("span", {}, h("strong", {}, one.id), h("span", { class: "sub" }, one.summary), one.fault ? h("span", { class: "sub bad" }, one.fault) : null)),
    h("td", { class: "brief", "data-label": t("platform.buffered") }, h("span", {}, waits, one.oldest_at ? h("span", { class: "sub" }, whenAgo(one.oldest_at)) : null)),
    count("platform.written", one.written),
    count("platform.retries", one.retries),
    count("platform.dropped", one.dropped + one.given_up, true),
  );
}

function pipeline(one) {
  $("#pipeline-sources").hidden = $("#pipeline-outputs").hidden = !one;
  if (!one) return;
  $("#pipeline-sum").textContent = one.held ? t("platform.held", { n: integer(one.held) }) : "";
  $("#pipeline-lost").hidden = !one.lost;
  if (one.lost) $("#pipeline-lost").replaceChildren(t("platform.untaken", { n: integer(one.lost), reason: one.lost_reason }), " · ", whenAgo(one.lost_at));
  render($("#sources"), [one.sources, Math.floor(Date.now() / 5000)], () => one.sources.map(source));
  render($("#outputs"), [one.outputs, Math.floor(Date.now() / 5000)], () => one.outputs.map(output));
}

function took(one) {
  const seconds = (value) => (value === null ? "–" : duration(value * 1000));
  const labels = Object.values(one.labels).map((value) => word("part", value)).join(" · ");
  return h("tr", {},
    h("td", {}, h("span", {}, h("strong", {}, word("work", one.name)), labels ? h("span", { class: "muted" }, ` ${labels}`) : null)),
    h("td", { class: "num brief", "data-label": t("platform.count") }, integer(one.count)),
    h("td", { class: "num brief", "data-label": t("platform.p50") }, seconds(one.p50)),
    h("td", { class: "num brief", "data-label": t("platform.p99") }, seconds(one.p99)),
  );
}

poll(async () => {
  const found = await get("/platform");
  const failing = found.loops.filter((one) => one.failing).length;
  $("#ready").replaceChildren(badge(t(found.ready ? "platform.ready" : "platform.not_ready"), found.ready ? "ok" : "bad"));
  $("#facts").replaceChildren(...facts(found));
  $("#stored").replaceChildren(...stored(found).filter((one) => one));
  $("#loops-sum").textContent = t("platform.loops_sum", { failing: integer(failing), all: integer(found.loops.length) });
  render($("#loops"), [found.loops, Math.floor(Date.now() / 5000)], () => found.loops.map(loop));
  render($("#listeners"), found.listeners, () => found.listeners.map(listener));
  pipeline(found.pipeline);
  $("#durations-empty").hidden = found.durations.length > 0;
  render($("#durations"), found.durations, () => found.durations.map(took));
}, 5000);

// What rules of retention find is counted in the store: seldom enough.
const LOG_RULES = "retention.log_rules";
const admin = can("administer");
const care = poll(async () => {
  const [metrics, rules] = await Promise.all([get("/logs/metrics"), get("/logs/retention")]);
  $("#log-metrics-card").hidden = !metrics.length;
  $("#log-retention-card").hidden = !rules.length && !admin;
  render($("#log-metrics"), metrics, () => metrics.map(logMetric));
  render($("#log-retention"), [rules, rules.map((one) => entryOf(LOG_RULES, one.name))], () => rules.map((one) => {
    const row = retentionRule(one);
    row.querySelector("td > span").append(origin(entryOf(LOG_RULES, one.name)) ?? "");
    return row;
  }));
}, 60_000);

if (admin) {
  onConfiguration((view) => {
    $("#retention-new").disabled = !view.enabled;
    care.now();
  });
  $("#retention-new").addEventListener("click", () => openEntryForm(LOG_RULES));
  act(readConfiguration);
}
