import assert from "node:assert/strict";
import test from "node:test";
import { openPage } from "./page.js";

openPage();
const { bytes, clockMs, countdown, digits, duration, hostOf, listed, nsToMs, percent, quantity, rangeText, tickTime, when } = await import("../lib/format.js");
const { palette } = await import("../lib/services.js");
const { tone } = await import("../lib/severity.js");
const { t, word } = await import("../lib/i18n.js");

test("a duration is shown in its two largest units", () => {
  assert.equal(duration(null), "–");
  assert.equal(duration(0), "0 s");
  assert.equal(duration(0.25), "250 µs");
  assert.equal(duration(9.96), "10 ms");
  assert.equal(duration(999.4), "999 ms");
  assert.equal(duration(1500), "1.5 s");
  assert.equal(duration(59_949), "59.9 s");
  assert.equal(duration(59_990), "1 min");
  assert.equal(duration(3_600_000 + 61_000), "1 h 1 min");
  assert.equal(duration(2 * 86_400_000 + 5_000), "2 d 5 s");
});

test("a countdown has whole seconds", () => {
  assert.equal(countdown(1999), "1 s");
  assert.equal(countdown(-1), "-1 s"); // and one below zero is no number of microseconds
});

test("numbers keep three digits at most, whatever their size", () => {
  for (const [value, text] of [[0, "0"], [0.001234, "0.0012"], [0.5, "0.50"], [1.234, "1.23"], [12.34, "12.3"], [1234.4, "1,234"], [-5, "-5.00"]]) {
    assert.equal(digits(value), text);
  }
  assert.equal(bytes(999), "999 B");
  assert.equal(bytes(1_500_000), "1.50 MB");
  assert.equal(percent(0.12345), "12.3 %");
});

test("a panel's value is shown in the panel's unit", () => {
  assert.equal(quantity(null, "bytes"), "–");
  assert.equal(quantity(Number.NaN, "percent"), "–");
  assert.equal(quantity(1.2, "percent"), "1.20 %");
  assert.equal(quantity(2000, "bytes_per_second"), "2.00 kB/s");
  assert.equal(quantity(0.25, "seconds"), "250 ms");
  assert.equal(quantity(12, "seconds"), "12 s");
  assert.deepEqual([1, 0, 12.5, 1200].map((value) => quantity(value, "count")), ["1", "0", "12.5", "1,200"]);
  assert.equal(quantity(1, "up_down"), t("health.up"));
  assert.equal(quantity(0, "up_down"), t("health.down"));
});

test("nanoseconds of today do not lose their milliseconds to the precision of a double", () => {
  assert.equal(nsToMs("1700000000123456789"), 1700000000123.456);
});

test("neighbouring ticks never read the same", () => {
  const at = new Date(2026, 10, 29, 13, 5, 7).getTime();
  assert.notEqual(tickTime(at, 1), tickTime(at + 1000, 1));
  assert.equal(tickTime(at, 60), tickTime(at + 1000, 60));
  assert.notEqual(tickTime(at, 86_400), tickTime(at + 86_400_000, 86_400));
});

test("a range names its day once, and seconds where it is short", () => {
  const from = new Date(2001, 1, 2, 3, 4, 5).getTime();
  assert.equal(rangeText(from, from + 3_600_000), "2 Feb 03:04–04:04");
  assert.equal(rangeText(from, from + 60_000), "2 Feb 03:04:05–03:05:05");
  assert.equal(rangeText(from, from + 86_400_000), "2 Feb 03:04–3 Feb 03:04");
});

test("an instant of a log line has milliseconds, and its day when that is not today", () => {
  assert.match(clockMs(new Date(2001, 1, 2, 3, 4, 5, 6).getTime()), /^2 Feb 03:04:05\.006$/);
  assert.match(clockMs(Date.now()), /^\d\d:\d\d:\d\d\.\d\d\d$/);
});

test("no instant is a dash, not 1970", () => {
  assert.equal(when(0), "–");
  assert.equal(when(1).tagName, "TIME");
});

test("colours of services depend on their set, not on their order", () => {
  const one = palette(["b", "a", "b"]);
  const other = palette(["a", "b"]);
  assert.equal(one("a"), other("a"));
  assert.notEqual(one("a"), one("b"));
  assert.equal(one("unknown"), "c0");
});

test("texts are filled in, and a word without a text stays as it is stored", () => {
  assert.equal(t("span.s", { n: 3 }), "3 s");
  assert.equal(word("severity", "brand-new"), "brand-new");
  assert.equal(tone("critical"), "bad");
  assert.equal(tone("brand-new"), "");
  assert.equal(listed(["a", "b", "c"]), "a, b and c");
});

test("an address that is none has no host, and breaks no page", () => {
  assert.equal(hostOf("https://wiki.test/disk"), "wiki.test");
  for (const bad of ["http://", "http://[", "https://a b/", "http://x:99999/", "", null]) assert.equal(hostOf(bad), "");
});
