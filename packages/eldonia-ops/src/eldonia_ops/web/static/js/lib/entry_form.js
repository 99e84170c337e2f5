// One form for every kind of entry, made from what the platform says of its fields. It shows what arrives before it saves.
import { ApiError } from "./api.js";
import { attempt, change, readForms } from "./configuration.js";
import { $, h, icon, open } from "./dom.js";
import { entryAfter, shown, valueAt } from "./entry_values.js";
import { language, t, word } from "./i18n.js";
import { trialView } from "./trial_view.js";

const EXAMPLES = {
  "scrape.job": "node", "scrape.targets": "127.0.0.1:9100", "probes.name": "shop", "probes.url": "https://shop.example/health",
  "logs.path": "/var/log/nginx/*.log", "nginx.url": "http://127.0.0.1:8080/nginx_status", "redis.url": "redis://127.0.0.1:6379",
  "postgresql.dsn": "postgresql://eldonia:…@127.0.0.1/postgres", "objectives.target": "99.9",
  "retention.log_rules.name": "debug", "retention.log_rules.search": "level:debug", "retention.log_rules.keep": "7d", "retention.log_rules.max_size": "10GiB",
};
const WIDE = new Set(["targets", "url", "path", "dsn", "good", "total", "to", "webhook_url", "api_url", "search"]);
const SEVERITIES = ["critical", "warning", "info"];

// Where the fields of a receiver's integration are in its entry.
const prefix = (form) => (form.kind ? `${form.kind}_configs.0.` : "");
const label = (form, field) => word(`entry_field.${form.kind || form.section}`, field.key) === field.key ? word("entry_field", field.key) : word(`entry_field.${form.kind || form.section}`, field.key);

// A secret as it is typed: dots, and a button that shows them.
function revealable(control) {
  const button = h("button", { type: "button", class: "quiet icon-button", "aria-pressed": "false", "aria-label": t("conf.show_secret"), title: t("conf.show_secret"), onclick: () => {
    const shown = control.type === "password";
    control.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  } }, icon("eye"));
  return h("span", { class: "revealable" }, control, button);
}

function input(form, field, entry) {
  const key = prefix(form) + field.key;
  const value = valueAt(entry.values, key);
  const kept = field.type === "secret" && entry.secrets.includes(key);
  const id = `field-${key.replaceAll(".", "-")}`;
  const attributes = { id, name: key, autocomplete: "off", spellcheck: false };
  let control;
  if (field.type === "choice") {
    control = h("select", attributes, field.choices.map((one) => h("option", { value: one, selected: one === (value ?? field.default) }, word("form", one))));
  } else if (field.type === "boolean") {
    control = h("input", { ...attributes, type: "checkbox", checked: value === undefined ? field.default === "true" : value === true });
  } else {
    control = h("input", {
      ...attributes, type: field.type === "secret" ? "password" : "text", maxlength: 4096, required: field.required && !kept,
      inputmode: field.type === "number" ? "decimal" : null,
      placeholder: kept ? t("conf.kept") : EXAMPLES[`${form.section}.${field.key}`] ?? field.default,
    });
    control.value = shown(value, field.type);
    if (field.type === "secret") control.setAttribute("autocomplete", "new-password");
  }
  const name = h("span", {}, label(form, field), field.required || (field.main && field.type === "secret") ? null : h("small", {}, ` ${t("conf.optional")}`));
  const wide = WIDE.has(field.key) ? " wide" : "";
  // The declarations' own sentences are in English.
  const doc = field.doc && language === "en" && !field.main ? h("small", { class: "muted" }, field.doc.replaceAll("`", "")) : null;
  return field.type === "boolean"
    ? h("label", { class: "chip", for: id }, control, h("span", {}, label(form, field)))
    : h("label", { class: `field${wide}`, for: id }, name, field.type === "secret" ? revealable(control) : control, doc);
}

// Which alerts a receiver gets: all, or those with some severities, teams or services.
function matching(entry) {
  const wanted = entry.values.matching ?? {};
  const words = (name) => [wanted[name] ?? []].flat();
  const some = Object.keys(wanted).length > 0;
  const details = h("div", { class: "matching", hidden: !some },
    h("div", { class: "chips", role: "group", "aria-label": t("conf.severities") }, SEVERITIES.map((one) =>
      h("label", { class: "chip" }, h("input", { type: "checkbox", name: "severity", value: one, checked: words("severity").includes(one) }), h("span", {}, word("severity", one))))),
    ["team", "service"].map((name) => {
      const control = h("input", { name: `matching-${name}`, autocomplete: "off", maxlength: 500, placeholder: t(`conf.any_${name}`) });
      control.value = words(name).join(", ");
      return h("label", { class: "field" }, h("span", {}, t(`conf.${name}`)), control);
    }));
  const choose = (value, checked) => h("label", { class: "chip" }, h("input", { type: "radio", name: "matching", value, checked, onchange: () => { details.hidden = value === "all"; } }), h("span", {}, t(`conf.matching_${value}`)));
  return h("fieldset", { class: "wide" }, h("legend", {}, t("conf.matching")), h("div", { class: "chips" }, choose("all", !some), choose("some", some)), details);
}

function matched(form, before) {
  if (form.elements.namedItem("matching")?.value !== "some") return undefined;
  const known = Object.fromEntries(Object.entries(before ?? {}).filter(([name]) => !["severity", "team", "service"].includes(name)));
  const severity = [...form.querySelectorAll('[name="severity"]:checked')].map((one) => one.value);
  const found = severity.length ? { ...known, severity } : known;
  for (const name of ["team", "service"]) {
    const words = form.elements.namedItem(`matching-${name}`).value.split(",").map((one) => one.trim()).filter(Boolean);
    if (words.length) found[name] = words;
  }
  return Object.keys(found).length ? found : undefined;
}

/**
 * Opens the form of an entry. `entry` is {name, values, secrets} of one that is changed, or values that are proposed.
 * @param {string} section
 * @param {{kind?: string, entry?: any, saved?: (view: any, name: string) => void}} [options]
 */
export async function openEntryForm(section, { kind = "", entry = null, saved = () => {} } = {}) {
  const forms = await readForms();
  const form = forms.find((one) => one.section === section && one.kind === kind);
  if (!form) return;
  const before = { name: "", values: {}, secrets: [], ...entry };
  const isReceiver = section === "receivers";
  const fields = isReceiver ? form.fields.filter((one) => one.key !== "name") : form.fields;
  const shownFirst = fields.filter((one) => one.main && one.type !== "boolean");
  const others = fields.filter((one) => !shownFirst.includes(one));
  const result = h("div", { class: "trial-place", "aria-live": "polite" });
  const fault = h("p", { class: "fault", role: "alert", hidden: true });
  const tryButton = h("button", { type: "button" }, t(isReceiver ? "conf.try_send" : "conf.try"));
  const save = h("button", { class: "primary", type: "submit" }, t("conf.save"));
  const title = t(before.name ? "conf.change_title" : "conf.add_title", { kind: isReceiver ? form.title : word("entry_kind", section) });
  const named = isReceiver ? h("label", { class: "field", for: "field-name" }, h("span", {}, t("conf.receiver_name")), h("input", { id: "field-name", name: "name", required: true, maxlength: 200, autocomplete: "off" })) : null;
  if (named) $("input", named).value = before.values.name ?? before.name ?? "";
  if (named && !$("input", named).value) $("input", named).value = kind;
  const body = h("form", { class: "entry-form", method: "dialog", novalidate: true },
    h("header", {}, h("h2", { id: "entry-title" }, title), h("button", { class: "icon-button", type: "button", "data-close": "", "aria-label": t("shell.close") }, icon("close"))),
    word("entry_lead", kind || section) === (kind || section) ? null : h("p", { class: "muted" }, word("entry_lead", kind || section)),
    h("div", { class: "entry-fields" }, named, shownFirst.map((one) => input(form, one, before)), isReceiver ? matching(before) : null),
    others.length ? h("details", { class: "entry-more" }, h("summary", {}, t("conf.more")), h("div", { class: "entry-fields" }, others.map((one) => input(form, one, before)))) : null,
    fault, result,
    h("footer", {}, tryButton, h("span", { class: "grow" }), h("button", { type: "button", class: "quiet", "data-close": "" }, t("shell.cancel")), save));
  const dialog = h("dialog", { class: "dialog entry-dialog", "aria-labelledby": "entry-title" }, body);

  function values() {
    const inputs = fields.map((field) => {
      const control = body.elements.namedItem(prefix(form) + field.key);
      return [{ ...field, key: prefix(form) + field.key }, field.type === "boolean" ? control.checked : control.value];
    });
    const start = structuredClone(before.values);
    if (isReceiver) {
      start.name = body.elements.namedItem("name").value.trim();
      start[`${kind}_configs`] ??= [{}];
      const wanted = matched(body, start.matching);
      if (wanted) start.matching = wanted;
      else delete start.matching;
    }
    return entryAfter(start, inputs);
  }
  function complete() {
    const wrong = [...body.elements].find((one) => one.matches("input") && !one.checkValidity());
    fault.hidden = !wrong;
    if (!wrong) return true;
    fault.textContent = t("conf.missing", { field: wrong.closest("label").querySelector("span").firstChild.textContent });
    wrong.focus();
    return false;
  }
  const said = (error) => {
    if (!(error instanceof ApiError)) throw error;
    fault.hidden = false;
    fault.textContent = error.hint ? `${error.message} (${error.hint})` : error.message;
  };
  let tried = "";
  async function trial() {
    if (!complete()) return false;
    const now = values();
    tryButton.disabled = save.disabled = true;
    result.replaceChildren(h("p", { class: "muted busy" }, t(isReceiver ? "conf.sending" : "conf.trying")));
    try {
      const found = await attempt(section, now, before.name);
      tried = JSON.stringify(now);
      result.replaceChildren(trialView(found, section));
      result.scrollIntoView({ block: "nearest" });
      save.textContent = t(found.successful ? "conf.save" : "conf.save_anyway");
      return found.successful;
    } catch (error) {
      result.replaceChildren();
      said(error);
      return false;
    } finally {
      tryButton.disabled = save.disabled = false;
    }
  }
  tryButton.addEventListener("click", trial);
  body.addEventListener("input", () => { fault.hidden = true; save.textContent = t("conf.save"); });
  body.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!complete()) return;
    const now = values();
    // A receiver is not sent a second message because it is saved; anything else is tried once before it is.
    if (!isReceiver && tried !== JSON.stringify(now) && !(await trial())) return;
    save.disabled = true;
    try {
      const view = await change([{ section, name: before.name, values: now }]);
      dialog.close();
      const made = view.changes[0]?.steps[0];
      saved(view, made?.name ?? before.name);
    } catch (error) {
      said(error);
    } finally {
      save.disabled = false;
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  open(dialog);
  $("input, select", body)?.focus();
}
