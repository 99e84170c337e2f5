import { get } from "../lib/api.js";
import { $, h, render } from "../lib/dom.js";
import { exploreLink } from "../lib/explore_state.js";
import { digits, duration } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { poll } from "../lib/poll.js";
import { selector } from "../lib/promql_build.js";

// The share of bad events, fast and slow, and the share that is allowed.
const ratios = (name) => ["slo:error_ratio:rate5m", "slo:error_ratio:rate1h", "slo:objective:budget"].map((metric) => selector(metric, [{ name: "objective", value: name }]));
const places = (target) => Math.max(1, Math.min(5, String(+(target * 100).toFixed(6)).split(".")[1]?.length ?? 0) + 1);
const ratio = (value, digitsShown) => (value === null ? "–" : `${(value * 100).toFixed(digitsShown)} %`);

function card(one) {
  const left = one.budget_remaining;
  const tone = left === null ? "" : left <= 0 ? "bad" : left < 0.25 ? "warn" : "ok";
  const burn = one.burn_rate === null ? "–" : `${one.burn_rate < 0.005 ? "0" : digits(one.burn_rate)}×`;
  const fact = (label, value) => h("div", {}, h("dt", {}, label), h("dd", {}, value));
  return h("article", { class: "card objective" },
    h("header", {}, h("h2", {}, one.name), h("span", { class: "muted" }, one.service)),
    h("p", { class: `budget ${tone}` }, left === null ? "–" : `${(left * 100).toFixed(0)} %`, h("small", {}, t("objectives.left"))),
    h("div", { class: `gauge ${tone}`, role: "meter", "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": String(Math.max(0, Math.round((left ?? 0) * 100))), "aria-label": t("objectives.left") }, h("i", { vars: { part: Math.max(0, Math.min(1, left ?? 0)) } })),
    h("dl", { class: "facts-list" },
      fact(t("objectives.availability"), ratio(one.availability, places(one.target))),
      fact(t("objectives.target"), ratio(one.target, places(one.target) - 1)),
      fact(t("objectives.window"), duration(one.window_seconds * 1000)),
      one.measured_seconds < one.window_seconds ? fact(t("objectives.measured"), duration(one.measured_seconds * 1000)) : null,
      fact(t("objectives.burn"), burn)),
    left === null ? h("p", { class: "muted small" }, t("objectives.waiting")) : null,
    h("p", { class: "links" }, h("a", { href: exploreLink(ratios(one.name)) }, t("explore.open"))),
  );
}

poll(async () => {
  const found = await get("/objectives");
  $("#empty").hidden = found.length > 0;
  render($("#rows"), found, () => found.map(card));
}, 10_000);
