import { act, get, send } from "../lib/api.js";
import { $, badge, can, h, labels, render } from "../lib/dom.js";
import { ago, duration, whenAgo } from "../lib/format.js";
import { language, t, word } from "../lib/i18n.js";
import { poll } from "../lib/poll.js";

const count = (value) => value.toLocaleString(language);
const TONES = { up: "ok", down: "bad", unknown: "" };

function target(one) {
  return h("tr", {},
    h("td", {}, badge(t(`health.${one.health}`), TONES[one.health])),
    h("td", {}, h("span", {}, h("strong", {}, one.name), " ", h("span", { class: "muted small" }, word("kind", one.kind)), h("span", { class: "sub" }, one.url), one.error ? h("span", { class: "sub bad" }, one.error) : null, one.recognised ? h("span", { class: "sub" }, t("targets.recognised", { form: word("form", one.recognised) })) : null, one.parse_errors ? h("span", { class: "sub warn" }, t("targets.parse_errors", { count: count(one.parse_errors) })) : null)),
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

poll(async () => {
  const found = await get("/targets");
  const order = { down: 0, unknown: 1, up: 2 };
  found.sort((a, b) => order[a.health] - order[b.health] || a.name.localeCompare(b.name));
  const up = found.filter((one) => one.health === "up").length;
  $("#targets-sum").textContent = found.length ? t("targets.sum", { up, all: found.length }) : "";
  $("#targets-empty").hidden = found.length > 0;
  render($("#targets"), [found, Math.floor(Date.now() / 5000)], () => found.map(target));
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
