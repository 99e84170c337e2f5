// Rate, errors and duration of a service, from the metrics that are derived from its spans.
import { quoted } from "./promql_build.js";

export const CALLS = "traces_span_metrics_calls_total";
export const BUCKETS = "traces_span_metrics_duration_seconds_bucket";
const SERVED = 'span_kind=~"SPAN_KIND_SERVER|SPAN_KIND_CONSUMER"';

/** The selector of what a service served. @param {string} service @param {string} [operation] */
export const served = (service, operation = "") => `{service_name=${quoted(service)},${SERVED}${operation ? `,span_name=${quoted(operation)}` : ""}}`;

/** @param {string} service @param {string} [window] @returns {[string, string, string]} rate per second, share of errors, 95th percentile in seconds */
export function redQueries(service, window = "5m") {
  const which = served(service);
  const failed = which.replace("}", ',status_code="STATUS_CODE_ERROR"}');
  return [
    `sum(rate(${CALLS}${which}[${window}]))`,
    `(sum(rate(${CALLS}${failed}[${window}])) or vector(0)) / sum(rate(${CALLS}${which}[${window}]))`,
    `histogram_quantile(0.95, sum by (le) (rate(${BUCKETS}${which}[${window}])))`,
  ];
}
