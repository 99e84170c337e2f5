// Elements from values; text is always text, never markup.
const icons = document.body.dataset.icons;

// Which kind of element a selector finds, the page knows and the type checker does not.
/** @type {(selector: string, within?: ParentNode) => any} */
export const $ = (selector, within = document) => within.querySelector(selector);
/** @type {(selector: string, within?: ParentNode) => any[]} */
export const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "vars") for (const [key, one] of Object.entries(value)) element.style.setProperty(`--${key}`, one);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value === "boolean") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${icons}#${name}`);
  svg.append(use);
  return svg;
}

export const badge = (text, tone = "") => h("span", { class: `badge ${tone}` }, text);

export const labels = (pairs, without = []) =>
  h(
    "div",
    { class: "labels" },
    Object.entries(pairs)
      .filter(([name]) => !without.includes(name))
      .map(([name, value]) => h("span", { class: "label" }, `${name}=`, h("b", {}, value))),
  );

// A value as highlighted, indented JSON.
export function json(value) {
  const pre = h("pre", { class: "json" });
  const write = (one, indent) => {
    const pad = "  ".repeat(indent);
    if (Array.isArray(one) || (one && typeof one === "object")) {
      const list = Array.isArray(one);
      const entries = list ? one.map((item) => [null, item]) : Object.entries(one);
      if (!entries.length) return pre.append(list ? "[]" : "{}");
      pre.append(h("span", { class: "p" }, list ? "[" : "{"), "\n");
      entries.forEach(([key, item], index) => {
        pre.append(`${pad}  `);
        if (key !== null) pre.append(h("span", { class: "k" }, JSON.stringify(key)), ": ");
        write(item, indent + 1);
        pre.append(index < entries.length - 1 ? ",\n" : "\n");
      });
      return pre.append(pad, h("span", { class: "p" }, list ? "]" : "}"));
    }
    const kind = typeof one === "string" ? "s" : typeof one === "number" ? "n" : "b";
    return pre.append(h("span", { class: kind }, JSON.stringify(one)));
  };
  write(value, 0);
  return pre;
}

// Replace an element's children only when what they are made from has changed; keeps the focus in its place.
const shown = new WeakMap();
const FOCUSABLE = "a[href], button, input, select, textarea, summary";
export function render(element, key, children) {
  const text = JSON.stringify(key);
  if (shown.get(element) === text) return false;
  shown.set(element, text);
  const focused = element.contains(document.activeElement) ? $$(FOCUSABLE, element).indexOf(document.activeElement) : -1;
  element.replaceChildren(...children().flat().filter(Boolean));
  if (focused >= 0) $$(FOCUSABLE, element)[focused]?.focus();
  return true;
}

export function count(element, number, tone = "") {
  if (!element) return;
  element.hidden = !number;
  element.textContent = number > 99 ? "99+" : number;
  element.className = `count ${tone}`;
}

// Opens a dialog whose buttons with data-close, and whose backdrop, close it.
export function open(dialog) {
  if (!dialog.dataset.wired) {
    dialog.dataset.wired = "1";
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
    });
  }
  dialog.showModal();
  // A person who opens a form begins to fill it in; a browser would begin with the button that closes it.
  if (document.activeElement?.matches("[data-close]")) dialog.querySelector("input:not([type=hidden], [type=checkbox], [type=radio]), textarea, select")?.focus();
}

// `undo`: [name, what to do], offered as a button for as long as the toast stays.
export function toast(text, { bad = false, hint = "", undo = null } = {}) {
  const box = h("div", { class: `toast${bad ? " bad" : ""}` }, text, hint ? h("small", {}, hint) : null);
  if (undo) {
    const [name, back] = undo;
    const button = h("button", { type: "button", class: "quiet" }, name);
    button.addEventListener("click", () => { box.remove(); back(); });
    box.append(button);
  }
  document.getElementById("toasts").append(box);
  setTimeout(() => box.remove(), undo ? 20_000 : bad ? 9000 : 4000);
}

export const can = (capability) => document.documentElement.dataset.can.split(" ").includes(capability);
