// A page as the library finds it: a document with what base.html puts there, and texts in one language.
import { Window } from "happy-dom";

export function openPage({ url = "http://localhost:9600/logs", language = "en", body = "" } = {}) {
  const window = new Window({ url, settings: { disableJavaScriptFileLoading: true, disableCSSFileLoading: true } });
  const document = window.document;
  document.documentElement.lang = language;
  document.documentElement.dataset.can = "read respond";
  document.head.innerHTML = '<meta name="csrf-token" content="the-token">';
  document.body.dataset.icons = "/static/icons.svg";
  document.body.innerHTML = `<div id="toasts"></div>${body}`;
  const names = ["document", "location", "history", "Element", "Event", "CustomEvent", "HTMLElement"];
  for (const name of names) Object.defineProperty(globalThis, name, { value: window[name], configurable: true, writable: true });
  for (const name of ["matchMedia", "getComputedStyle", "requestAnimationFrame", "cancelAnimationFrame", "addEventListener", "removeEventListener"]) {
    Object.defineProperty(globalThis, name, { value: window[name].bind(window), configurable: true, writable: true });
  }
  for (const name of ["ResizeObserver", "IntersectionObserver", "CSS"]) Object.defineProperty(globalThis, name, { value: window[name], configurable: true, writable: true });
  for (const name of ["innerWidth", "innerHeight", "devicePixelRatio", "scrollY"]) Object.defineProperty(globalThis, name, { get: () => window[name] ?? 1, configurable: true });
  globalThis.window = /** @type {any} */ (window);
  return window;
}
