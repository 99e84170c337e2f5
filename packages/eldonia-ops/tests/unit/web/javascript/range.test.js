import assert from "node:assert/strict";
import test from "node:test";
import { openPage } from "./page.js";

const BODY = `
  <div id="ranges"><button data-range="15m">15 m</button><button data-range="1h">1 h</button><button id="range-custom">…</button></div>
  <button id="live"></button>
  <dialog id="range-dialog"><form id="range-form"><input name="words"><input name="from"><input name="to"><p class="fault" hidden></p></form></dialog>`;
openPage({ url: "http://localhost:9600/logs?range=1h&q=x", body: BODY });
const { timeRange } = await import("../lib/range.js");
const { poll } = await import("../lib/poll.js");

test("a range is kept in the address", () => {
  let changes = 0;
  const range = timeRange(() => { changes += 1; });
  const [from, to] = range.bounds;
  assert.equal(to - from, 3_600_000);
  assert.equal(range.live, true);
  range.choose("15m");
  assert.equal(new URL(location.href).search, "?q=x");
  range.narrow(1000, 2000);
  assert.deepEqual(range.bounds, [1000, 2000]);
  assert.equal(range.live, false);
  assert.equal(new URL(location.href).search, "?q=x&from=1000&to=2000");
  document.querySelector("#ranges .fixed").dispatchEvent(new Event("click"));
  assert.equal(range.fixed, false);
  assert.equal(changes, 3);
});

test("work that is asked for while it is under way is done again", async () => {
  let turns = 0;
  let finish;
  const page = poll(() => {
    turns += 1;
    return new Promise((resolve) => { finish = resolve; });
  }, 1e9);
  await Promise.resolve();
  assert.equal(turns, 1);
  const again = page.now();
  finish();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(turns, 2);
  finish();
  await again;
  assert.equal(turns, 2);
});
