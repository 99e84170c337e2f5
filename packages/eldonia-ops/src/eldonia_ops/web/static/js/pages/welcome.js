import { ApiError, act, get, send } from "../lib/api.js";
import { arrival, arrivalRow } from "../lib/arrivals.js";
import { showHistory } from "../lib/change_history.js";
import { change, onConfiguration, readConfiguration, readForms } from "../lib/configuration.js";
import { $, $$, badge, h, can } from "../lib/dom.js";
import { openEntryForm } from "../lib/entry_form.js";
import { integer } from "../lib/format.js";
import { t, word } from "../lib/i18n.js";
import { poll } from "../lib/poll.js";

// Which entries make a step done; this machine's own readings count as the first.
const DONE = {
  machine: (has) => Boolean(looked) || has("host"),
  metrics: (has) => ["scrape", "nginx", "postgresql", "redis"].some(has),
  probes: (has) => has("probes"),
  logs: (has) => has("logs"),
  receivers: (has) => has("receivers"),
};
const KINDS = { metrics: ["scrape", "nginx", "postgresql", "redis"], probes: ["probes"], logs: ["logs"] };
const STORED = "eldonia_ops_welcome";

let looked = null;
let view = null;
const mine = new Map(); // what was saved on this page, by section and name

function added(section, name) {
  mine.set(`${section}\n${name}`, { section, name, since: Date.now() });
  $("#arriving").hidden = false;
  arrivals.now();
  $("#arriving").scrollIntoView({ block: "nearest" });
}

function steps() {
  const has = (section) => view?.entries.some((one) => one.section === section && one.holds);
  for (const link of $$("#steps a")) {
    const done = DONE[link.dataset.step](has);
    link.classList.toggle("done", done);
    const mark = $(".mark", link);
    mark.textContent = done ? "✓" : String($$("#steps a").indexOf(link) + 1);
    $(".hide", link).textContent = done ? t("welcome.is_done") : "";
  }
}

// --- what is on this machine ---
const valueText = (values) => Object.entries(values).map(([key, value]) => `${key}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
function foundRow(one, index) {
  const id = `found-${index}`;
  const box = h("input", { type: "checkbox", id, value: String(index), disabled: one.present || Boolean(one.step), checked: !one.present && !one.step });
  box.addEventListener("change", footer);
  const [first, ...more] = one.step.split("\n");
  return h("div", { class: "found-row" }, box,
    h("label", { for: id }, h("strong", {}, one.section === "host" ? word("entry_kind", "host") : one.name), " ", h("span", { class: "muted small" }, word("entry_kind", one.section))),
    one.present ? badge(t("welcome.present"), "ok") : one.step ? h("button", { type: "button", onclick: () => openEntryForm(one.section, { entry: { values: one.values }, saved: (_, name) => added(one.section, name) }) }, t("welcome.set_up")) : h("span"),
    h("span", { class: "sub" }, one.why), h("span", { class: "sub" }, h("code", {}, valueText(one.values))),
    one.step ? h("span", { class: "sub warn" }, t("welcome.needs", { step: first }), more.map((line) => h("code", { class: "sub" }, line))) : null);
}
function chosen() {
  const found = $$("#found input:checked:not(:disabled)").map((box) => looked.found[Number(box.value)]);
  // An objective counts what its probe finds.
  const probes = new Set([...found, ...(view?.entries ?? [])].filter((one) => one.section === "probes").map((one) => one.name));
  const kept = found.filter((one) => one.section !== "objectives" || probes.has(one.values.probe));
  return kept.sort((a, b) => Number(a.section === "objectives") - Number(b.section === "objectives"));
}
function footer() {
  const count = chosen().length;
  $("#found-foot").hidden = !looked;
  $("#add-found").disabled = !count;
  $("#add-found").textContent = t("welcome.add", { count: integer(count) });
}
// What an entry watches: addresses, a URL or a path. Of entries written by hand the platform knows it, the page does not.
const watches = ({ targets = [], url, path, instance }) => [...targets, url, path, instance].filter(Boolean);
function isPresent(one) {
  const mine = watches(one.values);
  const named = one.section === "objectives" || one.section === "host";
  return view?.entries.some((entry) => entry.managed && entry.section === one.section && (named ? entry.name === one.name : watches(entry.values).some((value) => mine.includes(value))));
}
// A name that another entry has is given a number.
const NAMES = { scrape: "job", probes: "name" };
function named(one, others) {
  const key = NAMES[one.section];
  if (!key) return one.values;
  const taken = new Set([...(view?.entries ?? []), ...others].filter((entry) => entry.section === one.section).map((entry) => entry.name));
  let name = one.values[key];
  for (let number = 2; taken.has(name); number += 1) name = `${one.values[key]}-${number}`;
  return { ...one.values, [key]: name };
}
function showFound() {
  for (const one of looked.found) {
    one.known ??= one.present;
    one.present = one.known || isPresent(one);
  }
  const order = [...looked.found].sort((a, b) => Number(a.present) - Number(b.present) || Number(Boolean(a.step)) - Number(Boolean(b.step)));
  looked.found = order;
  $("#found").replaceChildren(...(order.length ? order.map(foundRow) : [h("p", { class: "empty" }, t("welcome.nothing_found"))]));
  $("#found-note").textContent = looked.remarks.join(" · ");
  footer();
}
async function look() {
  $("#look").disabled = true;
  $("#found").replaceChildren(h("p", { class: "found-row" }, h("span", { class: "busy" }), h("span", { class: "muted" }, t("welcome.looking"))));
  await act(async () => { looked = await send("POST", "/configuration/look"); });
  if (looked) showFound();
  else $("#found").replaceChildren();
  $("#look").disabled = false;
  steps();
}

// --- forms ---
async function kinds() {
  const forms = await readForms();
  for (const place of $$("[data-kinds]")) {
    const step = place.dataset.kinds;
    const wanted = step === "receivers" ? forms.filter((one) => one.section === "receivers") : forms.filter((one) => KINDS[step].includes(one.section));
    place.replaceChildren(...wanted.map((form) =>
      h("button", { type: "button", onclick: () => openEntryForm(form.section, { kind: form.kind, saved: (_, name) => added(form.section, name) }) },
        form.kind ? form.title : word("entry_kind", form.section))));
  }
}

const arrivals = poll(async () => {
  if (!mine.size) return;
  const targets = await get("/targets");
  const rows = [];
  for (const entry of mine.values()) {
    if (!view?.entries.some((one) => one.managed && one.section === entry.section && one.name === entry.name)) continue;
    rows.push(arrivalRow(entry, await arrival(entry, targets)));
  }
  $("#arriving").hidden = !rows.length;
  $("#arrivals").replaceChildren(...rows);
}, 2000);

if (can("administer")) {
  onConfiguration((now) => {
    view = now;
    $("#off").hidden = now.enabled;
    $("#file").textContent = now.file;
    showHistory($("#history"), now);
    if (looked) showFound();
    steps();
    arrivals.now();
  });
  $("#skip").addEventListener("click", () => localStorage.setItem(STORED, "skipped"));
  $("#look").addEventListener("click", look);
  $("#found-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const wanted = [];
    const renamed = new Map(); // probes that got another name, for their objectives
    for (const one of chosen()) {
      const values = one.section === "objectives" ? { ...one.values, probe: renamed.get(one.values.probe) ?? one.values.probe } : named(one, wanted);
      if (one.section === "probes") renamed.set(one.values.name, values.name);
      wanted.push({ section: one.section, name: values[NAMES[one.section]] ?? one.name, values });
    }
    $("#add-found").disabled = true;
    try {
      await change(wanted.map(({ section, values }) => ({ section, values })), t("welcome.added", { count: integer(wanted.length) }));
      for (const one of wanted) if (one.section !== "objectives") added(one.section, one.name);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      await act(() => Promise.reject(error));
    }
    footer();
  });
  await readConfiguration();
  await kinds();
  look();
}
