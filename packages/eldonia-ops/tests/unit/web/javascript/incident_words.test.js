import assert from "node:assert/strict";
import test from "node:test";
import { openPage } from "./page.js";

openPage();
const { filled, t } = await import("../lib/i18n.js");
const { changed } = await import("../lib/changes.js");
const { firesWhen, unitOf } = await import("../lib/signal_charts.js");
const { drawBrief, drawSince } = await import("../lib/incident_brief.js");
const { byUrgency, incidentRow } = await import("../lib/incidents.js");

test("one is no plural", () => {
  assert.equal(t("incidents.in_30_days", { n: 1 }), "1 incident in 30 days");
  assert.equal(t("incidents.in_30_days", { n: 0 }), "0 incidents in 30 days");
  assert.equal(t("trial.read", { file: "a.log", count: 1 }), "Last lines of a.log (1 file matches)");
  assert.equal(filled("{n|a|b} {left}", { n: "1" }), "a {left}");
});

test("a change of the configuration says what was changed", () => {
  assert.deepEqual(changed({ kind: "configuration", title: "added oldcert (probes); changed a (b) (logs); 2 more" }), ["added oldcert (Probe)", "changed a (b) (Log file)", "2 more"]);
  assert.deepEqual(changed({ kind: "deploy", title: "added x (probes)" }), ["added x (probes)"]);
});

test("a condition of up or down reads as words, one with a number as a limit", () => {
  for (const query of ["up", 'probe_success{probe="a"}', "redis_up"]) assert.equal(firesWhen({ op: "==", threshold: 0 }, unitOf({ metric: "", query })), "fires when it is down");
  const several = { metric: "(pg|redis)_up", query: '{__name__=~"(pg|redis)_up"}' };
  assert.equal(firesWhen({ op: "==", threshold: 0 }, unitOf(several)), "fires when it is down");
  assert.equal(firesWhen({ op: ">", threshold: 90 }, "percent"), "fires at > 90.0 %");
  assert.equal(firesWhen({ op: "", threshold: null }, "count"), "");
});

test("steps are counted once somebody has begun", () => {
  const incident = { status: "open", severity: "low", title: "T", reference: "INC-1", service: "s", detected_at: 1, checklist: [{ key: "a" }, { key: "b" }] };
  assert.ok(!incidentRow(incident).textContent.includes("steps"));
  incident.checklist[0].done_at = 1;
  assert.ok(incidentRow(incident).textContent.includes("1 of 2 steps"));
});

test("what waits longest and is gravest comes first", () => {
  const now = Date.now();
  const one = (reference, more) => ({ reference, severity: "critical", detected_at: now, respond_by: now + 9e5, acknowledged_at: 0, ...more });
  const all = [one("new"), one("mine", { acknowledged_at: 1 }), one("cause", { detected_at: now - 9e4 }), one("low", { severity: "low", detected_at: 1 }), one("late", { severity: "medium", respond_by: now - 1 })];
  assert.deepEqual(byUrgency(all).map((each) => each.reference), ["late", "cause", "new", "low", "mine"]);
});

test("who is notified next, and since when", () => {
  document.body.innerHTML = '<p id="since"></p><div id="brief-facts"></div><div id="what"></div>';
  const incident = { version: 1, status: "open", service: "s", impact: {}, started_at: 1_000, detected_at: 2_000, resolved_at: 0, reopened_at: 0, acknowledged_at: 0 };
  const brief = { dependents: [], changes: [], runbooks: [], description: "", notified: [], next_tier: "infrastructure", next_receiver: "team", next_tier_at: 5_000 };
  const facts = () => document.querySelector("#brief-facts").textContent;
  drawBrief(incident, brief);
  assert.ok(facts().includes("Next to be notified: team, as infrastructure"));
  drawBrief({ ...incident, version: 2 }, { ...brief, notified: [{ receiver: "team", at: 3_000 }] });
  assert.ok(facts().includes("Next to be notified: team again"));
  const over = { ...incident, status: "resolved", resolved_at: 100_000, reopened_at: 70_000 };
  drawBrief({ ...over, version: 3 }, { ...brief, next_tier: "" });
  assert.ok(facts().includes("It came again"));
  const since = /** @type {any} */ (document.querySelector("#since"));
  drawSince(since, over);
  assert.match(since.textContent, /Lasted 30 s.*reopened; first/);
  drawSince(since, { ...over, recovered_at: 85_000 });
  assert.match(since.textContent, /Lasted 15 s/, "its end was only watched for the rest of the time");
});
