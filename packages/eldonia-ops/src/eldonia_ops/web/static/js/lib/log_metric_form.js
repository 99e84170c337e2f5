// The form in which a search becomes a metric. It shows what the metric would have counted before it is saved.
import { ApiError, get } from "./api.js";
import { attempt, change } from "./configuration.js";
import { $, badge, h, icon, open } from "./dom.js";
import { digits, integer } from "./format.js";
import { t, word } from "./i18n.js";
import { labelsText, metricEntry, metricSearch, suggestedName, withLabel } from "./log_metric_entry.js";
import { trialView } from "./trial_view.js";

const SECTION = "log_metrics";
const TYPES = ["counter", "histogram", "gauge"];
const UNITS = ["none", "ns", "us", "ms", "s", "min", "h", "B", "kB", "MB", "GB", "KiB", "MiB", "GiB", "%"];
const OFFERED = ["service", "level", "operation", "component"];
const MOST_OFFERED = 8;
// Fields that have nearly as many values as there are records.
const UNFIT = /(^|[_.])(id|message|stack|ip_address|user_agent|parse_error|timestamp)$/i;
const MANY_VALUES = 100;
const WAIT_MS = 400;

const input = (name, key, attributes, doc = "") => {
  const { value, wide, ...own } = attributes;
  const control = h("input", { id: `metric-${key}`, name: key, autocomplete: "off", autocapitalize: "off", spellcheck: false, ...own });
  control.value = value ?? "";
  return h("label", { class: `field${wide ? " wide" : ""}`, for: `metric-${key}` }, h("span", {}, name), control, doc ? h("small", { class: "muted" }, doc) : null);
};
const choice = (name, key, options, chosen, words) =>
  h("label", { class: "field", for: `metric-${key}` }, h("span", {}, name), h("select", { id: `metric-${key}`, name: key }, options.map((one) => h("option", { value: one, selected: one === chosen }, word(words, one)))));

const bar = (one, most) =>
  h("li", {}, h("span", { class: "mono" }, one.le === "+Inf" ? t("metric_form.above") : `≤ ${digits(Number(one.le))}`), h("span", { class: "bucket-bar" }, h("i", { vars: { part: most ? one.count / most : 0 } })), h("span", { class: "num" }, integer(one.count)));

/** What the metric would have counted. @param {any} found @param {(bounds: number[]) => void} take */
export function metricPreview(found, take) {
  const full = found.series > found.max_series;
  const most = Math.max(0, ...found.buckets.map((one) => one.count));
  const spread = found.sample > found.skipped;
  return h("div", { class: `trial ${full || found.taken ? "warned" : "ok"}` },
    h("p", {}, t("metric_form.counted", { records: integer(found.records), series: integer(found.series) })),
    found.taken ? h("p", { class: "warn" }, t("metric_form.taken")) : null,
    full ? h("p", { class: "bad" }, t("metric_form.too_many", { most: integer(found.max_series) })) : null,
    found.labels.length ? h("ul", { class: "label-counts" }, found.labels.map((one) =>
      h("li", {}, h("span", { class: "mono" }, one.label === one.field ? one.label : `${one.label} = ${one.field}`), " ", h("span", { class: one.values > MANY_VALUES ? "warn" : "muted" }, t("metric_form.values", { n: integer(one.values) })), one.values > MANY_VALUES ? badge(t("metric_form.many"), "warn") : null))) : null,
    found.skipped ? h("p", { class: spread ? "muted" : "warn" }, t("metric_form.skipped", { n: integer(found.skipped), of: integer(found.sample) })) : null,
    spread ? h("p", { class: "muted" }, t("metric_form.between", { low: digits(found.lowest), high: digits(found.highest) })) : null,
    found.buckets.length && spread ? h("ol", { class: "buckets", "aria-label": t("metric_form.buckets") }, found.buckets.map((one) => bar(one, most))) : null,
    found.fitting.length ? h("p", {}, h("button", { type: "button", onclick: () => take(found.fitting) }, t("metric_form.take_fitting")), " ", h("span", { class: "mono small muted" }, found.fitting.map((one) => String(one)).join(", "))) : null,
    h("dl", { class: "promql-lines" }, found.queries.map((one) => h("div", {}, h("dt", {}, t(`metric_form.query_${one.key}`)), h("dd", {}, h("code", {}, one.query))))));
}

function fieldsets(values, before) {
  return [
    input(t("metric_form.search"), "search", { value: values.search, wide: true, class: "mono", maxlength: 4000, placeholder: "service:checkout level:error" }, t("metric_form.search_hint")),
    choice(t("metric_form.type"), "type", TYPES, values.type ?? "counter", "metric_type"),
    input(t("metric_form.name"), "name", { value: values.name, required: true, maxlength: 200, class: "mono", pattern: "[a-zA-Z_:][a-zA-Z0-9_:]*" }, before ? "" : t("metric_form.name_hint")),
    input(t("metric_form.value"), "value", { value: values.value, class: "mono", maxlength: 500, list: "metric-fields", placeholder: "performance.duration" }),
    choice(t("metric_form.unit"), "unit", UNITS, values.unit ?? "none", "metric_unit"),
    h("div", { class: "wide label-choice" }, input(t("metric_form.labels"), "labels", { value: labelsText(values.labels), class: "mono", maxlength: 2000, placeholder: "service, operation" }, t("metric_form.labels_hint")), h("div", { class: "label-offers", role: "group", "aria-label": t("metric_form.labels") })),
    input(t("metric_form.buckets"), "buckets", { value: (values.buckets ?? []).join(", "), wide: true, class: "mono", maxlength: 4000, placeholder: "0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10" }, t("metric_form.buckets_hint")),
  ];
}

/**
 * @param {{search?: string, entry?: any, saved?: () => void}} wanted `search` a new one begins with, `entry` one that is changed
 */
export function openLogMetricForm({ search = "", entry = null, saved = () => {} } = {}) {
  const before = entry?.values ?? {};
  const values = { search: metricSearch(search), ...before };
  const place = h("div", { class: "trial-place", "aria-live": "polite" });
  const fault = h("p", { class: "fault", role: "alert", hidden: true });
  const fields = h("datalist", { id: "metric-fields" });
  const form = h("form", { class: "entry-form", method: "dialog", novalidate: true },
    h("header", {}, h("h2", { id: "metric-title" }, entry ? t("metric_form.change", { name: entry.name }) : t("metric_form.title")), h("button", { class: "icon-button", type: "button", "data-close": "", "aria-label": t("shell.close") }, icon("close"))),
    h("div", { class: "entry-fields" }, fieldsets(values, entry), fields),
    h("details", { class: "entry-more" }, h("summary", {}, t("conf.more")), h("div", { class: "entry-fields" },
      input(t("metric_form.help"), "help", { value: values.help, maxlength: 1000, wide: true }),
      input(t("metric_form.max_series"), "max_series", { value: values.max_series === undefined ? "" : String(values.max_series), inputmode: "numeric", placeholder: "1000" }))),
    place, fault,
    h("footer", {}, h("span", { class: "grow" }), h("button", { type: "button", class: "quiet", "data-close": "" }, t("shell.cancel")), h("button", { class: "primary", type: "submit" }, t("conf.save"))));
  const dialog = h("dialog", { class: "dialog entry-dialog", "aria-labelledby": "metric-title" }, form);
  const control = (key) => form.elements.namedItem(key);
  /** @returns {any} */
  const given = () => Object.fromEntries(["name", "search", "type", "value", "unit", "labels", "buckets", "help", "max_series"].map((key) => [key, control(key).value]));
  let own = Boolean(entry); // the name is the person's: it is not written anew
  let asked = 0;
  let timer = 0;

  function name() {
    if (!own) control("name").value = suggestedName(given());
  }
  function show() {
    const type = control("type").value;
    control("buckets").closest("label").hidden = type !== "histogram";
    control("value").required = type !== "counter";
    $("span", control("value").closest("label")).textContent = t(type === "counter" ? "metric_form.value_optional" : "metric_form.value");
    control("unit").closest("label").hidden = !control("value").value.trim();
  }
  async function preview() {
    if (!control("name").value.trim() || (control("value").required && !control("value").value.trim())) return void place.replaceChildren();
    const mine = ++asked;
    place.setAttribute("aria-busy", "true");
    try {
      const found = await attempt(SECTION, metricEntry(given(), before), entry?.name ?? "");
      if (mine !== asked) return;
      place.replaceChildren(found.log_metric ? metricPreview(found.log_metric, take) : trialView(found, SECTION));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (mine === asked) place.replaceChildren(h("p", { class: "fault" }, error.hint ? `${error.message} (${error.hint})` : error.message));
    } finally {
      if (mine === asked) place.removeAttribute("aria-busy");
    }
  }
  function take(bounds) {
    control("buckets").value = bounds.join(", ");
    preview();
  }
  async function offer() {
    const until = Date.now();
    const found = await get("/logs/fields", { since: until - 3_600_000, until }).catch(() => []);
    fields.replaceChildren(...found.map((one) => h("option", { value: one.name })));
    const offered = [...new Set([...OFFERED, ...found.map((one) => one.name)])].filter((one) => !UNFIT.test(one)).slice(0, MOST_OFFERED);
    $(".label-offers", form).replaceChildren(...offered.map((one) =>
      h("button", { type: "button", class: "quiet", onclick: () => { control("labels").value = withLabel(control("labels").value, one); preview(); } }, `+ ${one}`)));
  }

  form.addEventListener("input", (event) => {
    fault.hidden = true;
    if (event.target.name === "name") own = Boolean(event.target.value);
    else name();
    show();
    clearTimeout(timer);
    timer = setTimeout(preview, WAIT_MS);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wrong = [...form.elements].find((one) => one.matches("input") && !one.checkValidity());
    if (wrong) {
      fault.hidden = false;
      fault.textContent = wrong.name === "name" && wrong.value ? t("metric_form.bad_name") : t("conf.missing", { field: $("span", wrong.closest("label")).textContent });
      return wrong.focus();
    }
    const save = $("button[type=submit]", form);
    save.disabled = true;
    try {
      await change([{ section: SECTION, name: entry?.name ?? "", values: metricEntry(given(), before) }]);
      dialog.close();
      saved();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      fault.hidden = false;
      fault.textContent = error.hint ? `${error.message} (${error.hint})` : error.message;
    } finally {
      save.disabled = false;
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  open(dialog);
  name();
  show();
  offer();
  preview();
}
