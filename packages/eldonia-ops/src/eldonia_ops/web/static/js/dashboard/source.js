// The whole dashboard as text, YAML or JSON, to read and to edit. The server reads it back and says where faults are.
import { ApiError, send } from "../lib/api.js";
import { can, h, icon } from "../lib/dom.js";
import { cleaned } from "../lib/dashboards/document.js";
import { yaml } from "../lib/dashboards/yaml.js";
import { t } from "../lib/i18n.js";
import { dialog } from "./menu.js";
import { copyText } from "./panel_menu.js";

const written = (document, format) => (format === "yaml" ? yaml(cleaned(document)) : `${JSON.stringify(cleaned(document), null, 2)}\n`);

/** @param {any} page */
export function showSource(page) {
  let format = "yaml";
  let before = written(page.dashboard(), format);
  const may = can("respond");
  const numbers = h("pre", { class: "source-numbers", "aria-hidden": "true" });
  const area = h("textarea", { class: "source-text mono", spellcheck: "false", autocapitalize: "off", wrap: "off", "aria-label": t("source.label"), readonly: !may });
  const faults = h("ul", { class: "problems", "aria-live": "polite" });
  const count = () => {
    const many = area.value.split("\n").length;
    if (numbers.childElementCount !== many) numbers.replaceChildren(...Array.from({ length: many }, (_, at) => h("span", {}, `${at + 1}\n`)));
  };
  const go = (line, column) => {
    const lines = area.value.split("\n");
    const at = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + Math.max(0, (column ?? 1) - 1);
    area.focus();
    area.setSelectionRange(at, at + Math.max(1, (lines[line - 1]?.length ?? 0) - Math.max(0, (column ?? 1) - 1)));
    area.scrollTop = Math.max(0, (line - 6) * 20);
  };
  function show(problems) {
    for (const one of numbers.children) one.className = "";
    for (const one of problems) if (one.line && numbers.children[one.line - 1]) numbers.children[one.line - 1].className = one.level === "warning" ? "is-warn" : "is-bad";
    faults.replaceChildren(...problems.map((one) => h("li", { class: one.level === "warning" ? "is-warn" : "is-bad" }, one.line ? h("button", { type: "button", class: "link-button", onclick: () => go(one.line, one.column) }, t("source.line", { line: one.line })) : h("code", {}, one.path), " ", one.message, one.hint ? h("span", { class: "sub" }, one.hint) : null)));
  }
  let timer = 0;
  let turn = 0;
  /** @returns {Promise<any[] | null>} problems, or null when it could not be asked */
  async function check() {
    turn += 1;
    const mine = turn;
    try {
      const { problems } = await send("POST", "/dashboards/check", { text: area.value });
      if (mine === turn) show(problems);
      return problems;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const problems = error.more.problems ?? [{ path: "", message: error.message, hint: error.hint, level: "error" }];
      if (mine === turn) show(problems);
      return problems;
    }
  }
  const tab = (name) => h("button", { type: "button", "aria-pressed": String(name === format), "data-format": name, onclick: () => {
    if (area.value !== before && !confirmLoss()) return;
    format = name;
    before = written(page.dashboard(), format);
    fill();
  } }, name.toUpperCase());
  const confirmLoss = () => globalThis.confirm(t("source.lose"));
  const tabs = h("div", { class: "segmented", role: "group", "aria-label": t("source.format") }, ["yaml", "json"].map(tab));
  function fill() {
    area.value = before;
    for (const one of tabs.children) one.setAttribute("aria-pressed", String(one.dataset.format === format));
    count();
    show([]);
  }
  async function apply(close) {
    const problems = await check();
    if (problems?.some((one) => one.level !== "warning")) return;
    try {
      const found = await send("POST", "/dashboards/import", { text: area.value, dry_run: true });
      const { uid } = page.history.document;
      close();
      if (!page.editing()) page.startEditing();
      page.change({ ...found.dashboard, uid }, t("source.did"));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      show(error.more.problems ?? [{ path: "", message: error.message, hint: error.hint, level: "error" }]);
    }
  }
  area.addEventListener("scroll", () => { numbers.scrollTop = area.scrollTop; }, { passive: true });
  area.addEventListener("input", () => { count(); clearTimeout(timer); timer = setTimeout(check, 600); });
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Tab" || event.shiftKey || !may) return;
    event.preventDefault();
    area.setRangeText("  ", area.selectionStart, area.selectionEnd, "end");
  });
  dialog(t("dashboard.source_view"), (close) => [
    h("div", { class: "row" }, tabs, h("span", { class: "grow" }), h("button", { type: "button", onclick: () => copyText(area.value, t("source.copied")) }, icon("copy"), t("inspect.copy"))),
    h("div", { class: "source" }, numbers, area), faults,
    may ? h("footer", {}, h("button", { type: "button", class: "quiet", onclick: close }, t("shell.cancel")), h("button", { type: "button", class: "primary", onclick: () => apply(close) }, t("dashboard.apply"))) : null,
  ], { kind: "dialog wide-dialog", close: t("shell.close") });
  fill();
}
