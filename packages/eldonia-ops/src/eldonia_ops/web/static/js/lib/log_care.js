// Metrics made of logs, and rules of retention: what the page of the platform shows of them.
import { h } from "./dom.js";
import { bytes, duration, integer, whenAgo } from "./format.js";
import { t } from "./i18n.js";

/** @param {Api.Answer<"/logs/metrics">[number]} one */
export function logMetric(one) {
  const full = one.overflow > 0;
  return h("tr", {},
    h("td", {}, h("span", {}, h("strong", { class: "mono" }, one.name), h("span", { class: "sub mono" }, one.search || "*"))),
    h("td", { class: "brief", "data-label": t("log_metrics.type") }, one.type),
    h("td", { class: "num brief", "data-label": t("log_metrics.series") }, h("span", { class: full ? "bad" : "" }, `${integer(one.series)} / ${integer(one.max_series)}`)),
    h("td", { class: "num brief", "data-label": t("log_metrics.records") }, integer(one.records)),
    h("td", { class: "num brief", "data-label": t("log_metrics.overflow") }, integer(one.overflow)),
    h("td", { class: "num brief", "data-label": t("log_metrics.skipped") }, integer(one.skipped)),
  );
}

/** @param {Api.Answer<"/logs/retention">[number]} one */
export function retentionRule(one) {
  const bounds = [one.keep_ms ? duration(one.keep_ms) : "", one.max_size ? bytes(one.max_size) : ""].filter(Boolean);
  return h("tr", {},
    h("td", {}, h("span", {}, h("strong", {}, one.name), h("span", { class: "sub mono" }, one.search || "*"))),
    h("td", { class: "brief", "data-label": t("log_retention.keeps") }, bounds.join(" · ")),
    h("td", { class: "num brief", "data-label": t("log_retention.records") }, integer(one.records)),
    h("td", { class: "num brief", "data-label": t("log_retention.size") }, bytes(one.bytes)),
    h("td", { class: "brief", "data-label": t("log_retention.oldest") }, one.oldest_at ? whenAgo(one.oldest_at) : "–"),
    h("td", { class: "num brief", "data-label": t("log_retention.due") }, integer(one.due_records)),
    h("td", { class: "num brief", "data-label": t("log_retention.deleted") }, integer(one.deleted_records)),
  );
}
