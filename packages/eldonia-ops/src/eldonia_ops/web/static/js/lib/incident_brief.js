// The first screen of an incident: since when, for whom, who is on it, what changed before, and what to do next.
import { $, badge, h, icon, render } from "./dom.js";
import { duration, hostOf, instantText, listed, timeOfDay, when, whenAgo } from "./format.js";
import { changed } from "./changes.js";
import { t } from "./i18n.js";

const ended = (incident) => ["resolved", "closed"].includes(incident.status);

export function drawSince(place, incident) {
  // Of one that came again, the present time: what was between the two was no outage.
  const from = incident.reopened_at || incident.started_at || incident.detected_at || incident.created_at;
  // Nor was the time in which its alerts were only watched, to see whether their end lasts.
  const lasted = (incident.resolved_at ? incident.recovered_at || incident.resolved_at : Date.now()) - from;
  const span = duration(Math.floor(lasted / 1000) * 1000);
  render(place, [from, span, ended(incident)], () => [
    ended(incident) ? t("incident.lasted", { span }) : t("incident.lasting", { span }), " ",
    h("span", { class: "muted" }, t("incident.since"), " ", when(from, instantText(from)), incident.reopened_at ? [" ", t("incident.reopened_first"), " ", when(incident.started_at || incident.detected_at, instantText(incident.started_at || incident.detected_at)), t("incident.reopened_end")] : null),
  ]);
}

function affected(incident, brief) {
  const services = [incident.service, ...brief.dependents].filter(Boolean);
  return h("div", {}, h("dt", {}, t("incident.affected")), h("dd", {},
    services.length ? services.map((name, index) => badge(name, index ? "" : "bad")) : "–",
    incident.impact.users ? h("span", { class: "muted" }, t("incident.users_n", { n: incident.impact.users })) : null));
}

// A tier of no receiver of its own is a message to the one that was notified already: its name says nothing more.
const nextText = ({ next_receiver: receiver, next_tier: tier, notified }) =>
  receiver && notified.some((one) => one.receiver === receiver) ? t("incident.next_again", { receiver }) : t("incident.next_tier", { receiver: receiver || tier, tier });

function people(incident, brief) {
  const lines = [];
  if (incident.acknowledged_at) lines.push(h("span", {}, icon("person"), h("b", {}, incident.assigned_to || t("incident.unassigned")), h("span", { class: "muted" }, t("incident.acknowledged"), " ", when(incident.acknowledged_at, timeOfDay(incident.acknowledged_at)))));
  else lines.push(h("span", { class: ended(incident) ? "muted" : "warn-text" }, t(!ended(incident) ? "incident.unacknowledged" : incident.reopened_at ? "incident.again_unacknowledged" : "incident.never_acknowledged")));
  if (brief.next_tier) lines.push(h("span", { class: "muted" }, nextText(brief), " ", when(brief.next_tier_at, timeOfDay(brief.next_tier_at))));
  const reached = brief.notified.filter((one) => one.at && !one.failed);
  const lost = brief.notified.filter((one) => one.failed);
  if (reached.length) lines.push(h("span", { class: "muted" }, t("incident.notified", { names: listed(reached.map((one) => one.receiver)) })));
  if (lost.length) lines.push(h("span", { class: "bad-text" }, t("incident.not_reached", { names: listed(lost.map((one) => one.receiver)) })));
  if (!brief.notified.length) lines.push(h("span", { class: "muted" }, t("incident.none_notified")));
  return h("div", {}, h("dt", {}, t("incident.people")), h("dd", { class: "lines" }, lines));
}

const MOST_LINES = 5;
const MOST_STEPS = 3; // of one change

function changes(incident, brief) {
  const lines = brief.changes.slice(0, MOST_LINES).map((one) => {
    const steps = changed(one);
    const title = steps.length > MOST_STEPS ? listed([...steps.slice(0, MOST_STEPS), t("incident.more_changes_of_one", { n: steps.length - MOST_STEPS })]) : listed(steps);
    return h("span", { class: one.service === incident.service ? "own" : "" }, badge(t(`change.${one.kind}`)), " ",
      one.url ? h("a", { href: one.url, rel: "noreferrer noopener", target: "_blank" }, title) : title, " ",
      h("span", { class: "muted" }, [one.service, one.version, one.by].filter(Boolean).join(" · ")), " ", whenAgo(one.at),
      one.kind === "deploy" ? [" ", h("a", { href: `/logs/patterns?${new URLSearchParams({ deploy: one.id })}` }, t("incident.new_since"))] : "");
  });
  if (brief.changes.length > MOST_LINES) lines.push(h("span", { class: "muted" }, t("incident.more_changes", { n: brief.changes.length - MOST_LINES })));
  return h("div", {}, h("dt", {}, t("incident.changes")), h("dd", { class: "lines" }, lines.length ? lines : h("span", { class: "muted" }, t("incident.no_changes"))));
}

export function drawBrief(incident, brief) {
  render($("#brief-facts"), [incident.version, brief], () => [affected(incident, brief), people(incident, brief), changes(incident, brief)]);
  render($("#what"), [brief.description, brief.runbooks, brief.recovered_at], () => [
    brief.recovered_at ? h("p", { class: "recovered" }, icon("check"), h("span", {}, t("incident.recovered", { at: timeOfDay(brief.recovered_at) })), h("span", { class: "muted" }, t("incident.held", { at: timeOfDay(brief.held_until) }))) : null,
    brief.description ? h("p", {}, brief.description) : null,
    brief.runbooks.length ? h("p", { class: "runbook-links" }, brief.runbooks.map((url) => h("a", { href: url, rel: "noreferrer noopener", target: "_blank" }, icon("check"), t("incident.rule_runbook"), h("span", { class: "muted" }, ` ${hostOf(url)}`)))) : null,
  ]);
  $("#what").hidden = !brief.description && !brief.runbooks.length && !brief.recovered_at;
}

// The next thing to do, as one sentence and one button. `act(name, step)` does it.
export function drawNext(brief, runbook, act) {
  const step = runbook.find((one) => one.key === brief.step);
  const place = $("#next");
  if (!place) return; // a viewer
  place.hidden = !brief.action;
  render(place, [brief.action, brief.step, step?.text], () => {
    const name = `incident.next_${brief.action}`;
    const button = h("button", { type: "button", class: "primary", id: brief.action === "acknowledge" ? "acknowledge" : "next-act" }, t(`${name}_do`));
    button.addEventListener("click", () => act(brief.action, brief.step));
    return [h("span", { class: "muted" }, t("incident.next")), h("span", { class: "next-text" }, brief.action === "step" ? (step?.text ?? brief.step) : t(name)), button];
  });
}
