import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage } from "./page.js";

openPage();
const { metadataOf, promqlSource } = await import("../lib/promql_source.js");

function served(answers) {
  const asked = [];
  const fetchFrom = async (address) => {
    const url = new URL(address, "http://x");
    asked.push(url);
    const answer = answers(url);
    return { ok: answer !== null, status: 500, json: async () => answer };
  };
  return { asked, fetchFrom: /** @type {any} */ (fetchFrom) };
}

test("names are asked once a minute, with a limit", async () => {
  let at = 1_000_000_000_000;
  const { asked, fetchFrom } = served(() => ({ data: ["a", "b"] }));
  const source = promqlSource({ fetchFrom, now: () => at });
  assert.deepEqual(await source.metricNames(), ["a", "b"]);
  await source.metricNames("a");
  assert.equal(asked.length, 1);
  assert.equal(asked[0].searchParams.get("limit"), "10000");
  at += 61_000;
  await source.metricNames();
  assert.equal(asked.length, 2);
});

test("where names were cut, those that begin with what is written are asked too", async () => {
  const { fetchFrom } = served((url) => (url.searchParams.has("match[]") ? { data: ["z_1"] } : { data: ["a"], warnings: ["results truncated due to limit"] }));
  assert.deepEqual(await promqlSource({ fetchFrom }).metricNames("z_"), ["a", "z_1"]);
});

test("values of a label are those of the series that the other matchers leave", async () => {
  const { asked, fetchFrom } = served(() => ({ data: ["x"] }));
  await promqlSource({ fetchFrom }).labelValues("job", "up", [{ name: "job", op: "=", value: "sh" }, { name: "env", op: "!=", value: 'a"b' }]);
  assert.equal(asked[0].pathname, "/api/v1/label/job/values");
  assert.equal(asked[0].searchParams.get("match[]"), '{__name__="up",env!="a\\"b"}');
});

test("a server that does not answer gives no completion, and is asked again", async () => {
  let down = true;
  const { asked, fetchFrom } = served(() => (down ? null : { data: ["a"] }));
  const source = promqlSource({ fetchFrom, now: () => 0 });
  assert.deepEqual(await source.metricNames(), []);
  down = false;
  assert.deepEqual(await source.metricNames(), ["a"]);
  assert.equal(asked.length, 2);
});

test("a part of a histogram has the help of the whole and its own type", () => {
  const all = { h_seconds: [{ type: "histogram", help: "How long", unit: "seconds" }], up: [{ type: "gauge", help: "", unit: "" }] };
  assert.deepEqual(metadataOf(all, "h_seconds_bucket"), { type: "counter", help: "How long", unit: "" });
  assert.equal(metadataOf(all, "h_seconds_sum").unit, "seconds");
  assert.equal(metadataOf(all, "up").type, "gauge");
  assert.equal(metadataOf(all, "other"), null);
});
