import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage } from "./page.js";

const window = openPage({ url: "http://localhost:9600/explore" });
Object.defineProperty(globalThis, "localStorage", { value: window.localStorage, configurable: true });
globalThis.matchMedia = /** @type {any} */ (() => ({ matches: false, addEventListener() {} }));
globalThis.ResizeObserver = /** @type {any} */ (class { observe() {} });

const { exploreLink, pane, readState, writeState } = await import("../lib/explore_state.js");
const build = await import("../lib/promql_build.js");
const { labelCounts, matching } = await import("../lib/metric_browser.js");
const { stacked, statistics, valueBounds } = await import("../lib/series_chart.js");
const { filled, seriesOf } = await import("../lib/metrics_pane.js");
const { sorted } = await import("../lib/result_table.js");
const { reasonText } = await import("../lib/empty_reasons.js");
const { forget, history, remember, star } = await import("../lib/query_history.js");
const { byLabel, red, windowOf } = await import("../lib/red_queries.js");
const { durationCounts, durationFilter, shade } = await import("../lib/trace_chart.js");
const { sparkPath } = await import("../lib/sparkline.js");

test("what is shown comes back out of its address, and the default is an empty one", () => {
  const params = new URLSearchParams();
  writeState(params, { panes: [pane()], linked: true });
  assert.equal(String(params), "");
  const panes = [
    pane({ metrics: { queries: ["up", { expr: 'rate(a{b="c"}[5m])', hidden: true }], instant: true, step: "30s", log: true } }),
    pane({ kind: "logs", logs: { query: "level:error", columns: ["user_id"] }, own: { from: 1, to: 5 } }),
  ];
  writeState(params, { panes, linked: false });
  assert.deepEqual(readState(new URLSearchParams(String(params))), { panes, linked: false });
  assert.ok(!params.get("panes").includes("stack"), "what is as usual is left out");
});

test("an address that was cut, or written by hand, shows what is left of it", () => {
  for (const text of ["[{", "3", "null", '[{"kind":"x","metrics":{"queries":[7,null]}}]', '["a","b","c"]']) {
    const { panes } = readState(new URLSearchParams({ panes: text }));
    assert.equal(panes[0].kind, "metrics");
    assert.ok(panes.length <= 2);
    assert.ok(panes[0].metrics.queries.every((one) => typeof one.expr === "string"));
  }
});

test("an address holds no more than the server takes", () => {
  const params = new URLSearchParams({ panes: "old" });
  writeState(params, { panes: [pane({ metrics: { queries: ["a".repeat(15_000), "b".repeat(15_000)] } })], linked: true });
  assert.equal(params.has("panes"), false);
});

test("links of other pages name queries, logs or traces", () => {
  const link = new URL(exploreLink(["up", "a + b"], [1000.4, 2000]), "http://x");
  assert.equal(link.searchParams.get("from"), "1000");
  assert.deepEqual(readState(link.searchParams).panes[0].metrics.queries.map((one) => one.expr), ["up", "a + b"]);
  assert.equal(readState(new URLSearchParams("logs=level:error")).panes[0].logs.query, "level:error");
  assert.equal(readState(new URLSearchParams("traces=&service=shop")).panes[0].traces.service, "shop");
});

test("steps are round, and read as people write them", () => {
  assert.equal(build.autoStep([0, 3_600_000], 240), 15);
  assert.equal(build.autoStep([0, 300_000], 240), 2);
  assert.equal(build.autoStep([0, 86_400_000 * 400], 240) % 86_400, 0);
  assert.deepEqual(["15s", "1m30s", "0.5", "500ms", "x", "", "-1", "1s1"].map(build.stepSeconds), [15, 90, 0.5, 0.5, null, null, null, null]);
});

test("selectors quote what has to be quoted", () => {
  assert.equal(build.selector("up", [{ name: "job", value: 'a"b\\c' }]), 'up{job="a\\"b\\\\c"}');
  assert.equal(build.selector("http.server.duration", [{ name: "k8s.pod", op: "=~", value: "x" }]), '{"http.server.duration","k8s.pod"=~"x"}');
  assert.equal(build.fullName({ __name__: "up", job: "a" }), 'up{job="a"}');
});

test("names of metrics are found in a query, and nothing else", () => {
  assert.deepEqual(build.metricNames('sum by (job) (rate(a_total{b="c_d",e=~"f"}[5m] offset 1h)) / on (g) group_left (i) k > bool 3 # l'), ["a_total", "k"]);
  assert.deepEqual(build.metricNames("histogram_quantile(0.9, sum without (x) (rate(h_bucket[$__interval])))"), ["h_bucket"]);
  assert.deepEqual(build.metricNames("1e3 + inf"), []);
});

test("units follow metadata, names and functions", () => {
  const about = (name) => ({ mem: { type: "gauge", unit: "bytes" } })[name] ?? null;
  const unit = (query) => build.unitOf(query, about);
  assert.equal(unit("mem"), "bytes");
  assert.equal(unit("rate(net_bytes_total[5m])"), "bytes_per_second");
  assert.equal(unit("rate(http_requests_total[5m])"), "per_second");
  assert.equal(unit("histogram_quantile(0.9, sum by (le) (rate(h_seconds_bucket[5m])))"), "seconds");
  assert.equal(unit("rate(h_seconds_bucket[5m])"), "per_second");
  assert.equal(unit("a_seconds / b_seconds"), "count");
  assert.equal(unit("100 * mem"), "count", "what it is multiplied by may be a unit");
  assert.equal(unit("count(mem)"), "count");
});

test("operations suit the type of a metric", () => {
  const made = (type) => Object.fromEntries(build.operations(type).map(({ key, make }) => [key, make("m_bucket")]));
  assert.match(made("bucket").p95, /^histogram_quantile\(0.95, sum by \(le\)/);
  assert.equal(made("bucket").mean, "sum(rate(m_sum[5m])) / sum(rate(m_count[5m]))");
  assert.ok("rate" in made("counter") && !("rate" in made("gauge")));
  assert.equal(build.typeOf("x_bucket", { type: "counter" }), "bucket");
  assert.equal(build.typeOf("x_total", null), "counter");
});

test("a legend says what tells series apart", () => {
  assert.deepEqual(build.seriesNames([{ __name__: "up", job: "a", env: "p" }, { __name__: "up", job: "b", env: "p" }]), ['{job="a"}', '{job="b"}']);
  assert.deepEqual(build.seriesNames([{ __name__: "up", job: "a" }]), ['{job="a"}']);
  assert.deepEqual(build.seriesNames([{}]), [""]);
});

test("a table of values is CSV that a spreadsheet takes for values alone", () => {
  const rows = build.csvRows([
    { query: "up", labels: { job: '=HYPERLINK("x")', note: 'a,"b"' }, points: [[0, 1], [1000, 2]] },
    { query: "-a", labels: { job: "b" }, points: [[1000, -3]] },
  ]);
  const text = build.csv(rows);
  assert.equal(text.split("\r\n")[0], "query,job,note,1970-01-01T00:00:00.000Z,1970-01-01T00:00:01.000Z");
  assert.match(text, /"'=HYPERLINK\(""x""\)","a,""b""",1,2/);
  assert.match(text, /'-a,b,,,-3/, "numbers stay numbers");
});

test("metrics are found by all words, names that begin with it first", () => {
  assert.deepEqual(matching(["node_cpu_seconds", "cpu_node", "cpu"], "cpu"), ["cpu", "cpu_node", "node_cpu_seconds"]);
  assert.deepEqual(matching(["http_server_duration_seconds_bucket", "http_x"], "http duration"), ["http_server_duration_seconds_bucket"]);
  assert.deepEqual(labelCounts([{ __name__: "a", job: "x" }, { __name__: "a", job: "x", b: "" }, { job: "y" }]).find((one) => one.name === "job").values, [{ value: "x", count: 2 }, { value: "y", count: 1 }]);
});

test("a chart stacks what is there, and its axis fits", () => {
  assert.deepEqual(stacked([[1, null, null], [2, 3, null]]), [[1, 0, null], [3, 3, null]]);
  assert.deepEqual(statistics([[0, 1], [1, null], [2, 4]]), { min: 1, max: 4, avg: 2.5, last: 4 });
  assert.equal(statistics([[0, null]]).last, null);
  assert.equal(valueBounds([[1, 5]], false)[0], 0);
  assert.ok(valueBounds([[1000, 1010]], false)[0] > 990, "values far from zero fill the height");
  assert.deepEqual(valueBounds([[0, 3, 250]], true), [1, 1000]);
  assert.deepEqual(valueBounds([[null]], false), [0, 1]);
});

test("missing steps are gaps", () => {
  assert.deepEqual(filled([[2000, 5]], [1000, 3000], 1), [[1000, null], [2000, 5], [3000, null]]);
  assert.deepEqual(seriesOf({ type: "matrix", series: [{ labels: {}, points: [[1, "NaN"], [2, 3]] }] }, 0)[0].points, [[1, null], [2, 3]]);
  assert.deepEqual(seriesOf({ type: "vector", series: [{ labels: {}, points: [[1, "NaN"]] }] }, 0)[0].points, [[1, "NaN"]]);
});

test("tables sort numbers by size, and what is missing last in both directions", () => {
  const rows = [{ v: 10 }, { v: null }, { v: 9 }];
  assert.deepEqual(sorted(rows, (one) => one.v, false).map((one) => one.v), [9, 10, null]);
  assert.deepEqual(sorted(rows, (one) => one.v, true).map((one) => one.v), [10, 9, null]);
  assert.deepEqual(sorted(["n10", "n9"], (one) => one, false), ["n9", "n10"]);
});

test("reasons are sentences", () => {
  assert.equal(reasonText({ code: "unknown_metric", values: { metric: "x" } }), "There is no metric x.");
  const pairs = reasonText({ code: "no_pairs", values: { operator: "/", only_left: "pod", only_right: "", different: "env" } });
  assert.match(pairs, /\/.*Only the left has pod\. The values of env differ\./);
  assert.match(reasonText({ code: "two_samples", values: { function: "rate", window: "30s", interval: "" } }), /window of 30s\.$/);
});

test("queries are remembered once, stars stay", () => {
  remember("up", 1);
  remember("a", 2);
  remember(" up ", 3);
  remember("", 4);
  assert.deepEqual(history().map((one) => one.query), ["up", "a"]);
  star("a");
  forget();
  assert.deepEqual(history().map((one) => one.query), ["a"]);
  for (let at = 10; at < 140; at += 1) remember(`q${at}`, at);
  assert.ok(history().length <= 101 && history().some((one) => one.query === "a"), "a star outlives the bound");
  forget("a");
  assert.ok(!history().some((one) => one.query === "a"));
  localStorage.setItem("eldonia_ops_query_history", "{");
  assert.deepEqual(history(), []);
});

test("queries of a service ask what it served", () => {
  const { rate, errors, quantile } = red({ service: 'a"b', operation: "GET /", by: ["span_name"], window: "60s" });
  assert.equal(rate, 'sum by (span_name) (rate(traces_span_metrics_calls_total{service_name="a\\"b",span_name="GET /",span_kind!~"SPAN_KIND_CLIENT|SPAN_KIND_PRODUCER"}[60s]))');
  assert.match(errors, /status_code="STATUS_CODE_ERROR"/);
  assert.match(quantile(0.95), /by \(span_name, le\)/);
  assert.equal(windowOf(5000), "60s");
  assert.deepEqual([...byLabel({ series: [{ labels: { a: "x" }, points: [[0, 1]] }, { labels: {}, points: [[0, "NaN"]] }] }, "a")], [["x", 1]]);
});

test("a spread of traces becomes bars and filters", () => {
  assert.deepEqual(durationCounts({ durations: [1, 2, 4], cells: [{ duration: 0, count: 2, errors: 0 }, { duration: 1, count: 1, errors: 1 }, { duration: 0, count: 3, errors: 1 }] }), [{ count: 5, errors: 1 }, { count: 1, errors: 1 }]);
  assert.deepEqual([0, 0.0631, 63.0957, 25_118.9].map(durationFilter), ["", "63us", "63.1ms", "25.12s"]);
  assert.equal(shade(1, 1), 1);
  assert.ok(shade(1, 100) < shade(10, 100));
  assert.equal(sparkPath([1, null, 2], 10, 10), "M0.0 5.0M10.0 2.0");
});

test("what programs measure of themselves comes behind what they serve", async () => {
  const { matching } = await import("../lib/metric_browser.js");
  const { suggestions } = await import("../lib/dashboards/suggestions.js");
  const names = ["ALERTS", "go_gc_total", "nginx_requests_total", "process_cpu_seconds_total"];
  assert.deepEqual(matching(names, ""), ["nginx_requests_total", "ALERTS", "go_gc_total", "process_cpu_seconds_total"]);
  assert.deepEqual(matching(names, "go"), ["go_gc_total"]);
  assert.equal(suggestions(names)[0].group, "nginx");
});
