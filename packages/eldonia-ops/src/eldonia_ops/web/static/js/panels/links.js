// Links from a value: what a document says, filled in; only to addresses that a link may have.
import { h, icon } from "../lib/dom.js";
import { words } from "../lib/dashboards/display.js";
import { interpolate, safeAddress, valueGlobals } from "../lib/dashboards/interpolate.js";

/** @param {any[] | undefined} links @param {any} about see valueGlobals @param {any} context */
export function valueLinks(links, about, context) {
  return (links ?? []).flatMap((link) => {
    const globals = { ...context.globals, ...valueGlobals(about) };
    const address = safeAddress(interpolate(link.url ?? "", context.selections ?? {}, { globals, address: true }));
    if (!address) return [];
    return [{ title: interpolate(words(link.title), context.selections ?? {}, { globals }) || address, address, new_tab: link.new_tab }];
  });
}
export const anchor = ({ address, title, new_tab: apart }, ...children) =>
  h("a", { href: address, title, ...(apart ? { target: "_blank", rel: "noopener" } : {}) }, ...(children.length ? children : [title]), apart ? icon("external") : null);
/** A value with its first link around it; others follow as small links. */
export function linked(content, links) {
  if (!links.length) return [content];
  return [anchor(links[0], content), ...links.slice(1).map((one) => h("span", { class: "more-link" }, " ", anchor(one)))];
}
