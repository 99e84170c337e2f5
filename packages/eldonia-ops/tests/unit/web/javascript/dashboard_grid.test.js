import assert from "node:assert/strict";
import test from "node:test";
import { COLUMNS, compact, flowed, freePlace, ordered, overlap, place, reading, same } from "../lib/dashboards/grid.js";

const at = (id, x, y, w, h) => ({ id, grid: { x, y, w, h } });
const shape = (panels) => Object.fromEntries(panels.map(({ id, grid }) => [id, [grid.x, grid.y, grid.w, grid.h]]));

test("panels move up until they meet another", () => {
  assert.deepEqual(shape(compact([at(1, 0, 5, 12, 4), at(2, 12, 9, 12, 4), at(3, 0, 20, 24, 2)])), { 1: [0, 0, 12, 4], 2: [12, 0, 12, 4], 3: [0, 4, 24, 2] });
});

test("what is in the way goes down, and one that is moved below it takes its place", () => {
  const two = [at(1, 0, 0, 12, 4), at(2, 12, 0, 12, 4)];
  assert.deepEqual(shape(place(two, 1, { x: 12, y: 0 })), { 1: [12, 0, 12, 4], 2: [12, 4, 12, 4] });
  const stack = [at(1, 0, 0, 12, 4), at(2, 0, 4, 12, 4), at(3, 0, 8, 12, 4)];
  assert.deepEqual(shape(place(stack, 1, { y: 4 })), { 2: [0, 0, 12, 4], 1: [0, 4, 12, 4], 3: [0, 8, 12, 4] });
  assert.deepEqual(shape(place(two, 1, { w: 18 })), { 1: [0, 0, 18, 4], 2: [12, 4, 12, 4] });
});

test("places stay inside the grid", () => {
  assert.deepEqual(shape(place([at(1, 0, 0, 6, 4)], 1, { x: 30, y: -3, w: 40 })), { 1: [0, 0, 24, 4] });
  assert.deepEqual(freePlace([at(1, 0, 0, 12, 8)], { w: 12, h: 8 }), { x: 12, y: 0, w: 12, h: 8 });
  assert.deepEqual(freePlace([at(1, 0, 0, 24, 8)], { w: 12, h: 8 }), { x: 0, y: 8, w: 12, h: 8 });
  assert.deepEqual(flowed([{ grid: { w: 16, h: 4 } }, { grid: { w: 12, h: 8 } }, {}]).map((one) => one.grid), [{ x: 0, y: 0, w: 16, h: 4 }, { x: 0, y: 4, w: 12, h: 8 }, { x: 12, y: 4, w: 12, h: 8 }]);
});

test("whatever is done, no two panels overlap, nothing floats, and others keep their size", () => {
  let seed = 7;
  const random = (below) => { seed = (Math.imul(seed, 1103515245) + 12345) >>> 0; return Math.floor((seed / 2 ** 32) * below); };
  for (let round = 0; round < 150; round += 1) {
    let panels = compact(Array.from({ length: 2 + random(9) }, (_, id) => at(id, random(20), random(30), 1 + random(12), 1 + random(8))));
    for (let step = 0; step < 8; step += 1) {
      const moved = panels[random(panels.length)];
      const wanted = { x: random(24), y: random(30), w: 1 + random(24), h: 1 + random(9) };
      const next = place(panels, moved.id, wanted);
      assert.deepEqual(next.map((one) => one.id), panels.map((one) => one.id));
      for (const one of next) {
        assert.ok(one.grid.x >= 0 && one.grid.y >= 0 && one.grid.x + one.grid.w <= COLUMNS);
        for (const other of next) assert.ok(one === other || !overlap(one.grid, other.grid), JSON.stringify([round, step, one, other]));
        if (one.grid.y > 0) assert.ok(next.some((other) => other !== one && overlap(other.grid, { ...one.grid, y: one.grid.y - 1 })), "floats");
        const before = panels.find((each) => each.id === one.id);
        if (one.id !== moved.id) assert.deepEqual([one.grid.x, one.grid.w, one.grid.h], [before.grid.x, before.grid.w, before.grid.h]);
      }
      assert.ok(compact(next).every((one, index) => same(one.grid, next[index].grid)), "compaction is done once");
      panels = next;
    }
    assert.deepEqual(reading(panels), ordered(panels).map((one) => one.id));
  }
});
