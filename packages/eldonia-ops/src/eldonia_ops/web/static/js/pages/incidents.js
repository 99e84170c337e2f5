import { ApiError, get, send } from "../lib/api.js";
import { $, $$, open, render } from "../lib/dom.js";
import { duration } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { ACTIVE, incidentRow } from "../lib/incidents.js";
import { poll } from "../lib/poll.js";

let show = ["#all", "#mine"].includes(location.hash) ? location.hash.slice(1) : "active";
const me = $("[data-me]").dataset.me;
let untouched = show === "active";

let loaded = [];
let mentions = new Set(); // references of incidents in which a note mentions this person
function draw() {
  const words = $("#search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const found = loaded.filter((one) => {
    if (show === "mine" && one.assigned_to !== me && !mentions.has(one.reference)) return false;
    const text = `${one.reference} ${one.title} ${one.service} ${one.assigned_to}`.toLowerCase();
    return words.every((each) => text.includes(each));
  });
  $("#empty").hidden = found.length > 0;
  render($("#rows"), [found, Math.floor(Date.now() / 1000)], () => found.map(incidentRow));
}

function metric(name, spread) {
  const element = $(`[data-metric="${name}"]`);
  $("strong", element).textContent = spread.count ? duration(spread.median) : "–";
  $(".stat-note", element).textContent = spread.count ? t("incidents.mean", { time: duration(spread.mean), n: spread.count }) : t("incidents.no_metric");
}

const list = poll(async () => {
  const [found, { all: metrics }, mentioning] = await Promise.all([
    get("/incidents", { status: show === "all" ? [] : ACTIVE, limit: 200 }),
    get("/incidents/metrics", { since: "-30d" }),
    show === "mine" ? get("/incidents/mentions", { status: ACTIVE, limit: 200 }) : [],
  ]);
  mentions = new Set(mentioning);
  if (untouched && !found.length && metrics.incidents) {
    // Nothing is going on: what went on lately says more than an empty list.
    untouched = false;
    show = "all";
    mark();
    list.now();
    return;
  }
  loaded = found;
  draw();
  for (const name of ["mttd", "mtta", "mttr"]) metric(name, metrics[name]);
  const known = metrics.targets_met + metrics.targets_missed;
  const element = $('[data-metric="targets"]');
  $("strong", element).textContent = known ? `${metrics.targets_met}/${known}` : "–";
  $(".stat-note", element).textContent = t("incidents.in_30_days", { n: metrics.incidents });
}, 5000);

$("#show").addEventListener("click", (event) => {
  const button = event.target.closest("[data-show]");
  if (!button) return;
  show = button.dataset.show;
  untouched = false;
  mark();
  history.replaceState(null, "", show === "active" ? location.pathname : `#${show}`);
  list.now();
});
function mark() {
  for (const one of $$("#show [data-show]")) one.setAttribute("aria-pressed", String(one.dataset.show === show));
}
mark();
$("#search").addEventListener("input", draw);
$("#filters").addEventListener("submit", (event) => event.preventDefault());

$("#open-new")?.addEventListener("click", () => {
  $("#open-form").reset();
  $("#open-form .fault").hidden = true;
  open($("#open"));
});
$("#open-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { title, severity, service, description } = event.target.elements;
  try {
    const opened = await send("POST", "/incidents", { title: title.value, severity: severity.value, service: service.value, description: description.value });
    location.assign(`/incidents/${opened.reference}`);
  } catch (error) {
    if (error instanceof ApiError) Object.assign($("#open-form .fault"), { textContent: error.message, hidden: false });
  }
});
