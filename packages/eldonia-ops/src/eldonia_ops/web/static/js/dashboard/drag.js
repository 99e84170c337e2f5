// A panel that is moved or resized: by mouse, finger or keys. What follows from it is asked of the page at every cell, and kept
// when it ends; Escape gives it up.
import { COLUMNS, LEAST } from "../lib/dashboards/grid.js";
import { t } from "../lib/i18n.js";

const ROW = 38; // px: a row of the grid and its gap
const GAP = 8;
const EDGE = 70; // px from the edge of the window where dragging scrolls

/** @param {any} element a panel's card @param {HTMLElement} board @param {any} page */
export function draggable(element, board, page) {
  const { grip, corner, header } = element.parts;
  const begin = (event, resize) => {
    if (!page.editing() || event.button > 0 || matchMedia("(max-width: 640px)").matches) return;
    event.preventDefault();
    const { item } = element;
    const start = { x: event.clientX, y: event.clientY, scroll: scrollY, grid: { ...item.grid } };
    const home = element.getBoundingClientRect();
    const cell = (element.parentElement.clientWidth + GAP) / COLUMNS;
    let last = "";
    let current = { ...start.grid };
    let moved = false;
    element.setPointerCapture?.(event.pointerId);
    const target = event.currentTarget;
    const follow = (pointer) => {
      const [dx, dy] = [pointer.clientX - start.x, pointer.clientY - start.y + scrollY - start.scroll];
      if (!moved && Math.hypot(dx, dy) < 4) return;
      if (!moved) { moved = true; element.classList.add(resize ? "resizing" : "dragging"); board.classList.add("moving"); page.dragBegins?.(); }
      if (resize) {
        current = { ...start.grid, w: Math.min(COLUMNS - start.grid.x, Math.max(LEAST.w, start.grid.w + Math.round(dx / cell))), h: Math.max(LEAST.h, start.grid.h + Math.round(dy / ROW)) };
        const key = `${current.w} ${current.h}`;
        if (key !== last) { last = key; page.preview(item, sectionOf(element), current); }
        return;
      }
      // The part of the board under the pointer, and the cell in it that the panel's corner is over.
      const grid = sectionAt(board, pointer.clientY) ?? element.parentElement;
      const box = grid.getBoundingClientRect();
      const left = home.left + dx - box.left;
      const top = home.top + pointer.clientY - start.y - box.top;
      current = { x: Math.min(COLUMNS - start.grid.w, Math.max(0, Math.round(left / cell))), y: Math.max(0, Math.round(top / ROW)), w: start.grid.w, h: start.grid.h };
      const key = `${grid.dataset.row} ${current.x} ${current.y}`;
      if (key !== last) { last = key; page.preview(item, grid.section, current); }
      // What is left between the cell and the pointer.
      const now = element.offsetParent ? element.getBoundingClientRect() : home;
      const shift = element.shift ?? { x: 0, y: 0 };
      element.shift = { x: home.left + pointer.clientX - start.x - (now.left - shift.x), y: home.top + pointer.clientY - start.y - (now.top - shift.y) };
      element.style.transform = `translate(${element.shift.x}px, ${element.shift.y}px)`;
      if (pointer.clientY < EDGE) scrollBy(0, -12);
      else if (pointer.clientY > innerHeight - EDGE) scrollBy(0, 12);
    };
    const end = (keep) => {
      removeEventListener("pointermove", follow);
      removeEventListener("pointerup", up);
      removeEventListener("pointercancel", cancel);
      removeEventListener("keydown", giveUp, true);
      element.classList.remove("dragging", "resizing");
      board.classList.remove("moving");
      element.style.transform = "";
      element.shift = null;
      if (moved) page.settle(element.item, keep, t(resize ? "dashboard.did_resize" : "dashboard.did_move", { name: element.item.name }));
      // The click that follows a drag is none.
      if (moved) target.addEventListener("click", (click) => { click.stopPropagation(); click.preventDefault(); }, { capture: true, once: true });
    };
    const up = () => end(true);
    const cancel = () => end(false);
    const giveUp = (key) => { if (key.key === "Escape") { key.preventDefault(); key.stopPropagation(); end(false); } };
    addEventListener("pointermove", follow);
    addEventListener("pointerup", up);
    addEventListener("pointercancel", cancel);
    addEventListener("keydown", giveUp, true);
  };
  header.addEventListener("pointerdown", (event) => { if (!event.target.closest("a, button:not(.panel-grip)") && (event.pointerType !== "touch" || event.target.closest(".panel-grip"))) begin(event, false); });
  corner.addEventListener("pointerdown", (event) => begin(event, true));
  grip.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!by || !page.editing()) return;
    event.preventDefault();
    const { item } = element;
    const { x, y, w, h } = item.grid;
    const next = event.shiftKey
      ? { x, y, w: Math.min(COLUMNS - x, Math.max(LEAST.w, w + by[0])), h: Math.max(LEAST.h, h + by[1]) }
      : { x: Math.min(COLUMNS - w, Math.max(0, x + by[0])), y: Math.max(0, y + by[1] * (by[1] > 0 ? heightBelow(item, sectionOf(element)) : 1)), w, h };
    page.preview(item, sectionOf(element), next);
    page.settle(item, true, t(event.shiftKey ? "dashboard.did_resize" : "dashboard.did_move", { name: item.name }), `keys:${item.key}:${event.shiftKey}`);
    grip.focus();
    const grid = element.item.grid;
    page.say(t("dashboard.at", { x: grid.x + 1, y: grid.y + 1, w: grid.w, h: grid.h }));
  });
}
const sectionOf = (element) => element.parentElement.section;
// One that is moved down by a row would only be moved up again: it has to pass what is below it.
function heightBelow(item, section) {
  const { x, y, w, h } = item.grid;
  const below = section.items.filter((one) => one !== item && one.grid.y >= y + h && one.grid.x < x + w && x < one.grid.x + one.grid.w);
  const next = below.sort((a, b) => a.grid.y - b.grid.y)[0];
  return next ? Math.max(1, next.grid.h) : 1;
}
function sectionAt(board, y) {
  let found = null;
  for (const one of /** @type {NodeListOf<any>} */ (board.querySelectorAll(".grid:not([hidden])"))) {
    const box = one.parentElement.getBoundingClientRect();
    if (y >= box.top) found = one;
  }
  return found;
}
