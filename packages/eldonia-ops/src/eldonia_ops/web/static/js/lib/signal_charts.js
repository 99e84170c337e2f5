// The charts of what an incident's alerts watch, each with its threshold and the moments of its alerts.
import { lineChart } from "./chart.js";
import { h, render } from "./dom.js";
import { quantity, timeOfDay } from "./format.js";
import { t } from "./i18n.js";

const TONES = { pending: "warn", firing: "bad", resolved: "ok" };
const MOST_LABELS = 3; // labels in a line's name

// The unit of a signal, where the name of its metric says it and no rate or ratio has changed it.
export function unitOf({ metric, query }) {
  // Of several names there is only what they have in common.
  if (/^(up|probe_success|\S+_up)$/.test(query.replace(/\{.*$/s, "") || metric)) return "up_down";
  const kept = !/\b(rate|irate|increase|deriv|count|stddev|stdvar|changes|resets)\b/.test(query) || query.startsWith("histogram_quantile");
  if (!kept || query.includes("/")) return "count";
  if (/_seconds(_bucket)?$/.test(metric)) return "seconds";
  return /_bytes$/.test(metric) ? "bytes" : "count";
}

// What tells the lines of a chart apart: the labels in which they differ.
export function lineNames(lines) {
  const names = new Set(lines.flatMap((line) => Object.keys(line.labels)));
  names.delete("__name__");
  const differ = [...names].filter((name) => new Set(lines.map((line) => line.labels[name] ?? "")).size > 1).sort();
  return lines.map((line) => differ.slice(0, MOST_LABELS).map((name) => line.labels[name] ?? "–").join(" · "));
}

const finite = ([at, value]) => [at, typeof value === "number" ? value : null];

// Every step of the range has its place, so that missing samples are gaps.
function steps({ start, end, step }, points) {
  const known = new Map(points.map(finite));
  const all = [];
  for (let at = start; at <= end; at += step) all.push([at, known.get(at) ?? null]);
  return all;
}

export function firesWhen(signal, unit) {
  if (unit === "up_down") return t("incident.fires_down");
  if (signal.threshold === null) return "";
  const limit = `${signal.op} ${typeof signal.threshold === "number" ? quantity(signal.threshold, unit) : signal.threshold}`;
  return t("incident.fires_at", { limit });
}

export function signalCharts(place) {
  let chosen = 0;
  let charts = [];
  function chart(signal, index) {
    const plot = h("div", { class: "plot", role: "img", "aria-label": t("incident.signal_of", { alert: signal.alertname }) });
    const legend = h("ul", { class: "legend" });
    const unit = unitOf(signal);
    const note = h("p", { class: "muted small signal-note" });
    const body = h("div", { class: "signal", id: `signal-${index}`, hidden: index !== chosen }, plot, note, legend,
      h("details", {}, h("summary", {}, t("incident.expression")), h("code", { class: "expression" }, signal.expression)));
    return { body, plot, note, unit, drawing: lineChart(plot, legend, { unit, least: 0, sync: "signals" }) };
  }
  function show(index) {
    chosen = index;
    charts.forEach(({ body }, at) => { body.hidden = at !== index; });
    for (const button of place.querySelectorAll("[data-signal]")) button.setAttribute("aria-pressed", String(Number(button.dataset.signal) === index));
  }
  return (signals) => {
    const rebuilt = render(place, signals.map((one) => one.expression), () => {
      charts = signals.map(chart);
      if (chosen >= charts.length) chosen = 0;
      const chips = signals.length < 2 ? [] : [h("div", { class: "chips small", role: "group", "aria-label": t("incident.signal") }, signals.map((one, index) =>
        h("button", { type: "button", class: "chip-button", "data-signal": index, "aria-pressed": String(index === chosen), onclick: () => show(index) }, one.alertname)))];
      return [...chips, ...charts.map((one) => one.body)];
    });
    if (rebuilt) show(chosen);
    signals.forEach((signal, index) => {
      const { plot, note, unit, drawing } = charts[index];
      const lines = signal.lines.filter((line) => line.points.length);
      const fires = firesWhen(signal, unit);
      const left = signal.left_out ? t("incident.left_out", { n: signal.left_out }) : "";
      note.textContent = signal.fault || (lines.length ? [signal.summary, fires, left].filter(Boolean).join(" · ") : t("incident.no_signal"));
      plot.hidden = !lines.length;
      if (!lines.length) return;
      const names = lineNames(lines);
      const bound = signal.bound.map((line, at) => ({ name: `${t("incident.bound")}${at ? ` ${at + 1}` : ""}`, points: steps(signal, line.points) }));
      drawing.update(
        [...lines.map((line, at) => ({ name: names[at] || signal.alertname, points: steps(signal, line.points) })), ...bound],
        [signal.start, signal.end],
        {
          levels: typeof signal.threshold === "number" ? [signal.threshold] : [],
          // Where there is room for one name only, it is that of the firing.
          marks: [...signal.moments].sort((a, b) => Number(b[1] === "firing") - Number(a[1] === "firing")).filter(([at]) => at >= signal.start && at <= signal.end).map(([at, state]) => ({ at, tone: TONES[state], text: `${t(`alert_state.${state}`)} ${timeOfDay(at)}` })),
        },
      );
    });
  };
}
