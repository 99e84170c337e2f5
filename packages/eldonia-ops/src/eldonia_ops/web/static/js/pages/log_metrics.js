import { act, get } from "../lib/api.js";
import { showHistory } from "../lib/change_history.js";
import { change, entryOf, onConfiguration, readConfiguration } from "../lib/configuration.js";
import { $, badge, can, h, render } from "../lib/dom.js";
import { exploreLink } from "../lib/explore_state.js";
import { t } from "../lib/i18n.js";
import { logMetric } from "../lib/log_care.js";
import { openLogMetricForm } from "../lib/log_metric_form.js";
import { poll } from "../lib/poll.js";

const SECTION = "log_metrics";
const admin = can("administer");

// Without a question: one click in the message undoes it.
const remove = (name) => act(() => change([{ section: SECTION, name, values: null }], t("conf.removed", { name })));

function acts(one) {
  const entry = entryOf(SECTION, one.name);
  const written = entry && !entry.managed ? h("span", { class: "sub" }, t("conf.by_hand", { place: `${entry.file}:${entry.line}` })) : null;
  return h("td", {}, h("div", { class: "arrival-tools" },
    h("a", { class: "button", href: exploreLink([one.queries[0]]) }, t("explore.open")),
    entry?.managed ? [
      entry.holds ? null : badge(t("conf.not_holding"), "warn"),
      h("button", { type: "button", onclick: () => openLogMetricForm({ entry, saved: () => list.now() }) }, t("conf.edit")),
      h("button", { type: "button", onclick: () => remove(one.name) }, t("conf.remove"))] : written));
}

const list = poll(async () => {
  const found = await get("/logs/metrics");
  $("#empty").hidden = found.length > 0;
  $("#metrics").closest("table").hidden = found.length === 0;
  render($("#metrics"), [found, found.map((one) => entryOf(SECTION, one.name))], () => found.map((one) => {
    const row = logMetric(one);
    row.append(acts(one));
    return row;
  }));
}, 5_000);

if (admin) {
  onConfiguration((view) => {
    $("#metric-new").disabled = !view.enabled;
    $("#managed-off").hidden = view.enabled;
    showHistory($("#history"), { ...view, changes: view.changes.filter((one) => one.steps.some((step) => step.section === SECTION)) });
    list.now();
  });
  await readConfiguration();
  $("#metric-new").addEventListener("click", () => openLogMetricForm({ saved: () => list.now() }));
}
