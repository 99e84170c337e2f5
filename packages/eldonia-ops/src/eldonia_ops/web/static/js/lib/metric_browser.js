// The drawer in which metrics are looked for, and a query is built from one by clicks.
import { $, h, open } from "./dom.js";
import { integer } from "./format.js";
import { t } from "./i18n.js";
import { isInternal } from "./metric_names.js";
import { operations, selector, typeOf } from "./promql_build.js";
import { metadataOf, promqlSource } from "./promql_source.js";

const SHOWN = 200;
const SHOWN_VALUES = 100;
const source = promqlSource();

/** Names that hold all words of a search, those that begin with it first. @param {string[]} names @param {string} wanted */
export function matching(names, wanted) {
  const words = wanted.toLowerCase().split(/[\s_]+/).filter(Boolean);
  const folded = wanted.trim().toLowerCase();
  const found = names.filter((name) => words.every((word) => name.toLowerCase().includes(word)));
  const rank = (name) => (name === folded ? 0 : name.startsWith(folded) ? 1 : 2);
  return found.sort((a, b) => rank(a) - rank(b) || Number(isInternal(a)) - Number(isInternal(b)) || a.localeCompare(b));
}

/** How many series have each label, and each value of it, the most frequent first. @param {Record<string, string>[]} series */
export function labelCounts(series) {
  const found = new Map();
  for (const labels of series) for (const [name, value] of Object.entries(labels)) {
    if (name === "__name__") continue;
    const values = found.get(name) ?? new Map();
    values.set(value, (values.get(value) ?? 0) + 1);
    found.set(name, values);
  }
  return [...found].sort(([a], [b]) => a.localeCompare(b)).map(([name, values]) => ({ name, values: [...values].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([value, count]) => ({ value, count })) }));
}

let wired = null;

/** Open the drawer; `choose` gets the query that was built. @param {(query: string) => void} choose */
export async function browseMetrics(choose) {
  const dialog = $("#metrics");
  const search = $("#metrics-search");
  const listBox = $("#metrics-list");
  const detail = $("#metrics-detail");
  let names = [];
  let metadata = {};
  let metric = "";
  let matchers = [];

  async function show(name) {
    metric = name;
    for (const one of listBox.children) one.firstElementChild?.setAttribute("aria-current", String(one.dataset.name === name));
    const about = metadataOf(metadata, name);
    const type = typeOf(name, about);
    const series = await source.series(name, matchers);
    if (metric !== name) return;
    const written = selector(name, matchers);
    const use = (query) => { dialog.close(); choose(query); };
    const facts = [t(`explore.type_${type}`), about?.unit, t("explore.series_count", { n: `${integer(series.length)}${series.length >= 1000 ? "+" : ""}` })];
    detail.replaceChildren(
      h("header", { class: "metric-head" }, h("button", { type: "button", class: "link-button only-narrow-block", onclick: () => { detail.hidden = true; } }, `← ${t("explore.all_metrics")}`), h("h3", { class: "mono" }, name)),
      h("p", { class: "muted small" }, facts.filter(Boolean).join(" · ")),
      ...(about?.help ? [h("p", {}, about.help)] : []),
      h("p", { class: "built" }, h("code", {}, written), h("button", { type: "button", class: "primary", onclick: () => use(written) }, t("explore.use"))),
      h("div", { class: "operations", role: "group", "aria-label": t("explore.operations") }, operations(type).filter(({ key }) => key !== "plain").map(({ key, make }) => h("button", { type: "button", title: make(written), onclick: () => use(make(written)) }, t(`explore.op_${key}`)))),
      h("div", { class: "label-lists" }, labelCounts(series).map(({ name: label, values }) => labelList(label, values))),
    );
    detail.hidden = false;
  }

  function labelList(label, values) {
    const chosen = matchers.find((one) => one.name === label);
    const most = Math.max(1, ...values.map((one) => one.count));
    const pick = (value) => {
      matchers = matchers.filter((one) => one.name !== label);
      if (chosen?.value !== value) matchers.push({ name: label, op: "=", value });
      show(metric);
    };
    return h("details", { class: "facet", open: values.length <= 12 || Boolean(chosen) },
      h("summary", {}, h("span", { class: "mono" }, label), h("span", { class: "muted small" }, ` ${integer(values.length)}`)),
      h("ul", {}, values.slice(0, SHOWN_VALUES).map((one) => h("li", {}, h("button", { type: "button", class: "facet-value", "aria-pressed": String(chosen?.value === one.value), title: one.value, onclick: () => pick(one.value) },
        h("span", { class: "facet-name" }, one.value === "" ? '""' : one.value), h("span", { class: "facet-count" }, integer(one.count)), h("meter", { class: "facet-bar", "aria-hidden": "true", min: 0, max: most, value: one.count }))))),
      values.length > SHOWN_VALUES ? h("p", { class: "muted small" }, t("explore.more_values", { n: integer(values.length - SHOWN_VALUES) })) : null);
  }

  function list() {
    const found = matching(names, search.value);
    listBox.replaceChildren(...found.slice(0, SHOWN).map((name) => {
      const about = metadataOf(metadata, name);
      return h("li", { "data-name": name }, h("button", { type: "button", class: "metric-name", title: about?.help || name, onclick: () => { matchers = []; show(name); } }, h("span", { class: "mono" }, name), h("span", { class: "muted small" }, t(`explore.type_${typeOf(name, about)}`))));
    }));
    $("#metrics-count").textContent = found.length > SHOWN ? t("explore.metrics_cut", { n: SHOWN, all: integer(found.length) }) : t("explore.metrics_count", { n: integer(found.length) });
  }

  wired?.abort();
  wired = new AbortController();
  search.addEventListener("input", list, { signal: wired.signal });
  detail.hidden = true;
  open(dialog);
  search.focus();
  [names, metadata] = await Promise.all([source.metricNames(), source.metricMetadata()]);
  list();
}
