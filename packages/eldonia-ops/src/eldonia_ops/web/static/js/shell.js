// What every page has: navigation, theme, language, keys, the banner for a lost server, counts in the menu.
import { act, get, send } from "./lib/api.js";
import { countFiring } from "./lib/alerts.js";
import { $, $$, count, open } from "./lib/dom.js";
import { ACTIVE } from "./lib/incidents.js";
import { poll } from "./lib/poll.js";
import { zoneName } from "./lib/format.js";
import { t } from "./lib/i18n.js";

const root = document.documentElement;
// A choice is kept in this browser, for the sign-in, and with the account where there is one.
const remember = async (name, value, preference) => {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  if (root.dataset.account) await act(() => send("PATCH", "/account/preferences", { [preference]: value }));
};

$("#theme").addEventListener("click", () => {
  const light = root.dataset.theme ? root.dataset.theme === "light" : matchMedia("(prefers-color-scheme: light)").matches;
  root.dataset.theme = light ? "dark" : "light";
  $('meta[name="color-scheme"]').content = root.dataset.theme;
  remember(root.dataset.themeCookie, root.dataset.theme, "theme");
  document.dispatchEvent(new Event("theme"));
});

$("#language").addEventListener("click", async (event) => {
  await remember(root.dataset.languageCookie, event.currentTarget.dataset.language, "language");
  const address = new URL(location.href);
  address.searchParams.delete("lang");
  location.replace(address);
});

$("#zone").textContent = t("shell.zone", { zone: zoneName });

const side = $("#side");
function menu(shown) {
  side.classList.toggle("open", shown);
  $("#veil").hidden = !shown;
  $("#menu").setAttribute("aria-expanded", String(shown));
  if (shown) $("a", side).focus();
}
$("#menu").addEventListener("click", () => menu(!side.classList.contains("open")));
$("#veil").addEventListener("click", () => menu(false));
$("#help-open").addEventListener("click", () => open($("#help")));

let prefix = 0;
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && side.classList.contains("open")) {
    menu(false);
    $("#menu").focus();
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]") || $("dialog[open]")) return;
  if (event.key === "?") return open($("#help"));
  if (event.key === "/" && $("#search")) {
    event.preventDefault();
    return $("#search").focus();
  }
  if (Date.now() - prefix < 1200) {
    prefix = 0;
    const link = $$(".nav a").find((one) => one.dataset.shortcut === event.key);
    if (link) link.click();
  } else if (event.key === "g") prefix = Date.now();
});

document.addEventListener("server", (event) => {
  $("#away").hidden = event.detail;
});
$("#retry").addEventListener("click", () => document.dispatchEvent(new Event("retry")));

poll(async () => {
  const [incidents, alerts, findings] = await Promise.all([
    get("/incidents", { status: ACTIVE, limit: 100 }),
    get("/alerts"),
    get("/security/findings", { status: ["open", "investigating"], limit: 100 }),
  ]);
  count($('[data-count="incidents"]'), incidents.length, incidents.some((one) => !one.acknowledged_at) ? "bad" : "warn");
  countFiring($('[data-count="alerts"]'), alerts);
  count($('[data-count="security"]'), findings.length, findings.some((one) => one.status === "open") ? "bad" : "warn");
}, 15_000);
