import { countFiring } from "../lib/alerts.js";
import { ApiError, act, get, send } from "../lib/api.js";
import { $, $$, badge, can, count, h, icon, json, labels, open, render } from "../lib/dom.js";
import { exploreLink } from "../lib/explore_state.js";
import { ago, digits, duration, instantText, timeOfDay, when, whenAgo } from "../lib/format.js";
import { t, word } from "../lib/i18n.js";
import { poll } from "../lib/poll.js";
import { tone } from "../lib/severity.js";

const TABS = ["current", "rules", "silences", "outbox", "ledger"];

// --- tabs ---
let tab = "";
function choose(name, focus = false) {
  tab = TABS.includes(name) ? name : "current";
  for (const one of TABS) {
    const button = $(`#tab-${one}`);
    button.setAttribute("aria-selected", String(one === tab));
    button.tabIndex = one === tab ? 0 : -1;
    $(`#panel-${one}`).hidden = one !== tab;
  }
  const chosen = $(`#tab-${tab}`);
  chosen.scrollIntoView({ block: "nearest", inline: "nearest" });
  if (focus) chosen.focus();
  history.replaceState(null, "", `#${tab}`);
  narrow();
}
$(".tabs").addEventListener("click", (event) => {
  const button = event.target.closest("[role=tab]");
  if (button) choose(button.id.slice(4));
});
$(".tabs").addEventListener("keydown", (event) => {
  const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (move) choose(TABS[(TABS.indexOf(tab) + move + TABS.length) % TABS.length], true);
});
addEventListener("hashchange", () => choose(location.hash.slice(1)));

// --- search: every word must occur in what a card shows; Alertmanager's links name a receiver ---
const given = new URLSearchParams(location.search);
const search = $("#search");
search.value = given.get("q") ?? given.get("receiver") ?? "";
const CARDS = "article, .rule, .ledger li";
function narrow() {
  const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  for (const one of $$(CARDS, $("main"))) {
    const text = one.textContent.toLowerCase();
    one.hidden = !words.every((word) => text.includes(word));
  }
  for (const group of $$(".rule-group")) group.hidden = !$(".rule:not([hidden])", group);
  const cards = $$(CARDS, $(`#panel-${tab}`));
  $("#nothing").hidden = !cards.length || cards.some((one) => !one.hidden);
}
search.addEventListener("input", () => {
  const address = new URL(location.href);
  address.searchParams.delete("receiver");
  if (search.value.trim()) address.searchParams.set("q", search.value.trim());
  else address.searchParams.delete("q");
  history.replaceState(null, "", address);
  narrow();
});
$("#filters").addEventListener("submit", (event) => event.preventDefault());
choose(location.hash.slice(1));

function list(name, items, key, draw) {
  $(`[data-empty="${name}"]`).hidden = items.length > 0;
  render($(`[data-list="${name}"]`), key, () => items.map(draw));
}

// --- why was I (not) notified? ---
const valueText = (name, value) => (name.endsWith("_at") ? instantText(value) : typeof value === "string" ? value : JSON.stringify(value));
const details = (data) => Object.entries(data).filter(([, value]) => value !== "" && value !== 0 && value !== null).map(([name, value]) => [name, valueText(name, value)]);
const decision = (one, named) =>
  h("li", {},
    h("div", {}, badge(word("verdict", one.verdict), tone(one.verdict)), when(one.at)),
    h("div", {}, named ? h("strong", {}, one.alertname) : null, h("span", {}, one.reason), h("span", { class: "muted small" }, one.receiver), labels(Object.fromEntries(details(one.data)))));

async function why({ fingerprint, name = "" }) {
  $("#why-title").textContent = name ? t("alerts.why_of", { name }) : t("alerts.why");
  $("#ledger").replaceChildren();
  $("#ledger-empty").hidden = true;
  open($("#why"));
  await act(async () => {
    const found = await get("/alerts/explain", { fingerprint });
    const known = found.find((one) => one.alertname)?.alertname;
    if (known) $("#why-title").textContent = t("alerts.why_of", { name: known });
    $("#ledger").replaceChildren(...found.map((one) => decision(one, false)));
    $("#ledger-empty").hidden = found.length > 0;
  });
}
if (given.get("why")) why({ fingerprint: given.get("why") });
$("#why").addEventListener("close", () => {
  const address = new URL(location.href);
  address.searchParams.delete("why");
  history.replaceState(null, "", address);
});

// --- current ---
// Why nothing reaches a receiver as it is configured.
const obstacles = new Map();
function alertCard(one) {
  const suppressed = [
    one.silenced_by.length ? t("alerts.silenced", { n: one.silenced_by.join(", ") }) : "",
    one.inhibited_by.length ? t("alerts.inhibited", { n: one.inhibited_by.length }) : "",
    one.muted_by.length ? t("alerts.muted", { n: one.muted_by.join(", ") }) : "",
  ].filter(Boolean).join(" · ");
  const severity = one.labels.severity ?? "";
  return h("article", { class: `alert-card ${one.state === "firing" ? tone(severity) || "warn" : one.state === "pending" ? "" : "info"}` },
    h("div", { class: "alert-head" },
      h("h2", {}, one.name),
      badge(t(`alert_state.${one.state}`), one.state === "firing" ? "bad" : tone(one.state)),
      severity ? badge(word("severity", severity), tone(severity)) : null,
      one.incident_reference ? h("a", { class: "badge info", href: `/incidents/${one.incident_reference}` }, one.incident_reference) : null,
      h("span", { class: "when" }, t("alerts.since"), " ", whenAgo(one.starts_at))),
    one.state === "firing" && one.evidence.recovered_at ? h("p", { class: "recovered" }, icon("check"), h("span", {}, t("incident.recovered", { at: timeOfDay(one.evidence.recovered_at) })), h("span", { class: "muted" }, t("incident.held", { at: timeOfDay(one.evidence.held_until) }))) : null,
    h("p", {}, one.annotations.summary ?? one.annotations.description ?? ""),
    one.annotations.summary && one.annotations.description ? h("p", { class: "muted" }, one.annotations.description) : null,
    labels(one.labels, ["alertname", "severity"]),
    expressionLine(one.evidence.expression ?? one.evidence.logs, typeof one.evidence.logs === "string"),
    h("div", { class: "alert-foot" },
      typeof one.value === "number" ? h("span", {}, `${t("alerts.value")} `, h("b", { class: "num" }, digits(one.value))) : null,
      one.receivers.length ? h("span", {}, `${t("alerts.to")} ${one.receivers.join(", ")}`) : null,
      one.receivers.filter((name) => obstacles.has(name)).map((name) => h("span", { class: "fault" }, t("alerts.obstacle", { name, reason: obstacles.get(name) }))),
      suppressed ? h("span", {}, suppressed) : null,
      h("span", { class: "grow" }),
      h("button", { type: "button", class: "quiet", onclick: () => why(one) }, icon("question"), t("alerts.why")),
      can("respond") ? h("button", { type: "button", onclick: () => silence(one.labels) }, icon("mute"), t("silence.button")) : null));
}

// What a rule asks, with the way to ask it: of logs on their page, of metrics in Explore.
function expressionLine(text, ofLogs) {
  if (typeof text !== "string") return null;
  const link = ofLogs ? h("a", { class: "small", href: `/logs?${new URLSearchParams({ query: text })}` }, t("alerts.open_logs")) : h("a", { class: "small", href: exploreLink([text]) }, t("explore.open"));
  return h("p", { class: "expression-line" }, h("code", { class: "expression" }, text), link);
}

// --- rules ---
function rule(one) {
  const state = one.type === "recording" ? badge(t("rules.recording")) : badge(word("rule_state", one.state), one.state === "firing" ? "bad" : one.state === "pending" ? "warn" : "ok");
  return h("div", { class: "rule" },
    h("div", { class: "alert-head" }, h("h3", {}, one.name), state,
      one.health === "err" ? badge(t("rules.err"), "bad") : null,
      one.labels.severity ? badge(word("severity", one.labels.severity), tone(one.labels.severity)) : null,
      one.duration_seconds ? h("span", { class: "muted small" }, t("rules.for", { time: duration(one.duration_seconds * 1000) })) : null,
      h("span", { class: "when" }, `${t("rules.took", { time: duration(one.evaluation_time_seconds * 1000) })}`)),
    expressionLine(one.query, one.logs),
    one.last_error ? h("p", { class: "fault" }, one.last_error) : null,
    one.comment ? h("p", { class: "comment" }, one.comment) : null);
}
const ruleGroup = (group) =>
  h("section", { class: "rule-group" },
    h("header", {}, h("h2", {}, group.name), h("span", { class: "muted" }, group.file), h("span", { class: "muted" }, t("rules.every", { time: duration(group.interval_seconds * 1000) })), h("span", { class: "muted" }, t("rules.last"), " ", whenAgo(group.last_evaluation_at))),
    group.rules.map(rule));

// --- silences ---
function silenceCard(one) {
  const ended = one.state === "expired";
  return h("article", { class: `alert-card ${ended ? "" : "info"}` },
    h("div", { class: "alert-head" }, badge(t(`silence_state.${one.state}`), tone(one.state)), h("h2", {}, one.comment),
      h("span", { class: "when" }, ended ? t("silence.ended") : t("silence.until"), " ", when(one.ends_at), ended ? "" : ` (${ago(one.ends_at)})`)),
    h("div", { class: "labels" }, one.matchers.map((matcher) => h("span", { class: "label" }, `${matcher.name}${matcher.op}`, h("b", {}, `"${matcher.value}"`)))),
    h("div", { class: "alert-foot" }, h("span", {}, t("silence.by", { name: one.created_by })), h("span", { class: "grow" }),
      !ended && can("respond") ? h("button", { type: "button", onclick: async () => { await act(() => send("DELETE", `/silences/${encodeURIComponent(one.id)}`), t("silence.expired")); lists.now(); } }, t("silence.expire")) : null));
}

const dialog = $("#silence");
const form = $("#silence-form");
function matcherRow(name = "", op = "=", value = "") {
  return h("div", { class: "matcher" },
    h("input", { "aria-label": t("silence.label"), placeholder: t("silence.label"), "data-part": "name", value: name, autocomplete: "off" }),
    h("select", { "aria-label": t("silence.op"), "data-part": "op" }, ["=", "!=", "=~", "!~"].map((one) => h("option", { value: one, selected: one === op }, one))),
    h("input", { "aria-label": t("silence.value"), placeholder: t("silence.value"), "data-part": "value", value, autocomplete: "off" }),
    h("button", { type: "button", class: "icon-button", "aria-label": t("silence.remove"), onclick: (event) => { event.currentTarget.parentElement.remove(); preview(); } }, icon("close")));
}
const matchers = () =>
  $$(".matcher").map((row) => Object.fromEntries($$("[data-part]", row).map((part) => [part.dataset.part, part.value]))).filter((one) => one.name);

let asked = 0;
async function preview() {
  const box = $("#preview");
  const wanted = matchers();
  asked += 1;
  const turn = asked;
  if (!wanted.length) return box.replaceChildren(h("span", { class: "muted" }, t("silence.no_matcher")));
  try {
    const found = await send("POST", "/silences/preview", { matchers: wanted });
    if (turn !== asked) return;
    box.replaceChildren(h("strong", {}, t("silence.matches", { n: found.length })), h("ul", {}, found.slice(0, 6).map((one) => h("li", {}, `${one.name} · ${one.labels.service ?? ""} · ${t(`alert_state.${one.state}`)}`))));
  } catch (error) {
    if (turn === asked && error instanceof ApiError) box.replaceChildren(h("span", { class: "fault" }, error.message));
  }
}
function silence(of = { alertname: "" }) {
  form.reset();
  $("#silence-fault").hidden = true;
  $("#matchers").replaceChildren(...Object.entries(of).map(([name, value]) => matcherRow(name, "=", value)));
  open(dialog);
  preview();
}
$("#silence-new")?.addEventListener("click", () => silence());
$("#matcher-add").addEventListener("click", () => {
  $("#matchers").append(matcherRow());
  $("#matchers").lastElementChild.firstElementChild.focus();
});
let typing = 0;
$("#matchers").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(preview, 250);
});
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const fault = $("#silence-fault");
  fault.hidden = true;
  const say = (text) => Object.assign(fault, { textContent: text, hidden: false });
  if (!matchers().length) return say(t("silence.no_matcher"));
  if (!form.elements.comment.value.trim()) {
    form.elements.comment.focus();
    return say(t("silence.need_comment"));
  }
  try {
    await send("POST", "/silences", {
      matchers: matchers(),
      ends_at: Date.now() + Number(form.elements.duration.value) * 3_600_000,
      comment: form.elements.comment.value.trim(),
    });
  } catch (error) {
    return say(error.message);
  }
  dialog.close();
  choose("silences");
  lists.now();
});

// --- outbox ---
const unfolded = new Set();
function outgoing(one) {
  const waiting = one.status === "pending";
  const sent = h("details", { class: "sent", open: unfolded.has(one.id) }, h("summary", {}, t("outbox.message")), json(one.payload));
  sent.addEventListener("toggle", () => (sent.open ? unfolded.add(one.id) : unfolded.delete(one.id)));
  return h("article", { class: `alert-card ${one.status === "delivered" ? "ok" : one.status === "failed" ? "bad" : one.attempts ? "warn" : ""}` },
    h("div", { class: "alert-head" }, h("h2", {}, one.receiver), h("span", { class: "muted" }, one.title), badge(t(`outbox.${one.status}`), tone(one.status)),
      one.purpose !== "alert" ? badge(word("purpose", one.purpose)) : null,
      h("span", { class: "when" }, whenAgo(one.created_at))),
    one.subject ? h("p", {}, one.subject) : null,
    one.last_error ? h("p", { class: one.status === "delivered" ? "muted" : "fault" }, one.last_error) : null,
    h("div", { class: "alert-foot" }, h("span", {}, t("outbox.attempts", { n: one.attempts })),
      waiting && one.next_attempt_at ? h("span", {}, t("outbox.next"), " ", when(one.next_attempt_at)) : null,
      one.finished_at ? h("span", {}, t("outbox.finished"), " ", when(one.finished_at)) : null,
      sent,
      h("span", { class: "grow" }),
      one.status !== "delivered" && can("respond") ? h("button", { type: "button", onclick: async () => { await act(() => send("POST", `/notifications/${one.id}/retry`), t("outbox.retried")); lists.now(); } }, t("outbox.retry")) : null));
}

const lists = poll(async () => {
  const [alerts, groups, silences, outbox, ledger, integrations] = await Promise.all([
    get("/alerts"), get("/alerts/rules"), get("/silences"), get("/notifications", { limit: 100 }), get("/alerts/explain", { limit: 100 }),
    get("/alerts/integrations"),
  ]);
  obstacles.clear();
  for (const one of integrations) if (one.obstacle) obstacles.set(one.receiver, one.obstacle);
  const minute = Math.floor(Date.now() / 30_000);
  list("current", alerts, [alerts, minute, integrations], alertCard);
  list("rules", groups, [groups, minute], ruleGroup);
  const order = { active: 0, pending: 1, expired: 2 };
  silences.sort((a, b) => order[a.state] - order[b.state] || b.ends_at - a.ends_at);
  list("silences", silences, [silences, minute], silenceCard);
  list("outbox", outbox, [outbox, minute], outgoing);
  $('[data-empty="ledger"]').hidden = ledger.length > 0;
  render($('[data-list="ledger"]'), ledger, () => (ledger.length ? [h("ol", { class: "ledger card" }, ledger.map((one) => decision(one, true)))] : []));
  narrow();
  countFiring($("#tab-current .count"), alerts);
  count($("#tab-rules .count"), groups.flatMap((one) => one.rules).filter((one) => one.health === "err").length, "bad");
  count($("#tab-silences .count"), silences.filter((one) => one.state === "active").length);
  count($("#tab-outbox .count"), outbox.filter((one) => one.status !== "delivered").length, "warn");
}, 5000);
