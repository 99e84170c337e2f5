// What the pages about one's own account and about everybody share: a session, a row of a token.
import { badge, h } from "./dom.js";
import { exactly, whenAgo } from "./format.js";
import { t } from "./i18n.js";

// Fills a text with elements: t("…{when}…") and {when: <time>}.
export function filled(key, values) {
  const parts = t(key).split(/(\{\w+\})/);
  return h("span", {}, parts.map((part) => values[part.slice(1, -1)] ?? part));
}

export function session(one, end) {
  return h("li", { class: "session" },
    h("span", {}, h("strong", {}, one.client || t("account.session_unknown")), " ", one.current ? badge(t("account.session_this"), "ok") : null,
      h("span", { class: "sub" }, [one.address, t(`method.${one.method}`)].filter(Boolean).join(" · ")),
      h("span", { class: "sub" }, filled("account.session_seen", { when: whenAgo(one.last_seen_at) }), " · ", filled("account.session_since", { when: whenAgo(one.created_at) }))),
    one.current ? null : h("button", { type: "button", onclick: () => end(one) }, t("account.session_end")));
}

export function token(one, revoke) {
  return h("tr", {},
    h("td", {}, h("span", {}, h("strong", {}, one.name), h("span", { class: "sub mono" }, one.id))),
    h("td", { "data-label": t("settings.token_role") }, h("span", {}, badge(t(`role.${one.role}`), one.role === "admin" ? "warn" : ""), one.revoked_at ? badge(t("settings.revoked"), "bad") : one.live ? null : badge(t("settings.expired"), "bad"))),
    h("td", { "data-label": t("settings.created") }, whenAgo(one.created_at)),
    h("td", { "data-label": t("settings.used") }, one.last_used_at ? whenAgo(one.last_used_at) : t("settings.never")),
    h("td", { "data-label": t("settings.expires") }, one.expires_at ? whenAgo(one.expires_at) : t("settings.no_expiry")),
    h("td", { class: "num" }, one.live ? h("button", { type: "button", onclick: () => revoke(one) }, t("settings.revoke")) : null));
}

// The live ones first, then the newest.
export const byUse = (a, b) => (a.live ? 0 : 1) - (b.live ? 0 : 1) || b.created_at - a.created_at;
export const until = (ms) => exactly(ms);
