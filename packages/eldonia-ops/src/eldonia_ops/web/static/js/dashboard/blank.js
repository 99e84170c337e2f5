// A dashboard with nothing on it: a first panel, or panels for metrics that exist.
import { act, send } from "../lib/api.js";
import { $, can, h, icon } from "../lib/dom.js";
import { addPanel } from "../lib/dashboards/document.js";
import { suggestions } from "../lib/dashboards/suggestions.js";
import { t } from "../lib/i18n.js";
import { dialog } from "./menu.js";
import { found } from "./choice.js";
import { newPanel } from "./acts.js";

const MOST_LISTED = 150;

/** The names of metrics that have samples now. @returns {Promise<string[]>} */
export async function metricNames(page) {
  const document = { uid: "names", title: "names", variables: [{ name: "metric", type: "query", query: "metrics(.+)" }] };
  const answer = await send("POST", "/dashboards/variables", { dashboard: document, values: {}, ...page.time() });
  return answer.variables[0].options.map((one) => one.value);
}

/** @param {any} page */
export async function suggest(page) {
  let all = /** @type {ReturnType<typeof suggestions>} */ ([]);
  if (!(await act(async () => { all = suggestions(await metricNames(page)); }))) return;
  const chosen = new Set();
  const search = h("input", { type: "search", placeholder: t("suggest.search"), "aria-label": t("suggest.search"), autocomplete: "off" });
  const list = h("div", { class: "suggest-list", tabindex: "0", role: "group", "aria-label": t("suggest.title") });
  const add = h("button", { type: "button", class: "primary", disabled: true });
  const show = () => {
    const fits = found(all.map((one) => ({ ...one, value: one.key, text: one.title, more: one.panel.queries[0].expr })), search.value).slice(0, MOST_LISTED);
    let group = "";
    list.replaceChildren(...fits.flatMap((one) => {
      const item = h("label", { class: "suggest" }, h("input", { type: "checkbox", checked: chosen.has(one.key), onchange: (event) => { if (event.currentTarget.checked) chosen.add(one.key); else chosen.delete(one.key); count(); } }), h("span", {}, h("b", {}, one.title), h("span", { class: "badge" }, t(`panel_type.${one.panel.type}`)), h("code", { class: "sub" }, one.more)));
      if (one.group === group) return [item];
      group = one.group;
      return [h("h3", {}, `${group}_…`), item];
    }), ...(fits.length ? [] : [h("p", { class: "muted" }, all.length ? t("dashboard.choose_none") : t("suggest.none"))]));
  };
  const count = () => { add.disabled = !chosen.size; add.textContent = t("suggest.add", { n: chosen.size }); };
  search.addEventListener("input", show);
  dialog(t("suggest.title"), (close) => {
    add.addEventListener("click", () => {
      close();
      if (!page.editing()) page.startEditing();
      page.change(all.filter((one) => chosen.has(one.key)).reduce((document, one) => addPanel(document, one.panel)[0], page.dashboard()), t("suggest.did", { n: chosen.size }));
    });
    return [h("p", { class: "muted" }, t("suggest.lead")), search, list, h("footer", {}, h("button", { type: "button", class: "quiet", onclick: close }, t("shell.cancel")), add)];
  }, { kind: "dialog wide-dialog", close: t("shell.close") });
  count();
  show();
  search.focus();
}

/** @param {any} page @param {HTMLElement} place */
export function blankBoard(page, place) {
  const blank = !(page.dashboard().panels ?? []).length;
  place.hidden = !blank;
  $("#board").hidden = blank;
  if (!blank) { delete place.dataset.shown; return; }
  if (place.dataset.shown) return;
  place.dataset.shown = "1";
  place.className = "card empty";
  place.replaceChildren(h("h2", {}, t("dashboard.blank")), ...(can("respond") ? [h("p", {}, t("dashboard.blank_hint")), h("div", { class: "row" },
    h("button", { type: "button", class: "primary", id: "first-panel", onclick: () => newPanel(page) }, icon("plus"), t("dashboard.add_panel")),
    h("button", { type: "button", id: "suggest", onclick: () => suggest(page) }, icon("search"), t("suggest.open")))] : []));
}
