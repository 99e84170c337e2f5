// The last changes of the configuration, each with its undo.
import { undo } from "./configuration.js";
import { h, render } from "./dom.js";
import { listed, whenAgo } from "./format.js";
import { t, word } from "./i18n.js";

const stepText = (step) =>
  t(step.before === null ? "conf.did_add" : step.after === null ? "conf.did_remove" : "conf.did_change", { kind: word("entry_kind", step.section), name: step.name });

export function showHistory(place, view) {
  render(place, [view.changes, Math.floor(Date.now() / 30_000)], () =>
    view.changes.length
      ? view.changes.slice(0, 20).map((one) =>
          h("li", {},
            h("span", {}, listed(one.steps.map(stepText)), h("span", { class: "sub" }, `${one.actor} · `, whenAgo(one.at), one.undoes ? ` · ${t("conf.is_undo")}` : "")),
            one.undone_by ? h("span", { class: "muted small" }, t("conf.was_undone")) : h("button", { type: "button", onclick: () => undo(one.id) }, t("conf.undo"))))
      : [h("li", { class: "muted" }, t("conf.no_changes"))]);
}
