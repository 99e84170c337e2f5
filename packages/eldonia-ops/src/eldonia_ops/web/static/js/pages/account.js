import { act, get, send } from "../lib/api.js";
import { $, h, open, render, toast } from "../lib/dom.js";
import { listed } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { byUse, session, token } from "../lib/people.js";
import { poll } from "../lib/poll.js";

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
const person = document.documentElement.dataset.account;

// --- sessions ---
const sessions = poll(async () => {
  const found = await get("/sessions");
  $("#end-others").hidden = found.filter((one) => !one.current).length < 2;
  render($("#sessions"), found, () =>
    found.length ? found.map((one) => session(one, end)) : [h("li", { class: "muted" }, t("account.sessions_none"))]);
}, 15_000);
async function end(one) {
  await act(() => send("DELETE", `/sessions/${encodeURIComponent(one.id)}`), t("account.session_ended"));
  sessions.now();
}
$("#end-others").addEventListener("click", async () => {
  await act(() => send("DELETE", "/sessions"), t("account.session_ended"));
  sessions.now();
});

if (person) {
  // --- profile ---
  const [me, mine] = await Promise.all([get("/me"), get("/account")]);
  $("#facts").replaceChildren(
    fact(t("account.role"), t(`role.${mine.account.role}`)),
    fact(t("account.may"), listed(me.capabilities.map((one) => t(`capability.${one}`)))),
    ...(mine.account.issuer ? [fact(t("account.provider"), mine.account.issuer)] : []));
  $("#profile").addEventListener("submit", async (event) => {
    event.preventDefault();
    const { display_name: shown, mail } = event.target.elements;
    if (await act(() => send("PATCH", "/account", { display_name: shown.value, mail: mail.value }))) location.reload();
  });

  // --- preferences ---
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const { time_zone: zone } = $("#preferences").elements;
  zone.placeholder = t("account.zone_browser", { zone: here });
  $("#zones").append(...Intl.supportedValuesOf("timeZone").map((name) => h("option", { value: name })));
  $("#preferences").addEventListener("submit", async (event) => {
    event.preventDefault();
    const { time_zone, language, theme, receiver } = event.target.elements;
    const wanted = { time_zone: time_zone.value.trim(), language: language.value, theme: theme.value, receiver: receiver.value };
    // The page has to be made anew: every time on it may read otherwise.
    if (await act(() => send("PATCH", "/account/preferences", wanted))) location.reload();
  });

  // --- password ---
  $("#password")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const { old, new: wanted, again } = form.elements;
    again.setCustomValidity(wanted.value === again.value ? "" : t("account.password_differs"));
    if (!form.reportValidity()) return;
    if (await act(() => send("POST", "/account/password", { old: old.value, new: wanted.value }), t("account.password_changed"))) form.reset();
    sessions.now();
  });
  $("#password")?.addEventListener("input", () => $("#password").elements.again.setCustomValidity(""));

  // --- tokens ---
  let chosen = null;
  const tokens = poll(async () => {
    const found = await get("/account/tokens");
    found.sort(byUse);
    $("#tokens-none").hidden = found.length > 0;
    $("#tokens").closest("table").hidden = !found.length;
    render($("#tokens"), found, () => found.map((one) => token(one, revoke)));
  }, 15_000);
  function revoke(one) {
    chosen = one;
    $("#revoke-text").textContent = t("settings.revoke_lead", { name: one.name });
    open($("#revoke"));
  }
  $("#token-form")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { name, role, expires } = event.target.elements;
    await act(async () => {
      const made = await send("POST", "/account/tokens", { name: name.value.trim(), role: role.value, expires: expires.value });
      $("#secret-text").textContent = made.secret;
      $("#secret").hidden = false;
      event.target.reset();
    });
    tokens.now();
  });
  $("#secret-copy")?.addEventListener("click", async () => {
    await navigator.clipboard.writeText($("#secret-text").textContent);
    toast(t("settings.copied"));
  });
  $("#revoke-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    await act(() => send("DELETE", `/account/tokens/${encodeURIComponent(chosen.id)}`), t("settings.was_revoked", { name: chosen.name }));
    $("#revoke").close();
    tokens.now();
  });
}
