import { ApiError, act, address, get, getTagged, getText, replacing, send, sendText } from "../lib/api.js";
import { $, badge, can, h, icon, open, render, toast } from "../lib/dom.js";
import { countdown, dayOf, duration, integer, timeOfDay, when } from "../lib/format.js";
import { language, t } from "../lib/i18n.js";
import { drawBrief, drawNext, drawSince } from "../lib/incident_brief.js";
import { completeMentions, people, withMentions } from "../lib/mentions.js";
import { poll } from "../lib/poll.js";
import { term } from "../lib/search_terms.js";
import { tone } from "../lib/severity.js";
import { signalCharts } from "../lib/signal_charts.js";
import { dayKey } from "../lib/zone.js";

const path = `/incidents/${encodeURIComponent($("#incident").dataset.incident)}`;
const ICONS = { alert: "alert", notify: "notify", recovery: "recovery", human: "person", system: "system", security: "security" };
const STATUSES = ["open", "investigating", "escalated", "resolved", "closed"];
const hidden = new Set();
let incident = null;
let timeline = [];
let runbook = [];
let brief = null;
let names = new Set(); // that can be mentioned
people().then((found) => {
  names = new Set(found.map((one) => one.name));
  $("#people").replaceChildren(...found.map((one) => h("option", { value: one.display_name })));
});
let logging = null; // the services that log, once known

// --- timeline ---
// PromQL is folded: what it means is in the sentence.
const expressionOf = ({ kind, data }) => (kind === "alert.pending" && (data.expression ?? data.logs) ? h("details", { class: "expression-fold" }, h("summary", {}, t("incident.expression")), h("code", { class: "expression" }, data.expression ?? data.logs)) : null);
function drawTimeline() {
  const categories = [...new Set(timeline.map((entry) => entry.category))];
  render($("#categories"), categories, () =>
    categories.length < 2 ? [] : categories.map((name) =>
      h("label", { class: "chip" }, h("input", { type: "checkbox", checked: !hidden.has(name), onchange: (event) => { if (event.target.checked) hidden.delete(name); else hidden.add(name); drawTimeline(); } }), h("span", {}, t(`category.${name}`)))));
  const shown = timeline.filter((entry) => !hidden.has(entry.category));
  const several = new Set(timeline.map((entry) => dayKey(entry.at))).size > 1;
  render($("#timeline"), [shown, several, [...names]], () => {
    let day = "";
    return shown.map((entry) => {
      const today = dayOf(entry.at);
      const heading = several && today !== day ? h("span", { class: "day" }, today) : null;
      day = today;
      return h("li", {}, heading, when(entry.at, timeOfDay(entry.at)), h("span", { class: `node ${entry.category}`, title: t(`category.${entry.category}`) }, icon(ICONS[entry.category] ?? "system")), h("div", {}, h("p", {}, entry.kind === "human.note" ? withMentions(entry.text, names, $("#assign-me").dataset.login) : entry.text), expressionOf(entry)));
    });
  });
}

// --- runbook ---
function step(one) {
  const box = h("input", { type: "checkbox", checked: Boolean(one.done_at), disabled: !can("respond") || incident.status === "closed" });
  box.addEventListener("change", async () => {
    if (!(await act(() => send("POST", `${path}/checklist`, { key: one.key, done: box.checked })))) box.checked = !box.checked;
    page.now();
  });
  return h("label", { class: "step" }, box, h("span", { class: "step-text" }, one.text),
    one.hint ? h("span", { class: "hint" }, one.hint) : null,
    one.done_at ? h("span", { class: "done-by" }, one.done_by, " · ", when(one.done_at, timeOfDay(one.done_at))) : null);
}
// What belongs to this alert or service is in sight; the general procedure is one line that a click opens.
function drawRunbook() {
  const own = runbook.filter((one) => brief.steps.includes(one.key));
  const general = runbook.filter((one) => !brief.steps.includes(one.key));
  const done = (steps) => steps.filter((one) => one.done_at).length;
  $("#progress").hidden = !own.length;
  $("#progress").max = Math.max(1, own.length);
  $("#progress").value = done(own);
  $("#progress-text").textContent = own.length ? `${done(own)}/${own.length}` : "";
  render($("#runbook"), [own, brief.runbooks, incident.status], () => [
    ...brief.runbooks.map((url) => h("p", {}, h("a", { href: url, rel: "noreferrer noopener", target: "_blank" }, t("incident.rule_runbook")))),
    ...own.map(step),
  ]);
  $("#general-text").textContent = t("incident.general_steps", { done: done(general), all: general.length });
  $("#general-fold").hidden = !general.length;
  const phases = [...new Set(general.map((one) => one.phase))];
  render($("#general"), [general, incident.status], () =>
    phases.map((phase) => {
      const steps = general.filter((one) => one.phase === phase);
      return h("div", { class: "phase" }, h("h3", {}, steps[0].phase_title), steps.map(step));
    }));
}

// --- head, facts, findings ---
const ended = () => ["resolved", "closed"].includes(incident.status);
function drawCountdown() {
  const box = $("#countdown");
  if (!incident) return;
  if (incident.acknowledged_at && incident.respond_by) {
    const met = incident.acknowledged_at <= incident.respond_by;
    box.className = `countdown ${met ? "met" : "late"}`;
    box.replaceChildren(t(met ? "incident.target_met" : "incident.target_missed"), " ", h("b", {}, duration(incident.acknowledged_at - (incident.reopened_at || incident.detected_at))));
  } else if (!incident.respond_by || ended()) {
    box.className = "countdown";
    box.replaceChildren(t(ended() ? "incident.over" : "incident.no_target"));
  } else {
    const left = incident.respond_by - Date.now();
    box.className = `countdown ${left < 0 ? "late" : left < 300_000 ? "soon" : ""}`;
    box.replaceChildren(t(left < 0 ? "incident.overdue" : "incident.respond_in"), " ", h("b", {}, countdown(Math.abs(left))), ` (${timeOfDay(incident.respond_by)})`);
  }
}
function drawHead() {
  $("#title").textContent = incident.title;
  document.title = `${incident.reference} ${incident.title} · Eldonia Ops`;
  render($("#badges"), [incident.severity, incident.status], () => [badge(t(`severity.${incident.severity}`), tone(incident.severity)), badge(t(`status.${incident.status}`), tone(incident.status))]);
  $("#actions").hidden = false;
  if (can("respond")) {
    render($("#status"), incident.status, () => STATUSES.map((one) => h("option", { value: one, selected: one === incident.status }, t(`status.${one}`))));
  }
  drawCountdown();
  drawSince($("#since"), incident);
  const span = (from, to) => (from && to ? duration(to - from) : "–");
  const facts = [
    [t("incident.service"), incident.service], [t("incident.assignee"), incident.assigned_to || "–"],
    [t("incident.started"), incident.started_at ? when(incident.started_at) : "–"], [t("incident.detected"), when(incident.detected_at || incident.created_at)],
    [t("incident.acknowledged"), incident.acknowledged_at ? when(incident.acknowledged_at) : "–"], [t("incident.resolved"), incident.resolved_at ? when(incident.resolved_at) : "–"],
    ...(incident.resolved_at && incident.recovered_at ? [[t("incident.over_at"), when(incident.recovered_at)]] : []),
    [h("abbr", { title: t("incidents.mttd") }, "TTD"), span(incident.started_at, incident.detected_at)],
    [h("abbr", { title: t("incidents.mtta") }, "TTA"), span(incident.reopened_at || incident.detected_at, incident.acknowledged_at)],
    [h("abbr", { title: t("incidents.mttr") }, "TTR"), span(incident.detected_at, incident.resolved_at && (incident.recovered_at || incident.resolved_at))],
    [t("incident.escalation"), incident.escalation_level ? t("incident.level", { n: incident.escalation_level }) : incident.escalate_at && !incident.acknowledged_at ? when(incident.escalate_at) : "–"],
  ];
  render($("#facts"), incident, () => facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  const impact = [incident.impact.users ? t("incident.users_n", { n: integer(incident.impact.users) }) : "", incident.impact.revenue ? t("incident.revenue_n", { n: integer(incident.impact.revenue) }) : "", incident.impact.reputation].filter(Boolean).join("\n");
  render($("#findings"), incident, () => [["incident.description", incident.description], ["incident.root_cause", incident.root_cause], ["incident.resolution", incident.resolution], ["incident.lessons", incident.lessons_learned], ["incident.impact", impact]].map(([key, value]) => h("div", {}, h("dt", {}, t(key)), h("dd", {}, value))));
}

// --- the signals ---
const SIGNALS_EVERY = 12_000;
const charts = signalCharts($("#signals"));
let charted = { of: "", at: 0 };
// While it goes on the charts grow; those of an incident that is over are read once.
async function drawSignals() {
  const of = `${incident.fingerprints.join()} ${incident.resolved_at}`;
  const growing = !incident.resolved_at || Date.now() - incident.resolved_at < 3_600_000;
  if (charted.of === of && (!growing || Date.now() - charted.at < SIGNALS_EVERY)) return;
  const found = await get(`${path}/signals`);
  charted = { of, at: Date.now() };
  $("#signals").hidden = !found.length;
  if (found.length) charts(found);
}

// --- alerts, and where else to look ---
const MARGIN = 5 * 60_000;
function drawAlerts() {
  const names = new Map();
  const summaries = new Map();
  for (const { data } of timeline) if (data.fingerprint && data.alertname) {
    names.set(data.fingerprint, data.alertname);
    if (data.summary) summaries.set(data.fingerprint, data.summary);
  }
  $("#firing").textContent = t("incident.firing", { n: incident.firing.length, all: incident.fingerprints.length });
  render($("#alerts"), [incident.fingerprints, incident.firing, [...names], [...summaries]], () =>
    incident.fingerprints.map((one) => {
      const firing = incident.firing.includes(one);
      return h("li", {}, h("span", {}, names.get(one) ?? one, summaries.has(one) && incident.fingerprints.length > 1 ? h("span", { class: "sub" }, summaries.get(one)) : null), badge(t(firing ? "alert_state.firing" : "alert_state.resolved"), firing ? "bad" : "ok"), h("a", { href: `/alerts?why=${one}` }, t("alerts.why")));
    }));
}
async function drawLooks() {
  const from = (incident.started_at || incident.detected_at || incident.created_at) - MARGIN;
  const to = (incident.resolved_at || Date.now()) + MARGIN;
  const period = { from: Math.round(from), to: Math.round(to) };
  logging ??= await get("/logs/services", { since: period.from, until: period.to }).catch(() => []);
  const link = (element, page, wanted) => {
    element.href = `${page}?${new URLSearchParams(wanted)}`;
    element.hidden = false;
  };
  // An alert's service may be the one that fails, which need not be one that logs here.
  const service = logging.includes(incident.service) ? `${term("service", incident.service)} ` : "";
  link($("#look-logs"), "/logs", { query: `${service}level>=warn`, ...period });
  link($("#look-new"), "/logs/patterns", { incident: `INC-${incident.ordinal}`, ...(service ? { query: service.trim() } : {}) });
  link($("#look-traces"), "/traces", { errors: "true", ...period });
}

// --- postmortem ---
let written = { text: "", tag: "" };
let drawn = "";
async function drawPostmortem() {
  const state = `${incident.version} ${timeline.length}`;
  if (state === drawn) return;
  const found = await getTagged(`${path}/postmortem`);
  if (!drawn) $("#postmortem-fold").open = Boolean(found.tag) || ended();
  const same = found.text === written.text;
  drawn = state;
  written = found;
  $("#pm-state").textContent = `${t(found.tag ? "incident.pm_saved" : "incident.pm_draft")} · ${t("incident.pm_zone")}`;
  // The server renders without raw HTML, and the policy of this page forbids inline script besides.
  if (!same) $("#pm-view").innerHTML = await (await sendText("POST", "/markdown", found.text)).text();
}
$("#pm-download").href = address(`${path}/postmortem`, { download: "true", lang: language });
$("#pm-download").setAttribute("download", "");
function editing(on) {
  $("#pm-form").hidden = !on;
  if (on) $("#postmortem-fold").open = true;
  $("#pm-view").hidden = on;
  $("#pm-edit").hidden = on;
  conflict(null);
}
// What another person has saved meanwhile is shown under the writer's text; saving again replaces just that.
let base = ""; // the tag of what the writer's text is to replace
function conflict(stored) {
  $("#pm-conflict").hidden = !stored;
  $("#pm-stored").textContent = stored?.text ?? "";
  $("#pm-save").textContent = t(stored ? "incident.pm_replace" : "incident.save");
  if (stored) base = stored.tag;
}
$("#pm-edit")?.addEventListener("click", () => {
  base = written.tag;
  $("#pm-text").value = written.text;
  editing(true);
  $("#pm-text").focus();
});
// What a click throws away can be brought back.
function undoable(said, text) {
  const tag = base;
  const back = () => {
    editing(true);
    base = tag;
    $("#pm-text").value = text;
    $("#pm-text").focus();
  };
  toast(t(said), { undo: [t("incident.undo"), back] });
}
$("#pm-cancel").addEventListener("click", () => {
  const text = $("#pm-text").value;
  editing(false);
  $("#pm-edit").focus();
  if (text !== written.text) undoable("incident.pm_discarded", text);
});
$("#pm-draft").addEventListener("click", () => act(async () => {
  const fresh = await getText(`${path}/postmortem/draft`);
  const text = $("#pm-text").value;
  $("#pm-text").value = fresh;
  if (text !== fresh) undoable("incident.pm_redrafted", text);
}));
async function save() {
  try {
    await sendText("PUT", `${path}/postmortem`, $("#pm-text").value, replacing(base));
  } catch (error) {
    if (error.status !== 412) throw error;
    conflict(await getTagged(`${path}/postmortem`));
    return;
  }
  editing(false);
  toast(t("incident.saved"));
  page.now();
}
$("#pm-form").addEventListener("submit", (event) => {
  event.preventDefault();
  act(save);
});
addEventListener("beforeunload", (event) => {
  if (!$("#pm-form").hidden && $("#pm-text").value !== written.text) event.preventDefault();
});

// --- acts ---
function askStatus() {
  $("#status-form").reset();
  $("#status-lead").textContent = t("incident.status_lead", { from: t(`status.${incident.status}`), to: t(`status.${$("#status").value}`) });
  const firing = ["resolved", "closed"].includes($("#status").value) ? incident.firing.length : 0;
  Object.assign($("#status-firing"), { hidden: !firing, textContent: t("incident.still_firing", { n: integer(firing) }) });
  open($("#status-dialog"));
}
function assign() {
  $("#assign-form").elements.to.value = incident.assigned_to || $("#assign-me").dataset.me;
  open($("#assign-dialog"));
}
async function next(action, key) {
  if (action === "acknowledge") await act(() => send("POST", `${path}/acknowledge`), t("incident.acknowledged_toast"));
  else if (action === "step") await act(() => send("POST", `${path}/checklist`, { key, done: true }));
  else if (action === "assign") assign();
  else if (action === "postmortem") {
    $("#pm-edit").click();
    $("#postmortem-card").scrollIntoView({ block: "start" });
  } else {
    $("#status").value = action === "close" ? "closed" : "resolved";
    askStatus();
  }
  page.now();
}
if (can("respond")) {
  $("#assign").addEventListener("click", assign);
  $("#assign-me").addEventListener("click", (event) => {
    $("#assign-form").elements.to.value = event.currentTarget.dataset.me;
  });
  $("#assign-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await act(() => send("POST", `${path}/assign`, { to: event.target.elements.to.value.trim() }))) $("#assign-dialog").close();
    page.now();
  });
  $("#status").addEventListener("change", askStatus);
  $("#status-dialog").addEventListener("close", () => { $("#status").value = incident.status; });
  $("#status-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const status = $("#status").value;
    const note = event.target.elements.note.value.trim();
    if (!(await act(() => send("POST", `${path}/status`, { status, note })))) return;
    await page.now();
    $("#status-dialog").close();
  });
  completeMentions($("#note-form input"), $("#mention-list"));
  $("#note-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    // Emptied by a reset: by hand it would be marked as missing what was just sent.
    if (await act(() => send("POST", `${path}/notes`, { text: form.elements.text.value.trim() }))) form.reset();
    page.now();
  });
  $("#describe-edit").addEventListener("click", () => {
    const fields = $("#describe-form").elements;
    for (const name of ["title", "severity", "root_cause", "resolution", "lessons_learned"]) fields[name].value = incident[name];
    for (const name of ["users", "revenue", "reputation"]) fields[name].value = incident.impact[name] || "";
    $("#describe-form .fault").hidden = true;
    open($("#describe-dialog"));
  });
  $("#describe-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = event.target.elements;
    const changed = {};
    for (const name of ["title", "severity", "root_cause", "resolution", "lessons_learned"]) if (fields[name].value !== incident[name]) changed[name] = fields[name].value;
    const impact = { users: Number(fields.users.value || 0), revenue: Number(fields.revenue.value || 0), reputation: fields.reputation.value };
    if (JSON.stringify(impact) !== JSON.stringify(incident.impact)) changed.impact = impact;
    try {
      if (Object.keys(changed).length) await send("PATCH", path, changed);
      $("#describe-dialog").close();
      page.now();
    } catch (error) {
      if (error instanceof ApiError) Object.assign($("#describe-form .fault"), { textContent: error.message, hidden: false });
    }
  });
}

const page = poll(async () => {
  let found;
  try {
    [found, runbook, brief] = await Promise.all([get(path), get(`${path}/runbook`), get(`${path}/brief`)]);
  } catch (error) {
    $("#incident").hidden = error.status === 404;
    $("#unknown").hidden = error.status !== 404;
    throw error;
  }
  ({ incident, timeline } = found);
  drawHead();
  drawBrief(incident, brief);
  drawNext(brief, runbook, next);
  drawTimeline();
  drawRunbook();
  drawAlerts();
  await drawSignals();
  await drawLooks();
  await drawPostmortem();
}, 4000);
setInterval(() => {
  if (document.hidden || !incident) return;
  drawCountdown();
  drawSince($("#since"), incident);
}, 1000);
