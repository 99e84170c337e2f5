import assert from "node:assert/strict";
import test from "node:test";

const { labelsOf, labelsText, metricEntry, metricSearch, suggestedName, withLabel } = await import("../lib/log_metric_entry.js");
const { ruleSearch, stripPipes } = await import("../lib/search_terms.js");
const named = (search, type = "counter", value = "", unit = "none") => suggestedName({ search, type, value, unit });

test("a name says what is counted, as Prometheus names metrics", () => {
  assert.equal(named('service:checkout level:error "payment failed"'), "checkout_error_payment_failed_records_total");
  assert.equal(named(""), "log_records_total");
  assert.equal(named("-level:debug"), "log_records_total");
  assert.equal(named("service:checkout", "histogram", "performance.duration", "ms"), "checkout_performance_duration_seconds");
  assert.equal(named("", "counter", "size", "KiB"), "size_bytes_total");
  assert.equal(named("", "gauge", "queue.length"), "queue_length");
  assert.equal(named("404"), "logs_404_records_total");
  assert.equal(named("決済"), "log_records_total");
  for (const search of ["a".repeat(500), '"... --- ..."', "service:é"]) assert.match(named(search), /^[a-zA-Z_:][a-zA-Z0-9_:]{0,80}$/);
});

test("labels are written as a list, or with names of their own, and read back", () => {
  assert.deepEqual(labelsOf("service, user.plan"), ["service", "user.plan"]);
  assert.deepEqual(labelsOf("service, how=operation, user.plan"), { service: "service", how: "operation", user_plan: "user.plan" });
  assert.equal(labelsOf(" , "), undefined);
  assert.equal(labelsText({ service: "service", how: "operation" }), "service, how=operation");
  assert.equal(labelsText(["service", "user.plan"]), "service, user.plan");
  assert.equal(labelsText(undefined), "");
  assert.equal(withLabel("service", "level"), "service, level");
  assert.equal(withLabel("service, how=level", "level"), "service");
});

test("the entry has what differs from the defaults, and keeps what the form does not show", () => {
  const form = { name: " a_total ", search: "level:error", type: "counter", value: "", unit: "ms", labels: "", buckets: "1, 2", help: "", max_series: "" };
  assert.deepEqual(metricEntry(form), { name: "a_total", search: "level:error" });
  assert.deepEqual(metricEntry({ ...form, type: "histogram", value: "took", buckets: "0.1 1, x", max_series: "50" }, { labels: ["service"], other: 1 }),
    { name: "a_total", search: "level:error", type: "histogram", value: "took", unit: "ms", buckets: [0.1, 1, "x"], max_series: 50, other: 1 });
});

test("a metric takes no pipes, and a rule needs one that counts", () => {
  assert.equal(stripPipes('level:error "a | b" | stats count() | head 3'), 'level:error "a | b"');
  assert.equal(metricSearch("level:error | top 3 service"), "level:error");
  assert.equal(metricSearch(" /a|b/ "), "/a|b/");
  assert.equal(ruleSearch("level:error"), "level:error | stats count() as records | where records > 0");
  assert.equal(ruleSearch(""), "* | stats count() as records | where records > 0");
  assert.equal(ruleSearch("a | stats count() by service"), "a | stats count() by service");
});
