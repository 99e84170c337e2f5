import { get } from "../lib/api.js";
import { $, badge, h, icon } from "../lib/dom.js";
import { dayOf, duration, exactly, nsToMs, timeOfDay } from "../lib/format.js";
import { exploreLink } from "../lib/explore_state.js";
import { t } from "../lib/i18n.js";
import { redQueries } from "../lib/red_queries.js";
import { term } from "../lib/search_terms.js";
import { palette } from "../lib/services.js";

const AROUND_MS = 900_000;
const id = $("#trace").dataset.trace;
let serviceClass = palette([]);

// Parents before children, children by start; spans whose parent is not here count as roots.
function tree(spans) {
  const byId = new Map(spans.map((span) => [span.span_id, { span, children: [] }]));
  const roots = [];
  for (const node of byId.values()) {
    const parent = node.span.parent_span_id !== node.span.span_id && byId.get(node.span.parent_span_id);
    (parent ? parent.children : roots).push(node);
  }
  const ordered = [];
  const seen = new Set();
  const walk = (node, depth, above) => {
    if (seen.has(node)) return;
    seen.add(node);
    ordered.push({ ...node, depth, above });
    for (const child of node.children) walk(child, depth + 1, [...above, node.span.span_id]);
  };
  for (const node of roots) walk(node, 0, []);
  for (const node of byId.values()) walk(node, 0, []); // a cycle of parents still shows
  return ordered;
}

function attributes(title, pairs) {
  const entries = Object.entries(pairs);
  if (!entries.length) return null;
  return [
    h("h3", {}, title),
    h("dl", { class: "attributes" }, entries.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, typeof value === "string" ? value : JSON.stringify(value))))),
  ];
}

// To the service of a span: its page, and its logs and metrics around the time of the span.
function spanLinks(span) {
  if (!span.service) return null;
  const start = nsToMs(span.start_ns);
  const bounds = [start - AROUND_MS, start + span.duration_ns / 1e6 + AROUND_MS].map(Math.round);
  const logs = new URLSearchParams({ query: term("service", span.service), from: String(bounds[0]), to: String(bounds[1]) });
  return h("p", { class: "links" },
    h("a", { href: `/services/${encodeURIComponent(span.service)}` }, t("trace.service_page")),
    h("a", { href: `/logs?${logs}` }, t("trace.span_logs")),
    h("a", { href: exploreLink(redQueries(span.service), /** @type {[number, number]} */ (bounds)) }, t("trace.span_metrics")));
}

function showSpan(span, row) {
  for (const one of document.querySelectorAll(".span-row[aria-current]")) one.removeAttribute("aria-current");
  row.setAttribute("aria-current", "true");
  const box = $("#span");
  box.hidden = false;
  box.replaceChildren(
    ...[
      h("header", {}, h("h2", {}, span.name), h("button", { type: "button", class: "icon-button", "aria-label": t("shell.close"), onclick: () => { box.hidden = true; row.removeAttribute("aria-current"); } }, icon("close"))),
      h("p", { class: "badges" }, badge(span.service, "info"), badge(span.kind), span.status === "error" ? badge(t("trace.error"), "bad") : null, badge(duration(span.duration_ns / 1e6))),
      spanLinks(span),
      span.status_message ? h("p", { class: "fault" }, span.status_message) : null,
      attributes(t("trace.attributes"), span.attributes),
      ...span.events.map((event) => attributes(`${event.name} · +${duration(event.offset_ns / 1e6)}`, event.attributes) ?? h("h3", {}, `${event.name} · +${duration(event.offset_ns / 1e6)}`)),
      attributes(t("trace.resource"), span.resource),
      attributes(t("trace.ids"), { span_id: span.span_id, parent_span_id: span.parent_span_id || "–", scope: span.scope || "–" }),
      span.links.length ? h("p", {}, span.links.map((link) => h("a", { href: `/traces/${link.trace_id}` }, t("trace.link")))) : null,
    ].flat().filter(Boolean),
  );
}

function draw(spans) {
  const total = Math.max(1, ...spans.map((span) => span.offset_ns + span.duration_ns));
  const nodes = tree(spans);
  const closed = new Set();
  const rows = new Map();
  const refresh = () => {
    for (const { span, above } of nodes) rows.get(span.span_id).hidden = above.some((one) => closed.has(one));
  };
  $("#scale").replaceChildren(h("div", {}, [0, 0.25, 0.5, 0.75, 1].map((part) => h("span", {}, part ? duration((total * part) / 1e6) : "0"))));
  $("#waterfall").replaceChildren(
    ...nodes.map(({ span, children, depth }) => {
      const from = span.offset_ns / total;
      const part = span.duration_ns / total;
      const twist = children.length
        ? h("button", { type: "button", class: "twist", "aria-expanded": "true", "aria-label": t("trace.collapse"), onclick: (event) => {
            event.stopPropagation();
            if (!closed.delete(span.span_id)) closed.add(span.span_id);
            event.currentTarget.setAttribute("aria-expanded", String(!closed.has(span.span_id)));
            refresh();
          } }, icon("chevron"))
        : h("span", { class: "twist" });
      const row = h("li", { class: `span-row${span.status === "error" ? " failed" : ""}` },
        h("div", { class: "span-name", vars: { depth } }, twist, h("button", { type: "button", class: "span-open", title: `${span.service} · ${span.name}` }, span.name, h("small", {}, span.service))),
        h("div", { class: "span-track", vars: { from, part } }, h("i", { class: `span-bar ${serviceClass(span.service)}` })),
        h("span", { class: "span-time" }, duration(span.duration_ns / 1e6)),
      );
      row.addEventListener("click", () => showSpan(span, row));
      rows.set(span.span_id, row);
      return row;
    }),
  );
  const root = nodes[0].span;
  const start = nsToMs(root.start_ns);
  const services = [...new Set(spans.map((span) => span.service))];
  $("#trace-name").textContent = root.name;
  document.title = `${root.name} · Eldonia Ops`;
  const fact = (label, value) => h("span", {}, `${label} `, h("b", {}, value));
  $("#facts").replaceChildren(
    h("time", { datetime: new Date(start).toISOString(), title: exactly(start) }, `${dayOf(start)} ${timeOfDay(start)}`),
    fact(t("traces.duration"), duration(total / 1e6)),
    fact(t("traces.spans"), spans.length),
    h("span", {}, services.map((name) => h("span", { class: `service-dot ${serviceClass(name)}` }, h("i"), h("span", {}, name)))),
    h("code", {}, id),
  );
  const link = $("#trace-logs");
  link.href = `/logs?query=trace_id:${id}&from=${Math.floor(start - 300_000)}&to=${Math.ceil(start + total / 1e6 + 300_000)}`;
  link.hidden = false;
}

async function load() {
  try {
    const [spans, services] = await Promise.all([get(`/traces/${encodeURIComponent(id)}`), get("/traces/services")]);
    serviceClass = palette([...services, ...spans.map((span) => span.service)]);
    draw(spans);
    $("#empty").hidden = true;
  } catch (error) {
    if (error.status !== 404) return;
    $("#empty").hidden = false;
    $(".trace-columns").hidden = true;
  }
}
await load();
document.addEventListener("retry", load);
