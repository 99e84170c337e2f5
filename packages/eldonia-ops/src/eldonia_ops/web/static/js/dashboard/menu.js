// Menus and other things that open beside a button: in the top layer, closed by Escape, a click elsewhere, or a choice.
import { $$, h, icon } from "../lib/dom.js";

let open = null;
export function closePopover() {
  open?.();
}
/**
 * @param {HTMLElement} anchor @param {HTMLElement} box
 * @param {{focus?: () => HTMLElement | null, closed?: () => void, align?: "start" | "end"}} [options]
 */
export function popover(anchor, box, { focus = () => null, closed, align = "start" } = {}) {
  const again = open?.anchor === anchor;
  closePopover();
  if (again) return;
  box.classList.add("pop");
  // Inside an open dialog, which makes all outside of it inert.
  (anchor.closest("dialog") ?? document.body).append(box);
  box.popover = "manual";
  box.showPopover();
  anchor.setAttribute("aria-expanded", "true");
  const at = anchor.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  const left = Math.max(6, Math.min(align === "end" ? at.right - width : at.left, innerWidth - width - 6));
  const below = at.bottom + 4 + height <= innerHeight || at.top < innerHeight / 2;
  box.style.left = `${left}px`;
  if (below) { box.style.top = `${at.bottom + 4}px`; box.style.maxHeight = `${innerHeight - at.bottom - 12}px`; }
  else { box.style.top = `${Math.max(6, at.top - 4 - height)}px`; box.style.maxHeight = `${at.top - 12}px`; }
  const close = (back = false) => {
    document.removeEventListener("pointerdown", outside, true);
    document.removeEventListener("keydown", keys, true);
    removeEventListener("resize", gone);
    box.remove();
    anchor.setAttribute("aria-expanded", "false");
    open = null;
    if (back) anchor.focus();
    closed?.();
  };
  const outside = (event) => { if (!box.contains(event.target) && !anchor.contains(event.target)) close(); };
  const gone = () => close();
  const keys = (event) => {
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); close(true); }
    if (event.key === "Tab" && !box.querySelector("input, select, textarea")) close(true);
  };
  document.addEventListener("pointerdown", outside, true);
  document.addEventListener("keydown", keys, true);
  addEventListener("resize", gone);
  open = Object.assign(close, { anchor });
  (focus() ?? box).focus();
}

/** @typedef {string | {name: string, icon?: string, key?: string, act?: () => void, href?: string, danger?: boolean, disabled?: boolean, items?: (Item | null)[], checked?: boolean}} Item a text is a line between items */
/**
 * A menu at a button. @param {HTMLElement} anchor @param {(Item | null | false)[]} items
 */
export function menu(anchor, items) {
  const entry = (one) => {
    if (typeof one === "string") return h("hr");
    const attributes = { role: one.checked === undefined ? "menuitem" : "menuitemcheckbox", tabindex: "-1", class: one.danger ? "menu-item is-danger" : "menu-item", ...(one.checked === undefined ? {} : { "aria-checked": String(one.checked) }) };
    const inner = [one.icon ? icon(one.icon) : h("span", { class: "icon" }), h("span", {}, one.name), one.key ? h("kbd", {}, one.key) : null];
    if (one.href) return h("a", { ...attributes, href: one.href }, ...inner);
    return h("button", { ...attributes, type: "button", disabled: Boolean(one.disabled), onclick: () => { closePopover(); anchor.focus(); one.act(); } }, ...inner);
  };
  const box = h("div", { role: "menu", class: "menu" }, items.filter(Boolean).map(entry));
  box.addEventListener("keydown", (event) => {
    const all = $$(".menu-item:not(:disabled)", box);
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) {
      const found = event.key.length === 1 ? all.find((one) => $$("kbd", one).some((key) => key.textContent === event.key)) : null;
      if (found) { event.preventDefault(); event.stopPropagation(); found.click(); }
      return;
    }
    event.preventDefault();
    all.at(to % all.length)?.focus();
  });
  const { left, width } = anchor.getBoundingClientRect();
  popover(anchor, box, { focus: () => box.querySelector(".menu-item"), align: left + width / 2 > innerWidth / 2 ? "end" : "start" });
}

/**
 * A dialog that is made for one use and gone after it. `build(close)` gives its content.
 * @param {string} title @param {(close: () => void) => (Node | string | null)[]} build
 * @param {{kind?: string, closed?: () => void, close?: string}} [options] `close` is the name of the button that closes it
 */
export function dialog(title, build, { kind = "dialog", closed, close: name = "" } = {}) {
  const id = `dialog-${Math.random().toString(36).slice(2)}`;
  const box = /** @type {HTMLDialogElement} */ (h("dialog", { class: kind, "aria-labelledby": id }));
  const close = () => box.close();
  box.append(h("header", {}, h("h2", { id }, title), h("button", { type: "button", class: "icon-button", "aria-label": name, onclick: close }, icon("close"))), ...build(close).filter(Boolean));
  let pressed = false;
  box.addEventListener("pointerdown", (event) => { pressed = event.target === box; });
  box.addEventListener("click", (event) => { if (event.target === box && pressed) close(); });
  box.addEventListener("close", () => { box.remove(); closed?.(); });
  document.body.append(box);
  box.showModal();
  return { box, close };
}
