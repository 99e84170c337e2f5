import assert from "node:assert/strict";
import test from "node:test";
import { openPage } from "./page.js";

openPage();
const { addPanel, addRow, allPanels, changePanel, cleaned, differences, duplicatePanel, equal, findPanel, historyOf, movePanel, moveRow, nextId, removePanel, removeRow, rowOfPanel, sectionsOf, toRow } = await import("../lib/dashboards/document.js");
const { yaml } = await import("../lib/dashboards/yaml.js");
const { keepValues, valuesIn } = await import("../dashboard/variables.js");

const panel = (id, x = 0, y = 0, w = 12, h = 8) => ({ id, type: "timeseries", title: `P${id}`, grid: { x, y, w, h } });
const DASHBOARD = { uid: "d", title: "D", panels: [panel(1), panel(2, 12), { id: 3, type: "row", title: "R", panels: [panel(4)] }, { id: 5, type: "row", title: "S", panels: [] }] };
const order = (one) => one.panels.map((each) => [each.id, ...(each.panels ?? []).map((inner) => inner.id)]);

test("panels and rows are added, moved, copied, removed; nothing of the document before changes", () => {
  const before = JSON.stringify(DASHBOARD);
  assert.equal(nextId(DASHBOARD), 6);
  const [added, id] = addPanel(DASHBOARD, panel(0));
  assert.equal(id, 6);
  assert.deepEqual(order(added), [[1], [2], [6], [3, 4], [5]]);
  assert.deepEqual(findPanel(added, 6).grid, { x: 0, y: 8, w: 12, h: 8 });
  const moved = toRow(DASHBOARD, 1, 3);
  assert.deepEqual(order(moved), [[2], [3, 4, 1], [5]]);
  assert.equal(rowOfPanel(moved, 1).id, 3);
  assert.deepEqual(order(movePanel(moved, 1, null, { x: 0, y: 0 })), [[2], [1], [3, 4], [5]]);
  const [doubled, copy] = duplicatePanel(DASHBOARD, 1);
  assert.equal(allPanels(doubled).length, 4);
  assert.notEqual(copy, 1);
  assert.deepEqual(order(removePanel(DASHBOARD, 4)), [[1], [2], [3], [5]]);
  assert.deepEqual(order(removeRow(DASHBOARD, 3, true)), [[1], [2], [4], [5]]);
  assert.deepEqual(order(removeRow(DASHBOARD, 3, false)), [[1], [2], [5]]);
  assert.deepEqual(order(moveRow(DASHBOARD, 5, -1)), [[1], [2], [5], [3, 4]]);
  assert.equal(moveRow(DASHBOARD, 3, -1), DASHBOARD);
  assert.deepEqual(order(addRow(DASHBOARD, "T")[0]).at(-1), [6]);
  assert.equal(findPanel(changePanel(DASHBOARD, 4, (one) => ({ ...one, unit: "s" })), 4).unit, "s");
  assert.equal(sectionsOf(DASHBOARD).length, 3);
  assert.equal(JSON.stringify(DASHBOARD), before);
});

test("undo and redo; changes of one field are one step", () => {
  const history = historyOf(DASHBOARD);
  assert.equal(history.push(DASHBOARD, "nothing"), false);
  const titled = (text) => changePanel(history.document, 1, (one) => ({ ...one, title: text }));
  history.push(titled("a"), "title", "edit:1:title");
  history.push(titled("ab"), "title", "edit:1:title");
  history.push(removePanel(history.document, 2), "removed");
  assert.equal(history.undoName, "removed");
  history.undo();
  assert.equal(allPanels(history.document).length, 3);
  history.undo();
  assert.deepEqual(history.document, DASHBOARD);
  assert.equal(history.undo(), false);
  history.redo();
  assert.equal(findPanel(history.document, 1).title, "ab");
  history.push(titled("c"), "other");
  assert.equal(history.redo(), false, "another change ends what could be redone");
});

test("what differs is named", () => {
  let next = changePanel(DASHBOARD, 1, (one) => ({ ...one, unit: "s" }));
  next = removePanel(next, 4);
  [next] = addPanel(next, { ...panel(0), title: "New" });
  next = { ...movePanel(next, 2, null, { x: 0, y: 20 }), tags: ["x"] };
  assert.deepEqual(new Set(differences(DASHBOARD, next).map((one) => `${one.kind} ${one.what}`)), new Set(["changed P1", "removed P4", "added New", "moved P2", "changed tags"]));
  assert.deepEqual(differences(DASHBOARD, structuredClone(DASHBOARD)), []);
  assert.ok(equal({ a: undefined, b: [1] }, { b: [1] }));
  assert.deepEqual(cleaned({ a: undefined, b: null, c: [{ d: undefined, e: 0 }] }), { c: [{ e: 0 }] });
});

test("variables are kept in the address", () => {
  const values = valuesIn("?var-host=a&var-host=b&range=6h&var-env=prod");
  assert.deepEqual(values, { host: ["a", "b"], env: ["prod"] });
  assert.equal(keepValues(new URL("http://h/d?range=6h&var-old=1"), values).search, "?range=6h&var-host=a&var-host=b&var-env=prod");
});

test("YAML is short where it can be", () => {
  assert.equal(yaml({ title: "A: b", grid: { x: 0, y: 0, w: 12, h: 8 }, on: "yes", steps: [{ color: "green" }, { value: 5, color: "red" }], text: "a\nb\n", n: null, empty: [] }),
    'title: "A: b"\ngrid: {x: 0, y: 0, w: 12, h: 8}\n"on": "yes"\nsteps: [{color: green}, {value: 5, color: red}]\ntext: |\n  a\n  b\nn: null\nempty: []\n');
});
