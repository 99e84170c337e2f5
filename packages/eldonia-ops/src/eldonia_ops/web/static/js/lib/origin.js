// Where an entry is written: managed here, with its buttons, or in a file by hand, with its place.
import { act } from "./api.js";
import { change } from "./configuration.js";
import { badge, h } from "./dom.js";
import { openEntryForm } from "./entry_form.js";
import { t } from "./i18n.js";

const kindOf = (values) => Object.keys(values).find((one) => one.endsWith("_configs"))?.slice(0, -8) ?? "";

/** @param {any} entry as GET /configuration has it; nothing for none. */
export function origin(entry) {
  if (!entry) return null;
  if (!entry.managed) return h("span", { class: "sub" }, t("conf.by_hand", { place: `${entry.file}:${entry.line}` }));
  return h("span", { class: "origin" }, badge(t("conf.managed"), "info"), entry.holds ? null : badge(t("conf.not_holding"), "warn"),
    h("button", { type: "button", onclick: () => openEntryForm(entry.section, { entry, kind: entry.section === "receivers" ? kindOf(entry.values) : "" }) }, t("conf.edit")),
    h("button", { type: "button", onclick: () => remove(entry) }, t("conf.remove")));
}

// Without a question: one click in the message undoes it.
const remove = ({ section, name }) => act(() => change([{ section, name, values: null }], t("conf.removed", { name })));
