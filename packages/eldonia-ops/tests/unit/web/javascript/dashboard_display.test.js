// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of dashboards are written so
import assert from "node:assert/strict";
import test from "node:test";
import { openPage } from "./page.js";

openPage();
const { coloursOf, mapped, matches, nameOf, settingsOf, shown, steps, thresholdColour, valueColour } = await import("../lib/dashboards/display.js");
const { interpolate, safeAddress, used, valueGlobals } = await import("../lib/dashboards/interpolate.js");
const { legendRows, toggled } = await import("../lib/dashboards/legend.js");
const { axesOf, rangeOf } = await import("../lib/dashboards/scales.js");
const { connected, milliseconds, stacked } = await import("../lib/dashboards/stack.js");
const { fromBuckets, fromValues, rampPlace } = await import("../lib/dashboards/heat.js");
const { shares, spans } = await import("../lib/dashboards/states.js");
const { suggestions } = await import("../lib/dashboards/suggestions.js");

test("overrides: the last that fits wins", () => {
  const panel = { unit: "s", options: { fill: 10 }, overrides: [{ match: { regex: "^web" }, set: { unit: "ms", fill: 0 } }, { match: { name: "web-2" }, set: { unit: "us" } }, { match: { name: "web-2", exclude: true }, set: { axis: "right" } }] };
  assert.deepEqual(["db", "web-1", "web-2"].map((name) => { const one = settingsOf(panel, { name }); return [one.unit, one.fill, one.axis]; }), [["s", 10, "right"], ["ms", 0, "right"], ["us", 0, undefined]]);
  assert.ok(matches({ ref: "B" }, { name: "x", ref: "B" }));
  assert.ok(matches({ type: "string" }, { name: "x", type: "string" }));
  assert.ok(!matches({ regex: "(" }, { name: "(" }), "a pattern that is not valid matches nothing");
  assert.equal(nameOf({ display_name: "${__field.labels.job} of {{instance}}" }, { name: "x", labels: { job: "node", instance: "a" } }), "node of a");
});

test("mappings come first, then thresholds", () => {
  const mappings = [{ value: "0", text: "down", color: "red" }, { range: { from: 1, to: 5 }, text: { en: "few", ja: "少" } }, { regex: "^err(.*)", text: "error$1" }, { special: "null", text: "none" }, { value: "9", color: "blue" }];
  assert.deepEqual([0, 3, "error 7", null, 9, 6].map((value) => mapped(value, mappings)?.text ?? null), ["down", "few", "error" + "or 7", "none", "", null]);
  assert.equal(shown(9, { unit: "", mappings }).text, "9", "a mapping without a text keeps the value");
  const thresholds = { steps: [{ color: "green" }, { value: 50, color: "orange" }, { value: 80, color: "red" }] };
  const all = steps({ thresholds });
  assert.equal(thresholdColour(49, all), all[0][1]);
  assert.equal(thresholdColour(50, all), all[1][1]);
  assert.equal(thresholdColour(null, all), "");
  assert.equal(valueColour(0, { mappings, thresholds }), mapped(0, mappings).colour);
  assert.deepEqual(steps({ thresholds: { mode: "percentage", steps: [{ color: "green" }, { value: 50, color: "red" }] }, min: 0, max: 8 }).map((one) => one[0]), [-Infinity, 4]);
});

test("levels of logs have the colours of the page of logs", () => {
  for (const level of ["error", "warn", "info", "debug"]) document.documentElement.style.setProperty(`--level-${level}`, `#${level}`);
  const series = ["error", "warn", "info"].map((level) => ({ name: level, labels: { level }, settings: {}, values: [] }));
  assert.deepEqual(coloursOf(series).map((one) => one.colour), ["#error", "#warn", "#info"]);
  const [fixed, more] = coloursOf([{ ...series[0], settings: { color: { mode: "fixed", color: "#123456" } } }, { ...series[1], labels: { level: "warn", job: "a" } }]);
  assert.equal(fixed.colour, "#123456");
  assert.notEqual(more.colour, "#warn");
});

test("two series of one name have two colours; settings may fix one", () => {
  const [a, b, c] = coloursOf([{ name: "x", settings: {}, values: [] }, { name: "x", settings: {}, values: [] }, { name: "y", settings: { color: { mode: "fixed", color: "#123456" } }, values: [] }]);
  assert.notEqual(a.colour, b.colour);
  assert.equal(c.colour, "#123456");
});

test("variables in texts and addresses", () => {
  const selections = { host: { values: ["a b", "c/d"], text: "a b + c/d" }, env: { values: ["prod"] } };
  assert.equal(interpolate("$host ${env} [[env]] $other ${host:csv} ${host:pipe} ${host:json}", selections), 'a b + c/d prod prod $other a b,c/d a b|c/d ["a b","c/d"]');
  assert.equal(interpolate("/x?h=${host}&${host:queryparam}", selections, { address: true }), "/x?h=a%20b%2Cc%2Fd&var-host=a%20b&var-host=c%2Fd");
  assert.equal(interpolate("${__value.raw} ${__field.labels.job}", {}, { globals: valueGlobals({ value: 5, field: { labels: { job: "node" } } }) }), "5 node");
  assert.deepEqual(used("$a ${b:csv} [[c]]"), ["a", "b", "c"]);
});

test("links lead only where links may", () => {
  for (const good of ["https://x.example/a", "/logs?q=1", "#a", "?x=1", "mailto:a@b.example", "sub/page"]) assert.equal(safeAddress(good), good);
  for (const bad of ["javascript:alert(1)", " JAVASCRIPT:alert(1)", "data:text/html,x", "//evil.example", "/\\evil.example", "vbscript:x", "java\nscript:alert(1)"]) assert.equal(safeAddress(bad), null, bad);
});

test("the legend calculates, sorts, and is clicked", () => {
  const series = [{ name: "b", values: [1, 2], settings: { unit: "bytes" } }, { name: "a", values: [2048, null], settings: { unit: "bytes" } }];
  assert.deepEqual(legendRows(series, { calcs: ["last", "max"] }).map((one) => [one.name, one.texts]), [["b", ["2 B", "2 B"]], ["a", ["2 KiB", "2 KiB"]]]);
  assert.deepEqual(legendRows(series, { calcs: ["max"], sort_by: "Max", sort_descending: true }).map((one) => one.name), ["a", "b"]);
  assert.deepEqual(legendRows(series, { sort_by: "name" }).map((one) => one.name), ["a", "b"]);
  const all = ["a", "b", "c"];
  assert.deepEqual([...toggled(new Set(), "a", all, false)], ["a"]);
  assert.deepEqual([...toggled(new Set(["a"]), "a", all, false)], []);
  assert.deepEqual([...toggled(new Set(), "a", all, true)], ["b", "c"]);
  assert.deepEqual([...toggled(new Set(["b", "c"]), "a", all, true)], []);
});

test("axes fit their data", () => {
  const axes = axesOf([{ settings: { unit: "s" } }, { settings: { unit: "bytes" } }, { settings: { unit: "s" } }, { settings: { unit: "s", axis: "right" } }]);
  assert.deepEqual(axes.map((one) => [one.side, one.members]), [["left", [0, 2]], ["right", [1]], ["right", [3]]]);
  const [low, high] = rangeOf([[1000, 1010, null]], {});
  assert.ok(low > 990 && low < 1000 && high > 1010 && high < 1020, `${low} ${high}`);
  assert.equal(rangeOf([[1, 10]], {})[0], 0, "data near zero begin at zero");
  assert.equal(rangeOf([[1000, 1010]], {}, { zero: true })[0], 0, "areas are measured from zero");
  assert.deepEqual(rangeOf([[5, 50]], { min: 0, max: 100 }), [0, 100]);
  assert.deepEqual(rangeOf([[30, 2000]], { axis_scale: "log10" }), [10, 10_000]);
  assert.deepEqual(rangeOf([], {}).length, 2);
  for (const settings of [{}, { min: 5 }, { max: 5 }, { min: 7, max: 7 }, { axis_centered: true }, { axis_scale: "log2" }]) {
    for (const column of [[], [5], [5, 5], [0], [-3, -3], [null], [-1e-9, 1e9]]) { const [a, b] = rangeOf([column], settings); assert.ok(a < b, JSON.stringify([settings, column, a, b])); }
  }
});

test("stacks add up, and skip what is hidden", () => {
  const columns = [[1, 2, null], [10, null, 30], [5, 5, 5], [-1, -2, -3]];
  const found = stacked(columns, [{ group: "a", shown: true }, { group: "a", shown: true }, { group: "a", shown: false }, { group: "a", shown: true }]);
  assert.deepEqual(found.columns, [[1, 2, null], [11, 2, 30], [5, 5, 5], [-1, -2, -3]]);
  assert.deepEqual(found.bands, [[1, 0]]);
  const whole = stacked([[1, 3], [3, 1]], [{ group: "a", shown: true }, { group: "a", shown: true }], true);
  assert.deepEqual(whole.columns, [[25, 75], [100, 100]]);
  assert.deepEqual(connected([0, 1, 2, 9], [1, null, 3, 4], 5), [1, undefined, 3, 4]);
  assert.deepEqual(connected([0, 100, 200], [1, null, 3], 50), [1, null, 3]);
  assert.equal(milliseconds("1h30m"), 5_400_000);
  assert.equal(milliseconds("soon"), null);
});

test("heat maps: buckets, values, colours", () => {
  const map = fromBuckets([0, 60_000], [{ values: [5, 6] }, { values: [1, 2] }, { values: [0, 9] }], [1, 0.5, "Infinity"]);
  assert.deepEqual(map.rows.map((row) => [row.low, row.high, row.counts]), [[0, 0.5, [1, 2]], [0.5, 1, [5, 6]], [1, Infinity, [0, 9]]]);
  assert.equal(map.most, 9);
  const counted = fromValues([{ times: [0, 1000, 2000], values: [1, 2, 10] }, { times: [0, 1000, 2000], values: [1, null, Number.NaN] }]);
  assert.equal(counted.rows.reduce((sum, row) => sum + row.counts.reduce((a, b) => a + b, 0), 0), 4);
  assert.equal(fromValues([]).rows.length, 0);
  assert.equal(rampPlace(0, 10), -1);
  assert.equal(rampPlace(10, 10), 63);
  assert.ok(rampPlace(1, 100, { scale: "exponential", exponent: 0.5 }) > rampPlace(1, 100, { scale: "linear" }));
  assert.equal(rampPlace(3, 10, { hide_below: 4 }), -1);
});

test("states: as long as a value was had", () => {
  const found = spans([0, 10, 20, 30, 40], [1, 1, 0, null, 1]);
  assert.deepEqual(found, [{ from: 0, to: 20, value: 1 }, { from: 20, to: 30, value: 0 }, { from: 40, to: 50, value: 1 }]);
  assert.equal(spans([0, 10, 20], [1, 1, 1], { merge: false }).length, 3);
  assert.deepEqual(shares(found, String), [["1", 30], ["0", 10]]);
});

test("panels for metrics that exist", () => {
  const found = suggestions(["http_requests_total", "http_request_duration_seconds_bucket", "http_request_duration_seconds_sum", "http_request_duration_seconds_count", "node_memory_free_bytes", "up", "build_info"]);
  assert.deepEqual(found.map((one) => one.key).sort(), ["http_request_duration_seconds_bucket:heat", "http_request_duration_seconds_bucket:p95", "http_requests_total:rate", "node_memory_free_bytes:value", "up:up"]);
  assert.equal(found.find((one) => one.key.startsWith("node")).panel.unit, "bytes");
});
