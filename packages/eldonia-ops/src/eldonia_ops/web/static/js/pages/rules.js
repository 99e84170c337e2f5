import { ApiError, act, get, send } from "../lib/api.js";
import { showHistory } from "../lib/change_history.js";
import { change, entryOf, onConfiguration, readConfiguration } from "../lib/configuration.js";
import { $, $$, badge, can, h, icon, open, render } from "../lib/dom.js";
import { digits, duration, integer, when } from "../lib/format.js";
import { t, word } from "../lib/i18n.js";
import { poll } from "../lib/poll.js";
import { tone } from "../lib/severity.js";
import { spark } from "../lib/spark.js";

const STATES = { firing: "bad", pending: "warn", inactive: "ok" };
const admin = can("administer");
const number = (value) => (value === null || value === undefined ? "–" : digits(value));
// A threshold is shown as it was written.
const plain = (value) => (value === null || value === undefined ? "–" : String(Number(value.toPrecision(8))));
// With the unit in which the rule measures, where its expression says one.
const withUnit = (text, unit) => (unit && text !== "–" ? t(`rule_value.${unit}`, { value: text }) : text);
const summary = (text) => text.replace(/\{\{[^{}]*\}\}/g, "…");
const short = (seconds) => (seconds ? duration(seconds * 1000) : "0 s");
// Written as the file has it.
const written = (seconds) => (seconds % 3600 === 0 && seconds ? `${seconds / 3600}h` : seconds % 60 === 0 && seconds ? `${seconds / 60}m` : `${seconds}s`);

function ruleRow(one) {
  const origin = one.shipped
    ? one.changed ? h("span", { class: "sub" }, one.managed ? t("rules.changed_here") : t("conf.by_hand", { place: `${one.file}:${one.line}` })) : null
    : h("span", { class: "sub" }, one.managed ? t("rules.own") : `${one.file}:${one.line}`);
  const can_switch = admin && one.shipped && one.writable;
  return h("tr", { class: one.enabled ? "" : "off" },
    h("td", {}, badge(word("rule_state", one.state), STATES[one.state] ?? "")),
    h("td", {}, h("span", {}, h("strong", {}, one.name), h("span", { class: "sub" }, summary(one.summary)), origin)),
    h("td", { class: "brief", "data-label": t("rules.severity") }, one.severity ? badge(word("severity", one.severity), tone(one.severity)) : null),
    h("td", { class: "num brief", "data-label": t("rules.now") }, withUnit(number(one.value), one.unit)),
    h("td", { class: "num brief", "data-label": t("rules.threshold") }, h("span", {}, withUnit(plain(one.threshold), one.unit), one.shipped && one.threshold !== one.shipped_threshold ? h("span", { class: "sub" }, t("rules.shipped_as", { value: withUnit(plain(one.shipped_threshold), one.unit) })) : null)),
    h("td", { class: "num brief", "data-label": t("rules.waits") }, h("span", {}, short(one.for_seconds), one.shipped && one.for_seconds !== one.shipped_for ? h("span", { class: "sub" }, t("rules.shipped_as", { value: short(one.shipped_for) })) : null)),
    h("td", {}, h("div", { class: "arrival-tools" },
      can_switch ? h("label", { class: "switch" }, h("input", { type: "checkbox", checked: one.enabled, "aria-label": t("rules.on", { name: one.name }), onchange: ({ target }) => tune(one, { enabled: target.checked }, target) })) : null,
      admin && one.writable ? h("button", { type: "button", onclick: () => (one.shipped ? editShipped(one) : editOwn(one)) }, t("conf.edit")) : null)));
}

// A shipped rule as the managed file has it: what differs from what is shipped, nothing when nothing does.
function tuning(one, wanted) {
  const values = { ...(entryOf("rules.defaults", one.name)?.values ?? {}), name: one.name, ...wanted };
  if (values.enabled === true) delete values.enabled;
  for (const key of ["threshold", "for", "severity"]) if (values[key] === undefined || values[key] === null) delete values[key];
  return Object.keys(values).length > 1 ? values : null;
}
async function tune(one, wanted, control = null) {
  const known = entryOf("rules.defaults", one.name)?.managed ? one.name : "";
  const values = tuning(one, wanted);
  if (!values && !known) return true;
  const done = await act(() => change([{ section: "rules.defaults", name: known, values }], t("rules.saved", { name: one.name })));
  if (!done && control) control.checked = !control.checked;
  cards.now();
  return done;
}

// --- previews ---
function previewView(found, name, unit = "") {
  const now = Date.now();
  return h("div", { class: "rule-preview" },
    h("p", {}, found.fired ? t("rules.would_fire", { count: integer(found.fired), hours: found.hours }) : t("rules.would_not_fire", { hours: found.hours }), found.series ? "" : ` ${t("rules.no_series")}`),
    found.points.length ? spark(found.points, { name, limit: found.threshold, marks: found.firing, from: Math.min(found.points[0][0], now - 3_600_000), to: now, className: "spark rule-plot" }) : null,
    found.highest === null ? null : h("p", { class: "muted small" }, t("rules.since"), " ", when(found.points[0][0]), ". ", t("rules.seen", { low: withUnit(number(found.lowest), unit), high: withUnit(number(found.highest), unit), now: withUnit(number(found.value), unit) })),
    found.firing.length ? h("p", { class: "muted small" }, t("rules.fired_at"), " ", found.firing.slice(-5).flatMap(([at]) => [when(at), " "])) : null);
}
let asked = 0;
async function preview(place, body, name, unit = "") {
  const mine = ++asked;
  place.replaceChildren(h("p", { class: "muted busy" }, t("rules.previewing")));
  try {
    const found = await send("POST", "/configuration/rules/preview", body);
    if (mine === asked) place.replaceChildren(previewView(found, name, unit));
  } catch (error) {
    if (error instanceof ApiError && mine === asked) place.replaceChildren(h("p", { class: "fault" }, error.hint ? `${error.message} (${error.hint})` : error.message));
  }
}
const field = (name, key, attributes = {}, doc = "") => {
  const id = `rule-${key}`;
  const control = h("input", { id, name: key, autocomplete: "off", spellcheck: false, ...attributes });
  control.value = attributes.value ?? "";
  return h("label", { class: `field ${attributes.wide ? "wide" : ""}`, for: id }, h("span", {}, name), control, doc ? h("small", { class: "muted" }, doc) : null);
};
const kindField = (logs) =>
  h("label", { class: "field", for: "rule-kind" }, h("span", {}, t("rules.kind")), h("select", { id: "rule-kind", name: "kind" },
    h("option", { value: "promql", selected: !logs }, t("rules.of_metrics")), h("option", { value: "logs", selected: logs }, t("rules.of_logs"))));
const severityField = (value, any) =>
  h("label", { class: "field", for: "rule-severity" }, h("span", {}, t("rules.severity")), h("select", { id: "rule-severity", name: "severity" },
    ["critical", "warning", "info"].map((one) => h("option", { value: one, selected: one === value }, word("severity", one))), any));

function dialog(title, fields, { onpreview, onsave, tools = [] }) {
  const place = h("div", { "aria-live": "polite" });
  const fault = h("p", { class: "fault", role: "alert", hidden: true });
  const form = h("form", { class: "rule-form", method: "dialog", novalidate: true },
    h("header", {}, h("h2", { id: "rule-title" }, title), h("button", { class: "icon-button", type: "button", "data-close": "", "aria-label": t("shell.close") }, icon("close"))),
    h("div", { class: "entry-fields" }, fields), place, fault,
    h("footer", {}, h("button", { type: "button", onclick: () => onpreview(form, place) }, t("rules.preview")), tools.map((make) => make(() => box.close())), h("span", { class: "grow" }),
      h("button", { type: "button", class: "quiet", "data-close": "" }, t("shell.cancel")), h("button", { class: "primary", type: "submit" }, t("conf.save"))));
  const box = h("dialog", { class: "dialog entry-dialog", "aria-labelledby": "rule-title" }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fault.hidden = true;
    try {
      await onsave(form);
      box.close();
      cards.now();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      fault.hidden = false;
      fault.textContent = error.hint ? `${error.message} (${error.hint})` : error.message;
    }
  });
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  open(box);
  return { form, place };
}

function editShipped(one) {
  const fields = [
    one.threshold === null ? null : field(one.unit ? t("rules.threshold_in", { unit: t(`rule_unit.${one.unit}`) }) : t("rules.threshold"), "threshold", { value: String(one.threshold), inputmode: "decimal" }, t("rules.shipped_as", { value: withUnit(plain(one.shipped_threshold), one.unit) })),
    field(t("rules.waits"), "for", { value: written(one.for_seconds) }, t("rules.shipped_as", { value: written(one.shipped_for) })),
    severityField(one.severity),
    h("div", { class: "wide" }, h("details", {}, h("summary", { class: "muted" }, t("rules.expression")), h("code", {}, one.expr))),
  ];
  const wanted = (form) => ({
    threshold: form.elements.threshold && Number(form.elements.threshold.value) !== one.shipped_threshold ? Number(form.elements.threshold.value) : undefined,
    for: form.elements.for.value.trim() === written(one.shipped_for) ? undefined : form.elements.for.value.trim(),
    severity: form.elements.severity.value === one.shipped_severity ? undefined : form.elements.severity.value,
  });
  const ask = (form, place) => preview(place, { name: one.name, threshold: form.elements.threshold ? Number(form.elements.threshold.value) : null, duration: form.elements.for.value.trim() }, one.name, one.unit);
  const reset = entryOf("rules.defaults", one.name)?.managed
    ? [(close) => h("button", { type: "button", class: "quiet", onclick: async () => { await act(() => change([{ section: "rules.defaults", name: one.name, values: null }], t("rules.was_reset", { name: one.name }))); close(); cards.now(); } }, t("rules.reset"))]
    : [];
  const { form, place } = dialog(one.name, fields, {
    onpreview: ask,
    tools: reset,
    onsave: async (form) => {
      const values = tuning(one, wanted(form));
      const known = entryOf("rules.defaults", one.name)?.managed ? one.name : "";
      if (values || known) await change([{ section: "rules.defaults", name: known, values }], t("rules.saved", { name: one.name }));
    },
  });
  form.addEventListener("change", () => ask(form, place));
  ask(form, place);
}

/** @param {any} [one] the rule, nothing for a new one @param {Record<string, any>} [given] what a new one begins with */
function editOwn(one = null, given = {}) {
  const values = one ? entryOf("rules.alerts", one.name)?.values ?? {} : given;
  const texts = values.annotations ?? {};
  const marks = values.labels ?? {};
  const fields = [
    field(t("rules.name"), "alert", { value: values.alert, required: true, maxlength: 200, placeholder: "QueueTooLong" }),
    severityField(marks.severity ?? "warning"),
    kindField(Boolean(values.logs)),
    field(t("rules.promql"), "expr", { value: values.logs ?? values.expr, required: true, maxlength: 20000, wide: true, placeholder: "max by (queue) (queue_length) > 100" }, t("rules.promql_hint")),
    field(t("rules.range"), "range", { value: values.range ?? "5m", maxlength: 40 }, t("rules.range_hint")),
    field(t("rules.waits"), "for", { value: values.for ?? "5m", maxlength: 40 }, t("rules.waits_hint")),
    field(t("conf.team"), "team", { value: marks.team, maxlength: 200 }),
    field(t("rules.summary"), "summary", { value: texts.summary, maxlength: 2000, wide: true, placeholder: t("rules.summary_example") }, t("rules.summary_hint")),
    field(t("rules.runbook"), "runbook_url", { value: texts.runbook_url, maxlength: 2000, wide: true, placeholder: "https://" }),
  ];
  const text = (form, name) => form.elements[name].value.trim();
  const remove = one ? [(close) => h("button", { type: "button", class: "quiet", onclick: async () => { await act(() => change([{ section: "rules.alerts", name: one.name, values: null }], t("conf.removed", { name: one.name }))); close(); cards.now(); } }, t("conf.remove"))] : [];
  const asked = (form) => (form.elements.kind.value === "logs" ? { logs: text(form, "expr"), range: text(form, "range") } : { expr: text(form, "expr") });
  const { form } = dialog(one ? one.name : t("rules.new"), fields, {
    onpreview: (form, place) => preview(place, { ...asked(form), duration: text(form, "for") }, text(form, "alert")),
    tools: remove,
    onsave: async (form) => {
      const filled = (pairs) => Object.fromEntries(Object.entries(pairs).filter(([, value]) => value));
      const now = filled({
        ...values, expr: "", logs: "", range: "", ...asked(form), alert: text(form, "alert"), for: text(form, "for"),
        labels: filled({ ...marks, severity: form.elements.severity.value, team: text(form, "team") }),
        annotations: filled({ ...texts, summary: text(form, "summary"), runbook_url: text(form, "runbook_url") }),
      });
      await change([{ section: "rules.alerts", name: one?.name ?? "", values: now }], t("rules.saved", { name: now.alert }));
    },
  });
  // What the expression is decides what it looks like, and whether there is a time that it looks at.
  const show = () => {
    const logs = form.elements.kind.value === "logs";
    form.elements.range.closest("label").hidden = !logs;
    const expression = form.elements.expr.closest("label");
    expression.firstElementChild.textContent = t(logs ? "rules.logs" : "rules.promql");
    expression.lastElementChild.textContent = t(logs ? "rules.logs_hint" : "rules.promql_hint");
    form.elements.expr.placeholder = logs ? "level:error | stats count() as errors by service | where errors > 20" : "max by (queue) (queue_length) > 100";
  };
  form.elements.kind.addEventListener("change", show);
  show();
  if (given.logs) $("footer button", form).click();
}

const search = $("#search");
function narrow() {
  const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of $$("#rules tr")) row.hidden = !words.every((one) => row.textContent.toLowerCase().includes(one));
}
search.addEventListener("input", narrow);
$("#filters").addEventListener("submit", (event) => event.preventDefault());

const cards = poll(async () => {
  const found = await get("/configuration/rules");
  const order = { firing: 0, pending: 1 };
  found.sort((a, b) => (order[a.state] ?? 2) - (order[b.state] ?? 2));
  $("#rules-sum").textContent = t("rules.sum", { all: integer(found.length), firing: integer(found.filter((one) => one.state === "firing").length), off: integer(found.filter((one) => !one.enabled).length) });
  render($("#rules"), found, () => found.map(ruleRow));
  narrow();
}, 10_000);

if (admin) {
  onConfiguration((view) => {
    $("#rule-new").disabled = !view.enabled;
    showHistory($("#history"), { ...view, changes: view.changes.filter((one) => one.steps.some((step) => step.section.startsWith("rules."))) });
    cards.now();
  });
  await readConfiguration();
  $("#rule-new").addEventListener("click", () => editOwn());
  if (location.hash === "#new") {
    const logs = new URLSearchParams(location.search).get("logs");
    editOwn(null, logs ? { logs, range: "5m", for: "0s" } : {});
  }
}
