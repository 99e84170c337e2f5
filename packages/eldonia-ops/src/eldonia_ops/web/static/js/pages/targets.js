import { act, get, send } from "../lib/api.js";
import { matches } from "../lib/arrivals.js";
import { entriesOf, entryOf, onConfiguration, readConfiguration } from "../lib/configuration.js";
import { $, badge, can, h, icon, labels, render } from "../lib/dom.js";
import { openEntryForm } from "../lib/entry_form.js";
import { ago, duration, whenAgo } from "../lib/format.js";
import { language, t, word } from "../lib/i18n.js";
import { origin } from "../lib/origin.js";
import { poll } from "../lib/poll.js";

const count = (value) => value.toLocaleString(language);
const TONES = { up: "ok", down: "bad", unknown: "" };

// The entry that a target comes from.
const SECTIONS = { scrape: "scrape", probe: "probes", nginx: "nginx", postgresql: "postgresql", redis: "redis", host: "host" };
// One without a name of its own has its address.
const host = (url) => url.replace(/^\w+:\/\/(?:[^@/]*@)?/, "").replace(/[/?].*$/, "");
const entry = (one) => named(one) ?? entriesOf(SECTIONS[one.kind] ?? "").find(({ name }) => name.includes("://") && host(name) === host(one.url || one.name));
const named = (one) => one.kind === "tail" ? entriesOf("logs").find((log) => matches(log.name, one.labels.path ?? one.url)) : entryOf(SECTIONS[one.kind] ?? one.kind, one.kind === "scrape" ? one.labels.job : one.kind === "probe" ? one.labels.probe : one.kind === "host" ? "host" : one.name);

function target(one) {
  return h("tr", {},
    h("td", {}, badge(t(`health.${one.health}`), TONES[one.health])),
    h("td", {}, h("span", {}, h("strong", {}, one.name), " ", h("span", { class: "muted small" }, word("kind", one.kind)), h("span", { class: "sub" }, one.url), one.error ? h("span", { class: "sub bad" }, one.error) : null, one.recognised ? h("span", { class: "sub" }, t("targets.recognised", { form: word("form", one.recognised) })) : null, one.parse_errors ? h("span", { class: "sub warn" }, t("targets.parse_errors", { count: count(one.parse_errors) })) : null, can("administer") ? origin(entry(one)) : null)),
    h("td", { "data-label": t("targets.labels") }, labels(one.labels)),
    h("td", { class: "brief", "data-label": t("targets.last") }, whenAgo(one.last_at)),
    h("td", { class: "num brief", "data-label": t("targets.took") }, one.duration_seconds ? duration(one.duration_seconds * 1000) : "–"),
  );
}

function refusal(one) {
  return h("tr", {},
    h("td", {}, h("strong", {}, one.source)),
    h("td", { "data-label": t("refused.signal") }, word("signal", one.signal)),
    h("td", { "data-label": t("refused.reason") }, one.reason),
    h("td", { class: "num brief", "data-label": t("refused.count") }, count(one.count)),
    h("td", { class: "brief", "data-label": t("refused.last") }, whenAgo(one.last_at)),
  );
}

function recovery(one) {
  const tone = one.maintenance ? "info" : one.healthy === false ? (one.state === "exhausted" ? "bad" : "warn") : one.healthy ? "ok" : "";
  const hand = can("respond")
    ? h("div", { class: "hand" },
        h("label", { class: "switch" }, h("input", { type: "checkbox", checked: one.maintenance, onchange: async ({ target: box }) => {
          const on = box.checked;
          const done = await act(() => send("POST", `/recovery/${encodeURIComponent(one.service)}/maintenance`, { on }), t(on ? "recovery.on" : "recovery.off", { service: one.service }));
          if (!done) box.checked = !on;
          recoveries.now();
        } }), t("recovery.maintenance")),
        h("button", { type: "button", disabled: !one.attempts && one.state !== "exhausted", onclick: async () => {
          await act(() => send("POST", `/recovery/${encodeURIComponent(one.service)}/reset`), t("recovery.was_reset", { service: one.service }));
          recoveries.now();
        } }, t("recovery.reset")))
    : null;
  return h("tr", {},
    h("td", {}, h("strong", {}, one.service)),
    h("td", {}, badge(one.maintenance ? t("recovery.maintenance") : word("recovery_state", one.state), tone)),
    h("td", { "data-label": t("recovery.attempts") }, h("span", {}, `${one.attempts} / ${one.max_attempts}`, one.next_attempt_at > Date.now() ? h("span", { class: "sub" }, t("recovery.next", { when: ago(one.next_attempt_at) })) : null)),
    h("td", { "data-label": t("recovery.last") }, h("span", {}, whenAgo(one.last_change_at), h("span", { class: "sub" }, one.last_detail))),
    h("td", {}, hand),
  );
}

const targets = poll(async () => {
  const found = await get("/targets");
  const order = { down: 0, unknown: 1, up: 2 };
  found.sort((a, b) => order[a.health] - order[b.health] || a.name.localeCompare(b.name));
  const up = found.filter((one) => one.health === "up").length;
  $("#targets-sum").textContent = found.length ? t("targets.sum", { up, all: found.length }) : "";
  $("#targets-empty").hidden = found.length > 0;
  render($("#targets"), [found, found.map(entry), Math.floor(Date.now() / 5000)], () => found.map(target));
}, 5000);

poll(async () => {
  const found = await get("/refusals");
  $("#refused").hidden = found.length === 0;
  render($("#refusals"), [found, Math.floor(Date.now() / 5000)], () => found.map(refusal));
}, 5000);

const recoveries = poll(async () => {
  const found = await get("/recovery");
  $("#recovery-empty").hidden = found.length > 0;
  render($("#recoveries"), [found, Math.floor(Date.now() / 5000)], () => found.map(recovery));
}, 5000);

if (can("administer")) {
  onConfiguration(() => targets.now());
  act(async () => {
    const view = await readConfiguration();
    if (!view.enabled) return;
    $("#add-kinds").replaceChildren(...["scrape", "probes", "logs"].map((section) =>
      h("button", { type: "button", onclick: () => openEntryForm(section) }, icon("plus"), word("entry_kind", section))));
  });
}
