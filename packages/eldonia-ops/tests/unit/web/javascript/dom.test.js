import assert from "node:assert/strict";
import test from "node:test";
import { openPage } from "./page.js";

openPage({ body: '<div id="place"></div><dialog id="box"><button data-close>x</button></dialog>' });
const { $, $$, badge, can, count, h, json, labels, open, render, toast } = await import("../lib/dom.js");

test("text is never markup", () => {
  const element = h("p", { title: "<b>" }, "<img src=x onerror=alert(1)>", null, false, ["a", "b"]);
  assert.equal(element.children.length, 0);
  assert.equal(element.textContent, "<img src=x onerror=alert(1)>ab");
  assert.equal(badge("<i>", "bad").innerHTML, "&lt;i&gt;");
  assert.equal(json({ "<k>": "<v>", list: [1, true, null, []] }).querySelector("k"), null);
});

test("attributes: classes, handlers, flags, nothing for null", () => {
  let clicks = 0;
  const button = h("button", { class: "quiet", onclick: () => { clicks += 1; }, disabled: false, hidden: true, "aria-label": null, "data-x": "1" });
  button.dispatchEvent(new Event("click"));
  assert.equal(clicks, 1);
  assert.equal(button.className, "quiet");
  assert.equal(button.hidden, true);
  assert.equal(button.hasAttribute("aria-label"), false);
  assert.equal(button.dataset.x, "1");
});

test("a value as JSON reads back", () => {
  const value = { a: [1, { b: "c\n" }, []], d: {}, e: null, f: false };
  assert.deepEqual(JSON.parse(json(value).textContent), value);
});

test("elements are replaced only when what they are made from has changed", () => {
  const place = $("#place");
  let made = 0;
  const draw = (key) => render(place, key, () => { made += 1; return [h("b", {}, String(key)), null]; });
  assert.equal(draw(1), true);
  assert.equal(draw(1), false);
  assert.equal(draw(2), true);
  assert.equal(made, 2);
  assert.equal(place.textContent, "2");
});

test("the focus stays in its place when elements are replaced", () => {
  const place = $("#place");
  const draw = (key) => render(place, key, () => [h("button", {}, "one"), h("button", {}, "two")]);
  draw("before");
  $$("button", place)[1].focus();
  draw("after");
  assert.equal(document.activeElement, $$("button", place)[1]);
});

test("labels without those that are shown elsewhere", () => {
  assert.equal(labels({ alertname: "A", severity: "critical" }, ["alertname"]).textContent, "severity=critical");
});

test("a count above 99 is cut, and none is hidden", () => {
  const element = h("span");
  count(element, 120, "bad");
  assert.equal(element.textContent, "99+");
  count(element, 0);
  assert.equal(element.hidden, true);
  count(null, 3);
});

test("a dialog closes by its button and its backdrop, once wired", () => {
  const box = $("#box");
  let closed = 0;
  box.showModal = () => {};
  box.close = () => { closed += 1; };
  open(box);
  open(box);
  $("button", box).dispatchEvent(new Event("click", { bubbles: true }));
  assert.equal(closed, 1);
  box.dispatchEvent(new Event("click"));
  assert.equal(closed, 2);
});

test("a form is begun in its first field", () => {
  const dialog = /** @type {any} */ (document.createElement("dialog"));
  dialog.innerHTML = '<button data-close>x</button><label><input type="checkbox"></label><input name="first"><input name="second">';
  document.body.append(dialog);
  dialog.showModal = () => dialog.querySelector("button").focus();
  open(dialog);
  assert.equal(document.activeElement.name, "first");
  dialog.showModal = () => dialog.querySelector("[name=second]").focus();
  open(dialog);
  assert.equal(document.activeElement.name, "second", "what has the focus by its own wish keeps it");
  dialog.remove();
});

test("a toast offers to take back what was done", () => {
  let undone = 0;
  toast("Silenced", { undo: ["Undo", () => { undone += 1; }] });
  $("#toasts button").dispatchEvent(new Event("click"));
  assert.equal(undone, 1);
  assert.equal($("#toasts").children.length, 0);
});

test("what a role may do comes from the page", () => {
  assert.equal(can("respond"), true);
  assert.equal(can("administer"), false);
});
