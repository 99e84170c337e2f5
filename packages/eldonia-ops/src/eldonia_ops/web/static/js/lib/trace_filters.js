// What is wrong with a filter of traces, in its place: the field that the server names, and where in its text.
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { showFault } from "./search_box.js";

const FIELDS = { where: "traces.where", min_duration: "traces.min", max_duration: "traces.max", tag: "traces.where" };

/** The field that an error is about; "" where it names none. @param {{field?: string, message: string}} error */
export const fieldOf = (error) => (Object.hasOwn(FIELDS, error.field ?? "") ? error.field : "");

/**
 * @param {HTMLElement} place
 * @param {any} error
 * @param {Record<string, string>} texts what is in the fields
 */
export function traceFault(place, error, texts) {
  if (!error) return showFault(place, null, "");
  const field = fieldOf(error);
  showFault(place, error, field ? texts[field] : "");
  if (error.position >= 0 && !field) showFault(place, { message: error.message, hint: error.hint }, "");
  if (field) place.prepend(h("span", { class: "muted" }, `${t(FIELDS[field])}:`));
}
