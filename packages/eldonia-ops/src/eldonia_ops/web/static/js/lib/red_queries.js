// Rate, errors and duration of services, from the metrics that are made of their spans.
import { quoted } from "./promql_build.js";

export const CALLS = "traces_span_metrics_calls_total";
export const BUCKETS = "traces_span_metrics_duration_seconds_bucket";
// A collector of others may count the calls that a service makes too; what it serves is meant.
const SERVED = 'span_kind!~"SPAN_KIND_CLIENT|SPAN_KIND_PRODUCER"';
const FAILED = 'status_code="STATUS_CODE_ERROR"';

const braces = (...matchers) => `{${matchers.filter(Boolean).join(",")}}`;

/**
 * The queries of what services served, each by some labels: requests per second, the share that failed in percent, and
 * quantiles of the duration in seconds.
 * @param {{service?: string, operation?: string, by?: string[], window?: string}} [what]
 */
export function red({ service = "", operation = "", by = [], window = "5m" } = {}) {
  const which = [service && `service_name=${quoted(service)}`, operation && `span_name=${quoted(operation)}`, SERVED];
  const sum = (metric, ...more) => `sum${by.length ? ` by (${by.join(", ")})` : ""} (rate(${metric}${braces(...which, ...more)}[${window}]))`;
  const rate = sum(CALLS);
  return {
    rate,
    // Where nothing failed there is no series of failures: nothing, not no answer.
    errors: `100 * (${sum(CALLS, FAILED)} or ${rate} * 0) / ${rate}`,
    quantile: (share) => `histogram_quantile(${share}, sum by (${[...by, "le"].join(", ")}) (rate(${BUCKETS}${braces(...which)}[${window}])))`,
  };
}

/** What Explore shows of a service. @param {string} service */
export function redQueries(service) {
  const { rate, errors, quantile } = red({ service });
  return [rate, errors, quantile(0.95)];
}

/** The window of rates for a step in ms: at least four of the intervals in which they are stored. */
export const windowOf = (stepMs) => `${Math.max(60, Math.ceil((stepMs * 4) / 1000))}s`;

/** The value of each service, or another label, of an instant query. @param {{series: any[]}} found @param {string} label @returns {Map<string, number>} */
export function byLabel(found, label) {
  const values = new Map();
  for (const one of found.series) if (typeof one.points[0]?.[1] === "number") values.set(one.labels[label] ?? "", one.points[0][1]);
  return values;
}
