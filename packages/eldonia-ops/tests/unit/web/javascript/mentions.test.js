import assert from "node:assert/strict";
import test from "node:test";
import { openPage } from "./page.js";

openPage({ body: "" });
const { mentioned, withMentions } = await import("../lib/mentions.js");

test("a mention begins a word and is no part of an address", () => {
  assert.deepEqual(mentioned("@yu please look, @mika.sato too. Mail: a@b.example"), ["yu", "mika.sato"]);
  assert.deepEqual(mentioned("確認お願いします @yu。(@mika)"), ["yu", "mika"]);
  assert.deepEqual(mentioned("nothing @ all"), []);
});

test("known names are marked, one's own more so, and the text stays whole", () => {
  const nodes = withMentions("@yu and @nobody: ask @mika.", new Set(["yu", "mika"]), "mika");
  assert.equal(nodes.map((one) => (typeof one === "string" ? one : one.textContent)).join(""), "@yu and @nobody: ask @mika.");
  assert.deepEqual(nodes.filter((one) => typeof one !== "string").map((one) => [one.textContent, one.className]), [["@yu", "mention"], ["@mika", "mention mine"]]);
});
