import assert from "node:assert/strict";
import test from "node:test";
import { openPage } from "./page.js";

openPage();
const { SERIES_COLOURS, channels, heatRamp, inkOn, luminance, namedColour, places, seriesDash } = await import("../lib/palette.js");
const SURFACES = { dark: "#131822", light: "#ffffff" };

const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const oklab = ([r, g, b]) => {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s, 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s, 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s];
};
// How colours are seen with one kind of cone missing: Machado, Oliveira, Fernandes 2009, severity 1.0.
const SIGHT = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};
const seen = (matrix, colour) => oklab(matrix.map((row) => Math.min(1, Math.max(0, row.reduce((sum, one, at) => sum + one * linear(channels(colour)[at] / 255), 0)))));
const contrast = (a, b) => { const [x, y] = [luminance(channels(a)), luminance(channels(b))]; return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };

for (const theme of /** @type {("dark" | "light")[]} */ (["dark", "light"])) {
  test(`twelve colours are distinct on the ${theme} surface, by all eyes`, () => {
    const colours = SERIES_COLOURS[theme];
    assert.equal(new Set(colours).size, 12);
    for (const colour of colours) assert.ok(contrast(colour, SURFACES[theme]) >= 3, `${colour} on ${SURFACES[theme]}`);
    for (const [name, matrix] of Object.entries(SIGHT)) {
      for (let a = 0; a < colours.length; a += 1) {
        for (let b = 0; b < a; b += 1) {
          const [p, q] = [seen(matrix, colours[a]), seen(matrix, colours[b])];
          const distance = Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
          // 0.02 is about what is just noticed side by side; these are lines, apart from each other.
          assert.ok(distance > (name === "normal" ? 0.13 : 0.08), `${colours[a]} and ${colours[b]} with ${name}: ${distance.toFixed(3)}`);
        }
      }
    }
  });
}

test("a colour follows from the name, and stays when others come", () => {
  const few = places(["web-1", "db-1", "cache-1"]);
  assert.deepEqual([...few.entries()].sort(), [...places(["cache-1", "web-1", "db-1"]).entries()].sort());
  assert.equal(new Set(few.values()).size, 3);
  const names = Array.from({ length: 12 }, (_, at) => `host-${at}`);
  assert.equal(new Set([...places(names).values()].map((place) => place % 12)).size, 12);
  const many = places(Array.from({ length: 30 }, (_, at) => `host-${at}`));
  assert.equal(new Set(many.values()).size, 30);
  assert.deepEqual(seriesDash(0), []);
  assert.notDeepEqual(seriesDash(12), []);
});

test("names of documents are colours; what is none is refused", () => {
  assert.match(namedColour("dark-red"), /^#[0-9a-f]{6}$/);
  assert.notEqual(namedColour("dark-red"), namedColour("super-light-red"));
  assert.equal(namedColour("#12abCD"), "#12abCD");
  assert.equal(namedColour("rgb(1, 2, 3)"), "rgb(1, 2, 3)");
  assert.equal(namedColour("url(javascript:alert(1))", "x"), "x");
  assert.equal(namedColour("expression(1)", "x"), "x");
  assert.equal(namedColour("", "x"), "x");
});

test("ink reads on what is under it", () => {
  for (const colour of [...SERIES_COLOURS.dark, ...SERIES_COLOURS.light]) assert.ok(contrast(inkOn(colour), colour) >= 4.4, colour);
  assert.equal(heatRamp("blue", false).length, 64);
});
