import { act, get } from "../lib/api.js";
import { levelChart } from "../lib/chart.js";
import { $, $$, h, icon, json } from "../lib/dom.js";
import { clockMs, exactly, integer, nsToMs } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { poll } from "../lib/poll.js";
import { timeRange } from "../lib/range.js";

const LEVELS = ["debug", "info", "warn", "error"];
const PINNED = ["trace_id", "request_id", "user_id", "component"];
const MOST = 1000;
const BUCKETS = innerWidth < 640 ? 40 : 80;
const OLDER = 200;
const TAIL = 500;
const form = $("#filters");
const rows = $("#records");
const given = new URLSearchParams(location.search);
let newest = "";
let oldest = "";
let request = null;

form.elements.q.value = given.get("q") ?? "";
form.elements.where.value = given.getAll("where").join(" ");
if (given.has("level")) for (const box of form.elements.level) box.checked = given.getAll("level").includes(box.value);
form.elements.parse_errors.checked = given.get("parse_errors") === "true";
if (given.get("service")) form.elements.service.append(new Option(given.get("service"), given.get("service"), true, true));

const pinned = Object.fromEntries(PINNED.filter((name) => given.get(name)).map((name) => [name, given.get(name)]));
const range = timeRange(() => load(), { preset: "1h" });
const histogram = levelChart($("#histogram"), LEVELS, (start, end) => range.narrow(start, end));

const period = ([start, end]) => ({ since: Math.round(start), until: Math.round(end) });
const counts = (wanted, bounds, signal) => get("/logs/histogram", { ...wanted, ...period(bounds), buckets: BUCKETS }, signal);

function conditions() {
  const chosen = [...form.elements.level].filter((box) => box.checked).map((box) => box.value);
  return {
    q: form.elements.q.value.trim(),
    level: chosen.length === LEVELS.length ? [] : chosen,
    service: form.elements.service.value,
    parse_errors: form.elements.parse_errors.checked ? "true" : "",
    where: form.elements.where.value.trim(),
    ...pinned,
  };
}

function keep(wanted) {
  const address = new URL(location.href);
  for (const name of ["q", "level", "service", "parse_errors", "where", ...PINNED]) address.searchParams.delete(name);
  for (const [name, value] of Object.entries(wanted)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one) address.searchParams.append(name, one);
  }
  history.replaceState(null, "", address);
}

function showPinned() {
  const entries = Object.entries(pinned);
  $("#pinned").hidden = !entries.length;
  $("#pinned").replaceChildren(
    ...entries.map(([name, value]) =>
      h("button", { type: "button", class: "chip", title: t("logs.unpin"), onclick: () => { delete pinned[name]; showPinned(); load(); } },
        h("span", { class: "mono" }, `${name} = ${value}`), icon("close")),
    ),
  );
}

// The message with the words of the search marked.
function marked(text) {
  const words = form.elements.q.value.trim().split(/\s+/).filter(Boolean);
  if (!words.length) return [text];
  const pattern = new RegExp(`(${words.map((one) => one.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`, "gi");
  return text.split(pattern).map((part, index) => (index % 2 ? h("mark", {}, part) : part));
}

function row(record, fresh) {
  const ms = nsToMs(record.timestampNs);
  const line = h("tr", { class: `record is-${record.level}${fresh ? " fresh" : ""}`, "data-cursor": record.cursor },
    h("td", {}, h("button", { type: "button", class: "expander", "aria-expanded": "false" }, h("time", { datetime: new Date(ms).toISOString(), title: exactly(ms) }, clockMs(ms)))),
    h("td", { class: `lv-${record.level}` }, record.level),
    h("td", {}, record.service ?? ""),
    h("td", { title: record.message }, ...marked(record.message)),
  );
  line.addEventListener("click", () => toggle(line, record));
  return line;
}

function toggle(line, record) {
  const button = $(".expander", line);
  if (line.dataset.open) {
    delete line.dataset.open;
    line.nextElementSibling.remove();
    button.setAttribute("aria-expanded", "false");
    return;
  }
  if (String(getSelection())) return;
  line.dataset.open = "1";
  button.setAttribute("aria-expanded", "true");
  const pin = (name, value) => value && h("button", { type: "button", class: "link-button", onclick: () => { pinned[name] = value; showPinned(); load(); } }, t(`logs.pin_${name}`));
  const { cursor, timestampNs, id, ...shown } = record;
  line.after(
    h("tr", { class: "detail" },
      h("td", { colspan: "4" },
        h("nav", {},
          record.traceId && h("a", { href: `/traces/${record.traceId}` }, t("logs.trace")),
          pin("trace_id", record.traceId),
          pin("request_id", record.requestId),
          pin("user_id", record.userId),
          pin("component", record.component),
        ),
        json({ timestamp: new Date(nsToMs(timestampNs)).toISOString(), ...shown }),
      ),
    ),
  );
}

async function load() {
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  const wanted = conditions();
  keep(wanted);
  const bounds = range.bounds;
  try {
    const [page, histogramOf] = await Promise.all([get("/logs", { ...wanted, ...period(bounds), limit: 100 }, signal), counts(wanted, bounds, signal)]);
    rows.replaceChildren(...page.records.map((record) => row(record, false)));
    newest = page.records[0]?.cursor ?? "";
    oldest = page.records.at(-1)?.cursor ?? "";
    $("#older").hidden = !page.more;
    $("#empty").hidden = page.records.length > 0;
    drawCounts(histogramOf, bounds);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (error.status) {
      request = null; // nothing to follow: the search itself was refused
      rows.replaceChildren();
      $("#older").hidden = true;
      $("#total").textContent = error.message;
    }
  }
}

function drawCounts(found, bounds) {
  $("#total").textContent = t("logs.total", { n: integer(found.total) });
  histogram.update(found, bounds);
}

$("#older").addEventListener("click", async (event) => {
  const { signal } = request;
  event.target.disabled = true;
  await act(async () => {
    const page = await get("/logs", { ...conditions(), ...period(range.bounds), before: oldest, limit: OLDER }, signal);
    rows.append(...page.records.map((record) => row(record, false)));
    oldest = page.records.at(-1)?.cursor ?? oldest;
    $("#older").hidden = !page.more;
  });
  event.target.disabled = false;
});

// What is too much for a browser goes at the old end; "older" fetches it again.
function trim() {
  const shown = $$(".record", rows);
  if (shown.length <= MOST) return;
  let last = shown[MOST - 1];
  oldest = last.dataset.cursor;
  $("#older").hidden = false;
  if (last.dataset.open) last = last.nextElementSibling;
  while (last.nextElementSibling) last.nextElementSibling.remove();
}

let beats = 0;
async function follow() {
  if (!range.live || !request) return;
  const { signal } = request; // a new search ends this one: its answer would be about something else
  const wanted = conditions();
  const bounds = range.bounds;
  beats += 1;
  try {
    const page = await get("/logs", { ...wanted, ...period(bounds), after: newest, limit: TAIL }, signal);
    if (page.more) return void load(); // more than one answer holds: begin anew rather than leave a gap
    if (page.records.length) {
      newest = page.records[0].cursor;
      oldest ||= page.records.at(-1).cursor;
      $("#empty").hidden = true;
      rows.prepend(...page.records.map((record) => row(record, true)));
      trim();
    }
    if (page.records.length || beats % 5 === 0) drawCounts(await counts(wanted, bounds, signal), bounds);
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

let typing = 0;
form.addEventListener("input", (event) => {
  clearTimeout(typing);
  typing = setTimeout(load, event.target.type === "search" ? 250 : 0);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  load();
});

showPinned();
await load();
poll(follow, 2000);
document.addEventListener("retry", load);
for (const name of await get("/logs/services").catch(() => [])) {
  if (name && !$$("option", form.elements.service).some((one) => one.value === name)) form.elements.service.append(new Option(name, name));
}
