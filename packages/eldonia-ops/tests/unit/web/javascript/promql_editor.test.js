import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage } from "./page.js";

const window = openPage();
const { faultRange, mount, withoutVariables } = await import("../lib/promql_editor.js");
const { helpOf } = await import("../lib/promql_help.js");
const body = /** @type {any} */ (window.document.body);
const plainly = () => Promise.resolve(null);

test("without its package the editor is a field of text that runs on Enter", async () => {
  const changes = [];
  const runs = [];
  const editor = mount(body, { value: "up", onChange: (text) => changes.push(text), onRun: (text) => runs.push(text), loader: plainly });
  assert.equal(await editor.ready, false);
  const field = editor.element.querySelector("textarea");
  assert.equal(field.value, "up");
  field.value = "up == 0";
  field.dispatchEvent(/** @type {any} */ (new window.Event("input")));
  const key = (options) => {
    const event = new window.KeyboardEvent("keydown", { key: "Enter", cancelable: true, ...options });
    field.dispatchEvent(/** @type {any} */ (event));
    return event.defaultPrevented;
  };
  assert.equal(key({ shiftKey: true }), false);
  assert.equal(key({}), true);
  assert.deepEqual([changes, runs], [["up == 0"], ["up == 0"]]);
  assert.equal(editor.value, "up == 0");
  editor.destroy();
  assert.equal(body.querySelector("textarea"), null);
});

test("setting the value is no change by people; inserting is one", async () => {
  const changes = [];
  const editor = mount(body, { onChange: (text) => changes.push(text), loader: plainly });
  await editor.ready;
  editor.value = "a";
  assert.deepEqual(changes, []);
  editor.insert(" + b");
  assert.match(editor.value, /\+ b/);
  assert.equal(changes.length, 1);
  editor.fault({ message: "x", position: 0 });
  assert.equal(editor.element.querySelector("textarea").getAttribute("aria-invalid"), "true");
  editor.destroy();
});

test("a fault is marked in UTF-16 units, at least one of them, also at the end", () => {
  assert.deepEqual(faultRange("up ==", 5), [4, 5]);
  assert.deepEqual(faultRange('a{b="😀"} }', 9, 10), [10, 11]);
  assert.deepEqual(faultRange("rate(x)", 5, 6), [5, 6]);
  assert.deepEqual(faultRange("", 0), [0, 0]);
});

test("variables of dashboards become texts as long as they are", () => {
  const query = 'topk($n, sum by ([[label]]) (rate(x{job="$job"}[$__interval])))';
  const [named, numbered] = withoutVariables(query);
  assert.equal(named.length, query.length);
  assert.equal(numbered.length, query.length);
  assert.match(numbered, /topk\(11,/);
  assert.match(named, /\[0+1m\]/);
  assert.deepEqual(withoutVariables("up"), ["up"]);
});

test("help has a signature and a sentence, and only for what there is", () => {
  assert.match(helpOf("rate").signature, /^rate\(/);
  assert.match(helpOf("rate").text, /per second/);
  assert.equal(helpOf("constructor"), null);
});
