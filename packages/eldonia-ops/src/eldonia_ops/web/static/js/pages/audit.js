import { address, get } from "../lib/api.js";
import { $, h } from "../lib/dom.js";
import { integer, when } from "../lib/format.js";
import { t, word } from "../lib/i18n.js";

const PAGE = 100;
const form = $("#filters");
const given = new URLSearchParams(location.search);
for (const name of ["actor", "kind", "subject", "since"]) if (given.get(name)) form.elements[name].value = given.get(name);
if (!form.elements.since.value) form.elements.since.value = "-30d";
let oldest = 0;

/** @returns {Record<string, string>} */
const wanted = () => Object.fromEntries([...new FormData(form)].filter(([, value]) => value).map(([name, value]) => [name, String(value)]));
const shown = (value, field) => (typeof value === "number" && value > 1e11 && /(^|[_.])at$/.test(field) ? when(value) : value === null || value === "" ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value));

// Where a subject can be looked at.
function link(entry) {
  const title = entry.title || entry.subject;
  if (entry.kind === "incident") return h("a", { href: `/incidents/${encodeURIComponent(entry.subject)}` }, `${entry.subject} ${entry.title === entry.subject ? "" : entry.title}`);
  const pages = { account: "/people", token: "/settings", silence: "/alerts", dashboard: `/dashboards/${encodeURIComponent(entry.subject)}` };
  return pages[entry.kind] && title ? h("a", { href: pages[entry.kind] }, title) : title;
}

function row(entry) {
  const line = [
    when(entry.at),
    h("span", { class: "actor" }, entry.actor || "–"),
    h("span", { class: "what" }, word("audit_kind", entry.kind), " · ", word("audit_action", entry.action), " ", h("b", {}, link(entry))),
    h("span", { class: "fields-changed" }, entry.changes.length ? t("audit.fields", { n: integer(entry.changes.length) }) : ""),
  ];
  const from = h("p", { class: "from" }, [word("audit_method", entry.method), entry.address, entry.actor_id].filter(Boolean).join(" · "));
  return h("li", {}, h("details", {}, h("summary", {}, line), from,
    entry.changes.length ? h("table", {},
      h("thead", {}, h("tr", {}, h("th", {}, t("audit.field")), h("th", {}, t("audit.before")), h("th", {}, t("audit.after")))),
      h("tbody", {}, entry.changes.map((one) => h("tr", {}, h("th", { scope: "row" }, one.field), h("td", {}, h("del", {}, shown(one.before, one.field))), h("td", {}, h("ins", {}, shown(one.after, one.field))))))) : null));
}

async function load(more) {
  const asked = { ...wanted(), limit: PAGE, ...(more ? { before_id: oldest } : {}) };
  const found = await get("/audit", asked);
  if (!more) $("#rows").replaceChildren();
  $("#rows").append(...found.map(row));
  oldest = found.at(-1)?.id ?? oldest;
  $("#rows").hidden = !$("#rows").children.length;
  $("#empty").hidden = Boolean($("#rows").children.length);
  $("#more").hidden = found.length < PAGE;
  $("#download").href = address("/audit", { ...wanted(), limit: 1000 });
}

let waiting = 0;
form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    history.replaceState(null, "", `?${new URLSearchParams(wanted())}`);
    load(false);
  }, 250);
});
form.addEventListener("submit", (event) => event.preventDefault());
$("#more").addEventListener("click", () => load(true));
await load(false);
const people = await get("/people").catch(() => []);
$("#actors").replaceChildren(...people.map((one) => h("option", { value: one.display_name })));
