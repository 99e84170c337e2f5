import assert from "node:assert/strict";
import test from "node:test";
import { openPage } from "./page.js";

openPage();
const { UNITS, inUnit, tickSteps, tickTexts, unitOf } = await import("../lib/units.js");
const NOW = Date.UTC(2026, 10, 30, 12, 0, 0);

test("values read as people write them", () => {
  /** @type {[number, string, string, number?][]} */
  const cases = [
    [0, "", "0"], [1234, "", "1,234"], [0, "short", "0"], [1234, "short", "1.23k"], [999.9, "short", "1k"], [1_500_000, "short", "1.5M"], [2e9, "short", "2B"], [-1500, "short", "-1.5k"], [0.25, "", "0.25"], [12_345, "none", "12,345"], [1234.5, "locale", "1,234.5"],
    [1024, "bytes", "1 KiB"], [1536, "bytes", "1.5 KiB"], [1023, "bytes", "1023 B"], [5 * 1024 ** 3, "bytes", "5 GiB"], [1000, "bytes_si", "1 kB"], [1_000_000, "bits_si", "1 Mb"], [3, "MiB", "3 MiB"], [2048, "MiB", "2 GiB"], [1500, "MB", "1.5 GB"],
    [1_500_000, "bytes_si/s", "1.5 MB/s"], [1024, "bytes/s", "1 KiB/s"], [1e9, "bits_si/s", "1 Gb/s"], [1200, "req/s", "1.2k req/s"], [4, "ops/s", "4 ops/s"], [60, "count/min", "60 c/min"], [1500, "packets/s", "1.5k p/s"],
    [42.5, "percent", "42.5%"], [0.425, "ratio", "42.5%"], [1, "ratio", "100%"], [0.9995, "ratio", "100%", 0], [0.9995, "ratio", "99.95%", 2],
    [0, "s", "0 s"], [0.25, "s", "250 ms"], [90, "s", "1.5 min"], [3600, "s", "1 h"], [86_400 * 3, "s", "3 d"], [1500, "ms", "1.5 s"], [12, "us", "12 µs"], [1.5e6, "ns", "1.5 ms"], [0.0000012, "s", "1.2 µs"], [-0.5, "s", "-500 ms"],
    [3723, "h:m:s", "01:02:03"], [98_765, "duration", "1 d 3 h"], [59, "duration", "59 s"], [250, "duration_ms", "250 ms"],
    [21.5, "celsius", "21.5 °C"], [1500, "Hz", "1.5 kHz"], [0.002, "W", "2 mW"], [2.5, "kW", "2.5 kW"], [2500, "kW", "2.5 MW"], [1200, "USD", "$1.2k"], [-5, "EUR", "-€5"],
    [1, "bool", "True"], [0, "yes_no", "No"], [1, "on_off", "On"], [0, "up_down", "Down"], [255, "hex", "0xFF"], [123_456, "sci", "1.23e+5"], [7, "suffix:jobs", "7 jobs"], [7, "prefix:#", "#7"], [1500, "si:Wb", "1.5 kWb"], [3, "furlongs", "3 furlongs"],
    [3.456, "none", "3.46", 2], [1536, "bytes", "1.500 KiB", 3],
  ];
  for (const [value, unit, text, decimals] of cases) assert.equal(inUnit(value, unit, { decimals: decimals ?? null }), text, `${value} ${unit}`);
});

test("dates are on the reader's clock", () => {
  assert.equal(inUnit(NOW, "datetime"), "2026-11-30 21:00:00");
  assert.equal(inUnit(NOW, "time_of_day", { now: NOW }), "21:00:00");
  assert.equal(inUnit(NOW - 86_400_000, "time_of_day", { now: NOW }), "2026-11-29 21:00:00");
  assert.equal(inUnit(NOW - 7_200_000, "from_now", { now: NOW }), "2 hours ago");
  assert.equal(inUnit(NOW, "datetime:YYYY/MM/DD [at] HH:mm"), "2026/11/30 at 21:00");
});

test("what is no number is said", () => {
  assert.equal(inUnit(null, "s"), "–");
  assert.equal(inUnit(Number.NaN, "s"), "NaN");
  assert.equal(inUnit(Infinity, "bytes"), "+Inf");
  assert.equal(inUnit("ready", "bytes"), "ready");
  assert.equal(inUnit("1024", "bytes"), "1 KiB");
  assert.equal(inUnit(true, "yes_no"), "Yes");
});

test("every unit formats every size, and never as NaN or undefined", () => {
  for (const unit of UNITS) {
    for (const power of [-12, -6, -3, 0, 1, 3, 6, 9, 12, 15, 18]) {
      for (const value of [10 ** power, -3.7 * 10 ** power]) {
        const text = inUnit(value, unit, { now: NOW });
        assert.ok(text && !/undefined|NaN|null/.test(text), `${value} ${unit}: ${text}`);
      }
    }
  }
});

test("labels of an axis are apart, and have no zeros that say nothing", () => {
  assert.deepEqual(tickTexts([0, 0.5, 1, 1.5], "percent"), ["0%", "0.5%", "1%", "1.5%"]);
  assert.deepEqual(tickTexts([0, 1000, 2000], "short"), ["0", "1k", "2k"]);
  assert.deepEqual(tickTexts([1000, 1001, 1002], "s").length, new Set(tickTexts([1000, 1001, 1002], "s")).size);
  assert.deepEqual(tickTexts([0, 512 * 1024 ** 2, 1024 ** 3], "bytes"), ["0 B", "512 MiB", "1 GiB"]);
  assert.deepEqual(tickTexts([0, 0.25, 0.5], "s"), ["0 s", "250 ms", "500 ms"]);
  assert.deepEqual(tickTexts([0, 0.1, 0.2, 0.30000000000000004], ""), ["0", "0.1", "0.2", "0.3"]);
});

test("steps between ticks fit the unit", () => {
  assert.ok(tickSteps("bytes").includes(1024 ** 3));
  assert.ok(tickSteps("MiB").includes(1024));
  assert.ok(tickSteps("s").includes(900));
  assert.ok(tickSteps("ms").includes(900_000));
  assert.equal(tickSteps("percent"), null);
  assert.equal(unitOf("per_second").suffix, "c/s");
});
