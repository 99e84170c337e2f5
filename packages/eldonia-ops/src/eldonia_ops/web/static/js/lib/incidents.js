// An incident as one line of a list, with what is left of its response target.
import { badge, h } from "./dom.js";
import { countdown, duration, whenAgo } from "./format.js";
import { t } from "./i18n.js";
import { tone } from "./severity.js";

export const ACTIVE = ["open", "investigating", "escalated"];

const GRAVITY = ["critical", "high", "medium", "low", "info"];
const waits = (one) => !one.acknowledged_at;
const isLate = (one) => waits(one) && Boolean(one.respond_by) && one.respond_by < Date.now();

/** What needs somebody first: not acknowledged, overdue, grave; of equals the oldest, which may be the cause of others. */
export const byUrgency = (incidents) =>
  [...incidents].sort((a, b) => Number(waits(b)) - Number(waits(a)) || Number(isLate(b)) - Number(isLate(a)) || GRAVITY.indexOf(a.severity) - GRAVITY.indexOf(b.severity) || (a.detected_at || a.created_at) - (b.detected_at || b.created_at));

function until(one) {
  if (one.acknowledged_at || !ACTIVE.includes(one.status) || !one.respond_by) return h("span", { class: "until" }, one.assigned_to || "");
  const left = one.respond_by - Date.now();
  return h("span", { class: `until${left < 0 ? " late" : ""}` }, left < 0 ? t("incidents.late", { time: countdown(-left) }) : t("incidents.due", { time: countdown(left) }));
}

export function incidentRow(one) {
  const done = one.checklist.filter((item) => item.done_at).length;
  return h("a", { class: `incident-row ${ACTIVE.includes(one.status) ? tone(one.severity) : ""}`, href: `/incidents/${one.reference}` },
    h("span", { class: "ref" }, one.reference), h("h2", {}, one.title),
    h("span", { class: "badges" }, badge(t(`severity.${one.severity}`), tone(one.severity)), badge(t(`status.${one.status}`), tone(one.status))),
    h("span", { class: "meta" }, h("span", {}, one.service), h("span", {}, t("incidents.detected"), " ", whenAgo(one.detected_at || one.created_at)),
      one.acknowledged_at ? h("span", {}, t("incidents.acknowledged")) : null,
      one.resolved_at ? h("span", {}, t("incidents.lasted", { time: duration(one.resolved_at - one.detected_at) })) : null,
      done ? h("span", {}, t("incidents.steps", { done, all: one.checklist.length })) : null),
    until(one));
}
