import { get } from "../lib/api.js";
import { $, $$ } from "../lib/dom.js";
import { integer, rangeText } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { changeHead, changeRow, listHead, listRow } from "../lib/log_patterns.js";
import { keepViews } from "../lib/log_views.js";
import { comparison } from "../lib/pattern_comparison.js";
import { poll } from "../lib/poll.js";
import { timeRange } from "../lib/range.js";
import { searchBox } from "../lib/search_box.js";
import { excluded, searchOf, withTerm } from "../lib/search_terms.js";

const LIMIT = 200;
const EVERY = 15_000;
const form = $("#filters");
const input = form.elements.query;
let request = null;

input.value = searchOf(new URLSearchParams(location.search));
const range = timeRange(() => load(), { preset: "1h" });
const period = () => {
  const [since, until] = range.bounds.map(Math.round);
  return { since, until };
};
const compared = comparison(() => range.bounds, () => load());
const box = searchBox(input, period, () => load());
const page = {
  search: () => input.value.trim(),
  exclude: (term) => {
    input.value = withTerm(input.value, excluded(term));
    load();
    input.focus();
  },
};

function keep() {
  const here = new URL(location.href);
  here.searchParams.delete("query");
  if (page.search()) here.searchParams.set("query", page.search());
  history.replaceState(null, "", here);
  keepViews();
}

function show(head, rows, { total, note = "", cut = "", without = "", empty }) {
  $("#head").replaceChildren(...head);
  $("#rows").replaceChildren(...rows);
  $("#results").hidden = false;
  $("#total").textContent = total;
  $("#compared").textContent = note;
  $("#cut").textContent = cut;
  $("#cut").hidden = !cut;
  $("#without").textContent = without;
  $("#without").hidden = !without;
  $("#empty").hidden = rows.length > 0;
  $(".pattern-table").hidden = rows.length === 0;
  [$("#empty-title").textContent, $("#empty-hint").textContent] = empty;
}

async function list(signal) {
  const wanted = { query: page.search(), ...period() };
  const found = await get("/logs/patterns", { ...wanted, limit: LIMIT }, signal);
  const within = { from: wanted.since, to: wanted.until };
  show(listHead(), found.patterns.map((one) => listRow(one, found.total, within, page)), {
    total: t("patterns.total", { n: integer(found.groups), records: integer(found.total) }),
    cut: found.groups > found.patterns.length ? t("patterns.cut", { n: integer(found.patterns.length) }) : "",
    without: found.without ? t("patterns.without", { n: integer(found.without) }) : "",
    empty: [t("patterns.none"), t("patterns.none_hint")],
  });
}

async function differences(signal) {
  const found = await get("/logs/pattern-changes", { query: page.search(), ...(compared.ownRange ? period() : {}), ...compared.asked(), limit: LIMIT }, signal);
  const now = { from: found.since, to: found.until };
  const before = { from: found.before_since, to: found.before_until };
  show(changeHead(), found.changes.map((one) => changeRow(one, now, before, page)), {
    total: t("patterns.differ", { n: integer(found.groups) }),
    note: t("patterns.compared", { title: found.title ? `${found.title}: ` : "", now: rangeText(found.since, found.until), before: rangeText(found.before_since, found.before_until) }),
    cut: found.groups > found.changes.length ? t("patterns.cut", { n: integer(found.changes.length) }) : "",
    empty: [t("patterns.same"), t("patterns.same_hint")],
  });
}

async function load() {
  request?.abort();
  request = new AbortController();
  keep();
  try {
    await (compared.on ? differences(request.signal) : list(request.signal));
    box.fault(null, "");
  } catch (error) {
    if (error.name === "AbortError") return;
    if (!error.status) throw error;
    $("#results").hidden = true;
    $("#without").hidden = true;
    $("#total").textContent = "";
    $("#compared").textContent = "";
    box.fault(error, page.search());
  }
}

let typing = 0;
input.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(load, 400);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  load();
});

await load();
// What is being read with the keyboard stays where it is.
poll(async () => {
  if (range.live && !$$("#rows :focus, #rows :hover").length) await load();
}, EVERY);
document.addEventListener("retry", load);
