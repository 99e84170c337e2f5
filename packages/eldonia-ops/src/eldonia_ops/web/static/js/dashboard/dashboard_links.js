// The links of a dashboard: to addresses, to one dashboard, or to all that have some tags.
import { get } from "../lib/api.js";
import { h, icon, render } from "../lib/dom.js";
import { words } from "../lib/dashboards/display.js";
import { interpolate, safeAddress } from "../lib/dashboards/interpolate.js";
import { menu } from "./menu.js";

let all = null;
const tagged = async (tags, uid) => {
  all ??= get("/dashboards").catch(() => { all = null; return { dashboards: [] }; });
  return (await all).dashboards.filter((one) => one.uid !== uid && tags.every((tag) => one.tags.includes(tag)));
};
const apart = (link) => (link.new_tab ? { target: "_blank", rel: "noopener" } : {});

/** @param {HTMLElement} place @param {any} page */
export async function showLinks(place, page) {
  const { links = [], uid } = page.history.document;
  place.hidden = !links.length;
  if (!links.length) return;
  const found = await Promise.all(links.map(async (link) => {
    const to = (one) => safeAddress(page.linkAddress(one));
    if (!link.tags?.length) return { link, list: [{ address: to(link), title: interpolate(words(link.title), page.selections()) || link.url || link.dashboard }] };
    return { link, list: (await tagged(link.tags, uid)).map((one) => ({ address: to({ ...link, dashboard: one.uid, url: "" }), title: one.title })) };
  }));
  render(place, found, () => found.flatMap(({ link, list }) => {
    const some = list.filter((one) => one.address);
    if (link.as_list && some.length) return [h("button", { type: "button", class: "quiet", "aria-haspopup": "menu", "aria-expanded": "false", title: words(link.tooltip), onclick: (event) => menu(event.currentTarget, some.map((one) => ({ name: one.title, href: one.address }))) }, words(link.title) || link.tags.join(", "), icon("chevron"))];
    return some.map((one) => h("a", { href: one.address, title: words(link.tooltip), ...apart(link) }, one.title));
  }));
}
