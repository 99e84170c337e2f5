import assert from "node:assert/strict";
import test from "node:test";
import { openPage } from "./page.js";

openPage();
const { aligned, csv, decoded, framesOf, joinedByTime, merged, seriesOf, tableOf } = await import("../lib/dashboards/frames.js");
const { transformed } = await import("../lib/dashboards/transformations.js");
const { reduce, REDUCERS } = await import("../lib/dashboards/reduce.js");
const { singleValues, boundsOf, partOf } = await import("../lib/dashboards/single.js");
const { batches, byPanel, queriesOf } = await import("../lib/dashboards/queries.js");

const result = (ref, series, extra = {}) => ({ ref, key: "1", kind: "series", timestamps: [1000, 2000, 3000], series: series.map(([name, labels, values]) => ({ name, labels, values })), error: null, ...extra });
const values = (frame, name) => frame.columns.find((one) => one.name === name)?.values;

test("words for what JSON cannot hold become numbers", () => {
  const [one] = decoded({ series: [{ values: [1, "NaN", "Infinity", "-Infinity", null, "+Inf"] }] }).series;
  assert.deepEqual(one.values, [1, Number.NaN, Infinity, -Infinity, null, Infinity]);
});

test("instant queries of a table become one, merged by their labels", () => {
  const panel = { type: "table", queries: [{ ref: "A", instant: true, format: "table" }, { ref: "B", instant: true, format: "table" }] };
  const frames = framesOf(panel, [result("A", [["a", { instance: "a" }, [1]], ["b", { instance: "b" }, [2]]], { timestamps: [9] }), result("B", [["b", { instance: "b" }, [20]], ["c", { instance: "c" }, [30]]], { timestamps: [9] })]);
  const table = tableOf(frames);
  assert.deepEqual(values(table, "instance"), ["a", "b", "c"]);
  assert.deepEqual(values(table, "Value #A"), [1, 2, null]);
  assert.deepEqual(values(table, "Value #B"), [null, 20, 30]);
});

test("series of several queries are put beside each other by time", () => {
  const frames = framesOf({ type: "timeseries" }, [result("A", [["a", {}, [1, null, 3]]]), result("B", [["b", {}, [5, 6]]], { timestamps: [1000, 3000] })]);
  const series = seriesOf(frames);
  assert.deepEqual(series.map((one) => one.name), ["a", "b"]);
  const { times, columns } = aligned(series);
  assert.deepEqual(times, [1000, 2000, 3000]);
  // A gap of A is a gap; where B has only no sample, its line goes on.
  assert.deepEqual(columns, [[1, null, 3], [5, undefined, 6]]);
  assert.deepEqual(values(joinedByTime(frames), "b"), [5, null, 6]);
  const same = aligned(seriesOf(framesOf({}, [result("A", [["a", {}, [1, 2, 3]], ["b", {}, [4, 5, 6]]])])));
  assert.equal(same.columns[1][2], 6);
});

test("a failed query leaves the others", () => {
  assert.equal(framesOf({}, [result("A", [["a", {}, [1, 2, 3]]]), { ...result("B", []), error: { message: "no" } }]).length, 1);
});

test("CSV quotes, and does not run as a formula", () => {
  const text = csv({ ref: "A", columns: [{ name: "Time", type: "time", values: [0] }, { name: 'a "b", c', type: "string", values: ["=HYPERLINK(1)"] }, { name: "n", type: "number", values: [-1.5] }] });
  assert.equal(text, 'Time,"a ""b"", c",n\r\n1970-01-01T00:00:00.000Z,\'=HYPERLINK(1),-1.5\r\n');
});

const table = { ref: "A", columns: [{ name: "host", type: "string", values: ["b", "a", "a"] }, { name: "cpu", type: "number", values: [3, 1, null] }, { name: "mem", type: "number", values: [10, 20, 30] }] };
const after = (...list) => transformed([structuredClone(table)], list);
/** @type {[string, any[], any][]} */
const CASES = [
  ["organize", [{ type: "organize", hide: ["mem"], rename: { cpu: "CPU" }, order: ["cpu"] }], [["CPU", [3, 1, null]], ["host", ["b", "a", "a"]]]],
  ["filter_columns", [{ type: "filter_columns", regex: "^(host|mem)$" }], [["host", ["b", "a", "a"]], ["mem", [10, 20, 30]]]],
  ["filter_columns, exclude", [{ type: "filter_columns", names: ["cpu"], exclude: true }], [["host", ["b", "a", "a"]], ["mem", [10, 20, 30]]]],
  ["filter_rows", [{ type: "filter_rows", conditions: [{ field: "host", op: "=", value: "a" }, { field: "cpu", op: "not_null" }] }], [["host", ["a"]], ["cpu", [1]], ["mem", [20]]]],
  ["filter_rows, any", [{ type: "filter_rows", match: "any", conditions: [{ field: "mem", op: ">", value: 25 }, { field: "cpu", op: ">=", value: 3 }] }], [["host", ["b", "a"]], ["cpu", [3, null]], ["mem", [10, 30]]]],
  ["sort, empty last", [{ type: "sort", by: [{ field: "cpu", descending: true }] }], [["host", ["b", "a", "a"]], ["cpu", [3, 1, null]], ["mem", [10, 20, 30]]]],
  ["limit", [{ type: "limit", count: 1 }], [["host", ["b"]], ["cpu", [3]], ["mem", [10]]]],
  ["calculate", [{ type: "calculate", left: "mem", op: "/", right: "10", name: "tens" }, { type: "filter_columns", names: ["tens"] }], [["tens", [1, 2, 3]]]],
  ["calculate over a row", [{ type: "calculate", calc: "sum", of: ["cpu", "mem"], replace: true }], [["Total", [13, 21, 30]]]],
  ["group_by", [{ type: "group_by", fields: [{ field: "host", group: true }, { field: "mem", calcs: ["sum", "max"] }] }], [["host", ["b", "a"]], ["mem (sum)", [10, 50]], ["mem (max)", [10, 30]]]],
  ["reduce", [{ type: "reduce", calcs: ["max", "count"] }], [["Field", ["host", "cpu", "mem"]], ["Max", ["b", 3, 30]], ["Count", [3, 2, 3]]]],
  ["rename", [{ type: "rename", regex: "^(.)(.*)$", replacement: "$2-$1" }, { type: "limit", count: 0 }], [["ost-h", []], ["pu-c", []], ["em-m", []]]],
];
for (const [name, list, expected] of CASES) test(`transformation: ${name}`, () => assert.deepEqual(after(...list)[0].columns.map((one) => [one.name, one.values]), expected));

test("transformations of series", () => {
  const frames = framesOf({}, [result("A", [["a", { host: "x", le: "1" }, [1, 2, 3]], ["b", { host: "y", le: "2" }, [4, 5, 6]]]), result("B", [["c", { host: "x" }, [7, 8, 9]]])]);
  assert.deepEqual(transformed(frames, [{ type: "filter_queries", refs: ["B"] }]).map((one) => one.name), ["c"]);
  const [reduced] = transformed(frames, [{ type: "reduce", calcs: ["last"], labels_as_columns: true }]);
  assert.deepEqual(reduced.columns.map((one) => [one.name, one.values]), [["Field", ["a", "b", "c"]], ["host", ["x", "y", "x"]], ["le", ["1", "2", ""]], ["Last", [3, 6, 9]]]);
  const [joined] = transformed(frames, [{ type: "join" }]);
  assert.deepEqual(joined.columns.map((one) => one.name), ["Time", "a", "b", "c"]);
  const [rows] = transformed(frames, [{ type: "series_as_rows" }, { type: "limit", count: 3 }]);
  assert.deepEqual(values(rows, "Metric"), ["a", "b", "c"]);
  const [sum] = transformed(frames, [{ type: "calculate", left: "a", op: "+", right: "c", name: "sum" }]);
  assert.deepEqual(values(sum, "sum"), [8, 10, 12]);
  const [inner] = transformed([{ ref: "A", columns: [{ name: "k", type: "string", values: ["a", "b"] }, { name: "v", type: "number", values: [1, 2] }] }, { ref: "B", columns: [{ name: "k", type: "string", values: ["b", "c"] }, { name: "v", type: "number", values: [3, 4] }] }], [{ type: "join", field: "k", mode: "inner" }]);
  assert.deepEqual(inner.columns.map((one) => [one.name, one.values]), [["k", ["b"]], ["v 1", [2]], ["v 2", [3]]]);
  const [labels] = transformed(frames.slice(0, 2), [{ type: "labels_as_columns" }]);
  assert.ok(labels.columns.some((one) => one.name === "host"));
  assert.equal(merged([]).columns.length, 0);
  assert.deepEqual(transformed(frames, [{ type: "no such" }]), frames);
});

test("calculations pass over gaps", () => {
  const some = [1, null, 4, Number.NaN, 2];
  assert.deepEqual(["last", "first", "min", "max", "sum", "count", "range", "median", "diff", "last_or_null"].map((name) => reduce(name, some)), [2, 1, 1, 4, 7, 3, 3, 2, 1, 2]);
  assert.equal(reduce("mean", [2, 4]), 3);
  assert.equal(reduce("delta", [10, 15, 3, 4]), 9);
  assert.equal(reduce("p95", Array.from({ length: 101 }, (_, at) => at)), 95);
  for (const name of REDUCERS) { reduce(name, []); reduce(name, [null, null]); }
  assert.equal(reduce("mean", []), null);
});

test("single values: of series, of rows, with bounds", () => {
  const frames = framesOf({}, [result("A", [["a", {}, [1, 2, 3]], ["b", {}, [40, 50, 60]]])]);
  const panel = { unit: "percent", options: { reduce: { calcs: ["max"] } } };
  const all = singleValues(panel, frames);
  assert.deepEqual(all.map((one) => [one.name, one.value]), [["a", 3], ["b", 60]]);
  assert.deepEqual(boundsOf(all[0], all), [0, 100]);
  assert.equal(partOf(150, [0, 100]), 1);
  assert.deepEqual(singleValues({ options: {} }, [/** @type {any} */ (table)]).map((one) => [one.name, one.value]).slice(0, 2), [["b cpu", 3], ["b mem", 10]]);
  assert.equal(singleValues({ options: { reduce: { calcs: ["count"] } }, unit: "bytes" }, frames)[0].settings.unit, "none");
});

test("one request for all panels, as many as the server takes in one", () => {
  const item = (key) => ({ key, id: Number(key), panel: { type: "timeseries", queries: [{ ref: "A", expr: "up" }, { ref: "B", expr: "down", hide: true }, { ref: "C", expr: "" }] }, selections: {}, width: 433 });
  assert.deepEqual(queriesOf(item("1")).map((one) => [one.ref, one.max_points]), [["A", 400]]);
  assert.deepEqual(queriesOf({ key: "1", id: 1, panel: { type: "text", queries: [{ ref: "A", expr: "up" }] } }), []);
  const many = batches(Array.from({ length: 450 }, (_, at) => item(String(at))));
  assert.deepEqual(many.map((one) => one.queries.length), [200, 200, 50]);
  assert.deepEqual([...byPanel([{ key: "a", ref: "A" }, { key: "b", ref: "A" }, { key: "a", ref: "B" }]).get("a")].map((one) => one.ref), ["A", "B"]);
});
