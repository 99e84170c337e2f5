// The grid of a dashboard: 24 columns, places {x, y, w, h}; pure functions of a list of panels. Panels are moved up as far
// as others let them (compaction), and give way downwards when one is put where they are.
export const COLUMNS = 24;
export const LEAST = { w: 2, h: 1 };

/** @typedef {{x: number, y: number, w: number, h: number}} Place */
/** @typedef {{id: number, grid?: any, [key: string]: any}} Placed */

export const overlap = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
const byPlace = (a, b) => a.grid.y - b.grid.y || a.grid.x - b.grid.x;
export const ordered = (panels) => [...panels].sort(byPlace);

/** A place inside the grid, in whole cells. @returns {Place} */
export function within({ x, y, w, h }) {
  const width = Math.min(COLUMNS, Math.max(1, Math.round(w)));
  return { x: Math.min(COLUMNS - width, Math.max(0, Math.round(x))), y: Math.max(0, Math.round(y)), w: width, h: Math.max(1, Math.round(h)) };
}

/**
 * Every panel moved up until it meets another, from the top to the bottom. One whose place is right comes back as it was.
 * @template {Placed} P @param {P[]} panels @returns {P[]} in the order given
 */
export function compact(panels) {
  const settled = [];
  const found = new Map();
  for (const panel of ordered(panels)) {
    const grid = within(panel.grid);
    while (settled.some((one) => overlap(one, grid))) grid.y += 1;
    while (grid.y > 0 && !settled.some((one) => overlap(one, { ...grid, y: grid.y - 1 }))) grid.y -= 1;
    settled.push(grid);
    found.set(panel, grid);
  }
  return panels.map((panel) => (same(found.get(panel), panel.grid) ? panel : { ...panel, grid: found.get(panel) }));
}
export const same = (a, b) => a.x === b.x && a.y === b.y && a.w === b.w && a.h === b.h;

/**
 * One panel at another place or of another size; what is in its way goes down.
 * @template {Placed} P @param {P[]} panels @param {P["id"]} id @param {Partial<Place>} wanted @returns {P[]}
 */
export function place(panels, id, wanted) {
  const moving = panels.find((one) => one.id === id);
  if (!moving) return panels;
  const target = within({ ...moving.grid, ...wanted });
  const placed = new Map([[id, target]]);
  const rest = ordered(panels.filter((one) => one.id !== id));
  const settled = [target];
  // One that is moved down by a little takes the place of the one below it, which goes up: they change places.
  for (const panel of rest) {
    const grid = { ...panel.grid };
    const inWay = overlap(grid, target);
    if (inWay && target.y > moving.grid.y && target.x === moving.grid.x && grid.y >= moving.grid.y + moving.grid.h && grid.y + grid.h <= target.y + target.h) {
      const above = { ...grid, y: moving.grid.y };
      if (!settled.some((one) => overlap(one, above))) {
        settled.push(above);
        placed.set(panel.id, above);
        continue;
      }
    }
    while (settled.some((one) => overlap(one, grid))) grid.y += 1;
    settled.push(grid);
    placed.set(panel.id, grid);
  }
  return compact(panels.map((one) => ({ ...one, grid: placed.get(one.id) })));
}

/** The first free place for a panel of a size, looking from the top. @param {Placed[]} panels @returns {Place} */
export function freePlace(panels, { w, h }) {
  const bottom = depth(panels);
  for (let y = 0; y < bottom; y += 1) {
    for (let x = 0; x + w <= COLUMNS; x += 1) {
      const wanted = { x, y, w, h };
      if (!panels.some((one) => overlap(one.grid, wanted))) return wanted;
    }
  }
  return { x: 0, y: bottom, w, h };
}

/**
 * Panels whose place is not written flow from left to right, below those that have one.
 * @template {{grid?: Partial<Place>}} P @param {P[]} panels @returns {(P & {grid: Place})[]}
 */
export function flowed(panels) {
  let x = 0;
  let y = Math.max(0, ...panels.map(({ grid }) => (grid?.x === undefined || grid.x === null ? 0 : (grid.y ?? 0) + (grid.h ?? 8))));
  let tallest = 0;
  return panels.map((panel) => {
    const { w = 12, h = 8, ...at } = panel.grid ?? {};
    if (at.x !== undefined && at.x !== null) return { ...panel, grid: within({ x: at.x, y: at.y ?? 0, w, h }) };
    if (x + w > COLUMNS) { x = 0; y += tallest; tallest = 0; }
    const grid = within({ x, y, w, h });
    x += w;
    tallest = Math.max(tallest, h);
    return { ...panel, grid };
  });
}

/** The order in which panels follow each other in one column, on a phone and for the keyboard. */
export const reading = (panels) => ordered(panels).map((one) => one.id);

/** Rows that the grid takes. */
export const depth = (panels) => Math.max(0, ...panels.map((one) => one.grid.y + one.grid.h));
