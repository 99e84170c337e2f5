import { act, get, send } from "../lib/api.js";
import { $, $$, badge, can, h, json, open, render } from "../lib/dom.js";
import { duration, integer, whenAgo } from "../lib/format.js";
import { t, word } from "../lib/i18n.js";
import { poll } from "../lib/poll.js";
import { quoted } from "../lib/search_terms.js";
import { tone } from "../lib/severity.js";

let show = "active";
let untouched = true;
let chosen = null;
const opened = new Set();

function card(one) {
  const settled = ["resolved", "false_positive"].includes(one.status);
  const evidence = h("details", { class: "evidence", open: opened.has(one.id) }, h("summary", {}, t("security.evidence", { n: one.evidence.length })), json(one.evidence));
  evidence.addEventListener("toggle", () => (evidence.open ? opened.add(one.id) : opened.delete(one.id)));
  return h("article", { class: `alert-card ${settled ? "" : tone(one.severity)}` },
    h("div", { class: "alert-head" }, h("h2", {}, word("event", one.type)), badge(t(`severity.${one.severity}`), tone(one.severity)), badge(t(`finding.${one.status}`), settled ? "ok" : one.status === "open" ? "bad" : "info"), h("span", { class: "when" }, whenAgo(one.opened_at))),
    h("p", {}, t(one.window_ms ? "security.counted" : "security.counted_once", { n: integer(one.count), source: one.source, window: duration(one.window_ms), threshold: one.threshold })),
    one.note ? h("p", { class: "muted" }, `${one.changed_by}: ${one.note}`) : null,
    h("div", { class: "alert-foot" }, h("span", {}, `${t("security.service")} ${one.service || "–"}`), h("span", {}, t("security.last"), " ", whenAgo(one.last_event_at)),
      h("a", { href: `/logs?query=${encodeURIComponent(quoted(one.source))}&range=24h` }, t("security.logs")), h("span", { class: "grow" }),
      can("respond") ? h("button", { type: "button", onclick: () => {
        chosen = one;
        const fields = $("#finding-form").elements;
        fields.status.value = one.status;
        fields.note.value = "";
        open($("#finding"));
      } }, t("security.change")) : null),
    one.evidence.length ? evidence : null);
}

const list = poll(async () => {
  const [found, report] = await Promise.all([get("/security/findings", { status: show === "active" ? ["open", "investigating"] : [], limit: 200 }), get("/security/report", { since: "-30d" })]);
  if (untouched && !found.length && report.findings) {
    // Nothing is open: what was found lately says more than an empty list.
    untouched = false;
    choose("all");
    return;
  }
  $("#empty").hidden = found.length > 0;
  render($("#rows"), [found, Math.floor(Date.now() / 30_000)], () => found.map(card));
  const { by_status: status, by_severity: severity } = report;
  const numbers = [
    [t("security.in_30_days"), report.findings, ""],
    [t("finding.open"), status.open, status.open ? "bad" : "ok"],
    [t("finding.investigating"), status.investigating, status.investigating ? "warn" : ""],
    [t("severity.critical"), severity.critical, severity.critical ? "bad" : ""],
    [t("finding.false_positive"), status.false_positive, ""],
  ];
  render($("#report"), numbers, () => numbers.map(([label, value, toneOf]) => h("div", { class: `stat ${toneOf}` }, h("span", { class: "stat-label" }, label), h("strong", {}, integer(value)))));
}, 5000);

$("#show").addEventListener("click", (event) => {
  const button = event.target.closest("[data-show]");
  if (!button) return;
  untouched = false;
  choose(button.dataset.show);
});
function choose(wanted) {
  show = wanted;
  for (const one of $$("#show [data-show]")) one.setAttribute("aria-pressed", String(one.dataset.show === wanted));
  list.now();
}
$("#finding-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { status, note } = event.target.elements;
  const done = await act(() => send("POST", `/security/findings/${encodeURIComponent(chosen.id)}/status`, { status: status.value, note: note.value.trim() }), t("security.changed"));
  if (done) $("#finding").close();
  list.now();
});
