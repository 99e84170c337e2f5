import { act, get, send } from "../lib/api.js";
import { showHistory } from "../lib/change_history.js";
import { entryOf, onConfiguration, readConfiguration, readForms } from "../lib/configuration.js";
import { openEntryForm } from "../lib/entry_form.js";
import { origin } from "../lib/origin.js";
import { $, badge, can, h, icon, open, render, toast } from "../lib/dom.js";
import { bytes, digits, duration, integer, listed, when, whenAgo } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { poll } from "../lib/poll.js";

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

// The platform names its measures itself: `seconds`, `bytes` and `_at` in a name say the unit.
function facts(value, name = "") {
  if (value && typeof value === "object" && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([key, one]) => facts(one, name ? `${name}.${key}` : key));
  }
  let text = Array.isArray(value) ? value.join(", ") || "–" : String(value ?? "–");
  if (typeof value === "number") {
    if (name === "now" || name.endsWith("_at")) text = when(value);
    else if (name.endsWith("seconds")) text = duration(value * 1000);
    else if (name.endsWith("bytes")) text = bytes(value);
    else text = Number.isInteger(value) ? integer(value) : digits(value);
  }
  return [fact(h("code", {}, name), text)];
}

const me = await get("/me");
$("#me").replaceChildren(fact(t("settings.name"), me.name), fact(t("settings.token_role"), t(`role.${me.role}`)), fact(t("settings.may"), listed(me.capabilities.map((one) => t(`capability.${one}`)))));

const STORED = ["logs", "traces", "metrics"];
function summary(overview) {
  const { version, started_at: started, uptime_seconds: uptime, resident_bytes: resident, notifications_pending: waiting, notifications_failed: failed, storage = {} } = overview;
  return [
    ["settings.version", version],
    ["settings.started", started && when(started)],
    ["settings.uptime", uptime && duration(uptime * 1000)],
    ["settings.memory", resident && bytes(resident)],
    ["settings.waiting", integer(waiting ?? 0)],
    ["settings.failed", integer(failed ?? 0)],
    ...STORED.filter((name) => storage[name]).map((name) => [`settings.stored_${name}`, t("settings.stored", { rows: integer(storage[name].rows), bytes: bytes(storage[name].bytes) })]),
  ].filter(([, value]) => value).map(([key, value]) => fact(t(key), value));
}
poll(async () => {
  const overview = await get("/overview");
  $("#platform").replaceChildren(...summary(overview));
  render($("#raw"), overview, () => facts(overview));
}, 5000);

// Where something is written, and what is wrong with it: as the linter prints it.
const place = (one) => [one.file, one.line, one.column].filter(Boolean).join(":");
const diagnostic = (one) =>
  h("li", {}, badge(t(`settings.${one.level}`), one.level === "error" ? "bad" : "warn"), " ", h("code", {}, place(one)), " ", one.message, one.hint ? h("span", { class: "sub" }, one.hint) : null);
function configuration(last) {
  $("#reload-refused").hidden = last.successful;
  $("#configuration").replaceChildren(
    fact(t("settings.in_force_since"), whenAgo(last.succeeded_at)),
    fact(t("settings.last_reload"), whenAgo(last.at)),
    fact(t("settings.reload_by"), last.by),
    ...(last.needs_restart.length ? [fact(t("settings.needs_restart"), h("code", {}, last.needs_restart.join(", ")))] : []),
  );
  render($("#diagnostics"), last.diagnostics, () => last.diagnostics.map(diagnostic));
}
const reloads = poll(async () => configuration(await get("/reload")), 15_000);

// --- receivers: a test of each, and which of them an alert would go to ---
const outcomes = new Map(); // what became of the last test, by receiver
async function test(name, button) {
  button.disabled = true;
  button.textContent = t("settings.receiver_testing");
  await act(async () => {
    outcomes.set(name, await send("POST", `/alerts/receivers/${encodeURIComponent(name)}/test`));
  });
  await receivers.now();
}
const outcome = (one) =>
  h("span", { class: one.delivered ? "sub ok" : "sub bad" }, t(one.delivered ? "settings.receiver_got_through" : "settings.receiver_failed", one));
function receiver(name, integrations) {
  return h("li", {},
    h("span", {}, h("strong", {}, name), " ", h("span", { class: "muted" }, listed(integrations.map((one) => one.title)) || t("settings.receiver_none")),
      integrations.filter((one) => one.obstacle).map((one) => h("span", { class: "sub bad" }, one.obstacle)),
      (outcomes.get(name) ?? []).map(outcome), origin(entryOf("receivers", name))),
    can("administer") && integrations.length ? h("button", { type: "button", onclick: (event) => test(name, event.currentTarget) }, t("settings.receiver_test")) : null);
}
const receivers = poll(async () => {
  const [names, integrations] = await Promise.all([get("/alerts/receivers"), get("/alerts/integrations")]);
  render($("#receivers"), [names, integrations, [...outcomes], names.map((name) => entryOf("receivers", name))], () =>
    names.map((name) => receiver(name, integrations.filter((one) => one.receiver === name))));
}, 30_000);
$("#route-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const pairs = event.target.elements.labels.value.trim().split(/\s+/).map((one) => one.match(/^([^=]+)=(.*)$/));
  $("#route-fault").hidden = pairs.every(Boolean);
  if (!pairs.every(Boolean)) return;
  const labels = Object.fromEntries(pairs.map(([, name, value]) => [name, value.replace(/^"(.*)"$/, "$1")]));
  await act(async () => {
    const found = await send("POST", "/alerts/route", { labels });
    $("#routes").replaceChildren(...found.map((one) =>
      h("li", {}, h("span", {}, h("strong", {}, one.receiver), " ", h("span", { class: "muted" }, one.line ? t("settings.route_line", one) : ""),
        h("span", { class: "sub" }, t("settings.route_waits", { wait: duration(one.group_wait), repeat: duration(one.repeat_interval) })),
        one.muted ? h("span", { class: "sub warn" }, one.muted) : null))));
  });
});

if (can("administer")) {
  onConfiguration((view) => {
    $("#managed-file").textContent = view.file;
    showHistory($("#history"), view);
    receivers.now();
    reloads.now();
  });
  act(async () => {
    const [view, forms] = await Promise.all([readConfiguration(), readForms()]);
    if (!view.enabled) return;
    $("#receiver-kinds").replaceChildren(...forms.filter((one) => one.section === "receivers").map((form) =>
      h("button", { type: "button", onclick: () => openEntryForm("receivers", { kind: form.kind }) }, icon("plus"), form.title)));
  });
  $("#reload").addEventListener("click", async () => {
    $("#reload").disabled = true;
    await act(async () => {
      const last = await send("POST", "/reload");
      toast(t(last.successful ? "settings.reload_ok" : "settings.reload_failed"), { bad: !last.successful });
    });
    $("#reload").disabled = false;
    reloads.now();
  });
  const owners = await get("/people");
  $("#token-form").elements.owner.append(...owners.filter((one) => !one.disabled).map((one) => h("option", { value: one.id }, one.display_name)));
  let chosen = null;
  const tokens = poll(async () => {
    const found = await get("/tokens");
    found.sort((a, b) => (a.live ? 0 : 1) - (b.live ? 0 : 1) || b.created_at - a.created_at);
    render($("#tokens"), found, () =>
      found.map((one) =>
        h("tr", {},
          h("td", {}, h("span", {}, h("strong", {}, one.name), h("span", { class: "sub mono" }, one.id))),
          h("td", { "data-label": t("settings.token_role") }, h("span", {}, badge(t(`role.${one.role}`), one.role === "admin" ? "warn" : ""), one.revoked_at ? badge(t("settings.revoked"), "bad") : one.live ? null : badge(t("settings.expired"), "bad"))),
          h("td", { "data-label": t("settings.owner") }, one.owner_name || h("span", { class: "muted" }, t("settings.owner_none"))),
          h("td", { "data-label": t("settings.created") }, whenAgo(one.created_at)),
          h("td", { "data-label": t("settings.used") }, one.last_used_at ? whenAgo(one.last_used_at) : t("settings.never")),
          h("td", { "data-label": t("settings.expires") }, one.expires_at ? whenAgo(one.expires_at) : t("settings.no_expiry")),
          h("td", { class: "num" }, !one.live ? null : h("button", { type: "button", onclick: () => {
            chosen = one;
            $("#revoke-text").textContent = t("settings.revoke_lead", { name: one.name });
            open($("#revoke"));
          } }, t("settings.revoke"))))));
  }, 15_000);
  $("#token-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const { name, role, owner, expires } = event.target.elements;
    await act(async () => {
      const made = await send("POST", "/tokens", { name: name.value.trim(), role: role.value, owner: owner.value, expires: expires.value });
      $("#secret-text").textContent = made.secret;
      $("#secret").hidden = false;
      event.target.reset();
    });
    tokens.now();
  });
  $("#secret-copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText($("#secret-text").textContent);
    toast(t("settings.copied"));
  });
  $("#revoke-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    await act(() => send("DELETE", `/tokens/${encodeURIComponent(chosen.id)}`), t("settings.was_revoked", { name: chosen.name }));
    $("#revoke").close();
    tokens.now();
  });
}
