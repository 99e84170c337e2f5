// The tests run with TZ=Asia/Tokyo; the account of the reader says New York.
import assert from "node:assert/strict";
import test from "node:test";
import { openPage } from "./page.js";

openPage();
document.documentElement.dataset.zone = "America/New_York";
const { dayKey, instantOf, localText, zoneName } = await import("../lib/zone.js");
const { rangeText, tickTime, timeOfDay, zoneName: shown } = await import("../lib/format.js");

const at = (text) => Date.parse(text);

test("times are on the clock of the account, not of the browser", () => {
  assert.equal(zoneName, "America/New_York");
  assert.equal(shown, zoneName);
  assert.equal(localText(at("2026-11-30T02:30:05Z")), "2026-11-29T21:30:05");
  assert.equal(dayKey(at("2026-11-30T02:30:05Z")), "2026-11-29");
  assert.equal(timeOfDay(at("2026-11-30T02:30:05Z")), "21:30:05");
  assert.equal(rangeText(at("2026-11-24T14:00:00Z"), at("2026-11-24T16:00:00Z")), "24 Nov 09:00–11:00");
  assert.equal(tickTime(at("2026-11-24T05:00:00Z"), 3600), "24 Nov", "midnight there");
  assert.equal(tickTime(at("2026-11-24T15:00:00Z"), 3600), "10:00", "midnight in Tokyo");
});

test("what was typed is read on the same clock, also when it changes", () => {
  for (const [text, instant] of [
    ["2026-11-24T09:30", "2026-11-24T14:30:00Z"],
    ["2026-11-24T09:30:15", "2026-11-24T14:30:15Z"],
    ["2026-07-01T00:00", "2026-07-01T04:00:00Z"],
    ["2026-03-08T01:59", "2026-03-08T06:59:00Z"], // summer time begins at 2:00
    ["2026-03-08T03:00", "2026-03-08T07:00:00Z"],
    ["2026-11-01T03:00", "2026-11-01T08:00:00Z"], // and ended at 2:00
  ]) {
    assert.equal(instantOf(text), at(instant), text);
    assert.equal(localText(instantOf(text)).slice(0, text.length), text);
  }
  assert.ok(Number.isNaN(instantOf("")));
});
