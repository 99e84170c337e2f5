import { act, get, send } from "../lib/api.js";
import { $, badge, h, open, render, toast } from "../lib/dom.js";
import { whenAgo } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { filled, session, until } from "../lib/people.js";
import { poll } from "../lib/poll.js";

const me = document.documentElement.dataset.account;
const at = (one) => `/accounts/${encodeURIComponent(one.id)}`;
const shown = (one) => one.display_name || one.name;
let chosen = null;

function state(one) {
  if (one.disabled) return badge(t("people.disabled"), "bad");
  if (!one.waiting) return badge(t("people.active"), "ok");
  return h("span", {}, badge(t("people.waiting"), "warn"), h("span", { class: "sub" }, one.link_expires_at ? filled("people.waiting_until", { when: whenAgo(one.link_expires_at) }) : t("people.waiting_over")));
}

const button = (key, work) => h("button", { type: "button", onclick: work }, t(key));
function acts(one) {
  const some = [button("people.edit", () => edit(one))];
  if (!one.waiting) some.push(button("people.sessions", () => showSessions(one)));
  if (!one.disabled) some.push(button(one.waiting ? "people.invite_again" : "people.reset", () => newLink(one)));
  if (one.disabled) some.push(button("people.enable", () => enable(one, "people.was_enabled")));
  else if (one.waiting) some.push(button("people.delete", () => confirm("people.delete", one, remove)));
  else if (one.id !== me) some.push(button("people.disable", () => confirm("people.disable", one, disable)));
  return h("div", { class: "person-acts" }, some);
}

const people = poll(async () => {
  const found = await get("/accounts");
  $("#none").hidden = found.length > 0;
  $("#people").closest("table").hidden = !found.length;
  render($("#people"), found, () =>
    found.map((one) =>
      h("tr", {},
        h("td", {}, h("span", { class: "person-name" }, h("span", {}, h("strong", {}, shown(one)), " ", one.id === me ? badge(t("people.you")) : null),
          h("span", { class: "sub" }, [one.display_name ? one.name : "", one.mail, one.issuer].filter(Boolean).join(" · ")))),
        h("td", { "data-label": t("account.role") }, badge(t(`role.${one.role}`), one.role === "admin" ? "warn" : "")),
        h("td", { "data-label": t("people.state") }, state(one)),
        h("td", { "data-label": t("people.seen") }, one.signed_in_at ? whenAgo(one.signed_in_at) : t("people.never")),
        h("td", {}, acts(one)))));
}, 15_000);

// --- one-time links ---
function showLink({ account, link }) {
  if (!link) return;
  $("#link-lead").textContent = t(`people.link_${link.purpose}`, { name: shown(account), when: until(link.expires_at) });
  $("#link-text").textContent = link.url;
  $("#link").hidden = false;
  $("#link").scrollIntoView({ block: "nearest" });
}
async function newLink(one) {
  await act(async () => showLink(await send("POST", `${at(one)}/link`)));
  people.now();
}
$("#invite").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, display_name: display, mail, role } = event.target.elements;
  await act(async () => {
    showLink(await send("POST", "/accounts", { name: name.value, display_name: display.value, mail: mail.value, role: role.value }));
    event.target.reset();
  });
  people.now();
});
$("#link-copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText($("#link-text").textContent);
  toast(t("settings.copied"));
});

// --- edit ---
function edit(one) {
  chosen = one;
  const { display_name: display, mail, role } = $("#edit-form").elements;
  [display.value, mail.value, role.value] = [one.display_name, one.mail, one.role];
  display.placeholder = one.name;
  $("#edit-title").textContent = t("people.edit_title", { name: shown(one) });
  $("#edit-groups").hidden = !one.issuer;
  $("#edit-groups").textContent = one.issuer ? t("people.role_by_groups", { provider: one.issuer }) : "";
  open($("#edit"));
}
$("#edit-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { display_name: display, mail, role } = event.target.elements;
  const wanted = { display_name: display.value, mail: mail.value, ...(role.value === chosen.role ? {} : { role: role.value }) };
  if (await act(() => send("PATCH", at(chosen), wanted), t("account.saved"))) $("#edit").close();
  people.now();
});

// --- disable, enable, delete ---
let confirmed = null;
function confirm(key, one, work) {
  chosen = one;
  confirmed = work;
  $("#confirm-title").textContent = $("#confirm-yes").textContent = t(key);
  $("#confirm-text").textContent = t(`${key}_lead`, { name: shown(one) });
  open($("#confirm"));
}
$("#confirm-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  $("#confirm").close();
  await confirmed(chosen);
  people.now();
});
async function disable(one) {
  if (await act(() => send("PATCH", at(one), { disabled: true }))) {
    toast(t("people.was_disabled", { name: shown(one) }), { undo: [t("people.undo"), () => enable(one, "people.was_enabled")] });
  }
}
async function enable(one, done) {
  await act(() => send("PATCH", at(one), { disabled: false }), t(done, { name: shown(one) }));
  people.now();
}
const remove = (one) => act(() => send("DELETE", at(one)), t("people.was_deleted", { name: shown(one) }));

// --- sessions ---
async function showSessions(one) {
  chosen = one;
  $("#sessions-title").textContent = t("people.sessions_title", { name: shown(one) });
  await act(async () => {
    const found = await get("/sessions", { account: one.id });
    $("#end-all").hidden = !found.some((each) => !each.current);
    $("#sessions").replaceChildren(...(found.length ? found.map((each) => session(each, endOne)) : [h("li", { class: "muted" }, t("account.sessions_none"))]));
    if (!$("#sessions-of").open) open($("#sessions-of"));
  });
}
async function endOne(one) {
  await act(() => send("DELETE", `/sessions/${encodeURIComponent(one.id)}`), t("account.session_ended"));
  await showSessions(chosen);
}
$("#end-all").addEventListener("click", async () => {
  await act(() => send("DELETE", `/sessions?account=${encodeURIComponent(chosen.id)}`), t("account.session_ended"));
  await showSessions(chosen);
});
