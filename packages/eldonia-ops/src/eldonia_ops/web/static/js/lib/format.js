// Numbers, durations and instants for people.
import { h } from "./dom.js";
import { language, t } from "./i18n.js";
import { dayKey, localText, zoneName } from "./zone.js";

const locale = language === "ja" ? "ja-JP" : "en-GB";
const clock = new Intl.DateTimeFormat(locale, { timeZone: zoneName, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const short = new Intl.DateTimeFormat(locale, { timeZone: zoneName, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dayAndClock = new Intl.DateTimeFormat(locale, { timeZone: zoneName, month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(locale, { timeZone: zoneName, month: "short", day: "numeric" });
const full = new Intl.DateTimeFormat(locale, { timeZone: zoneName, dateStyle: "full" });
const exact = new Intl.DateTimeFormat(locale, { timeZone: zoneName, year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short" });
const whole = new Intl.NumberFormat(locale);
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "long" });
const list = new Intl.ListFormat(locale, { type: "conjunction" });

const sameDay = (ms) => dayKey(ms) === dayKey(Date.now());
export const listed = (texts) => list.format(texts);
export const integer = (value) => whole.format(value);
export const timeOfDay = (ms) => clock.format(ms);
export const dayOf = (ms) => full.format(ms);
export const clockMs = (ms) => `${sameDay(ms) ? "" : `${day.format(ms)} `}${clock.format(ms)}.${String(Math.floor(ms) % 1000).padStart(3, "0")}`;
export const instantText = (ms) => (sameDay(ms) ? clock.format(ms) : dayAndClock.format(ms));
// The label of a tick on a time axis whose ticks are `stepSeconds` apart: neighbours never read the same.
export function tickTime(ms, stepSeconds) {
  if (stepSeconds < 60) return clock.format(ms);
  return stepSeconds >= 86400 || localText(ms).slice(11, 16) === "00:00" ? day.format(ms) : short.format(ms);
}
// Two instants as one range: the day where it is not today's, seconds where minutes would be equal.
export function rangeText(from, to) {
  const time = to - from < 600_000 ? clock : short;
  const named = (ms) => (sameDay(ms) ? "" : `${day.format(ms)} `) + time.format(ms);
  const oneDay = dayKey(from) === dayKey(to);
  return `${named(from)}–${oneDay ? time.format(to) : named(to)}`;
}
export const nsToMs = (text) => Number(BigInt(text) / 1000n) / 1000;

// The time zone of every time on a page: the reader's own.
export { zoneName };
export const exactly = (ms) => exact.format(ms);
export const when = (ms, text = instantText(ms)) =>
  ms ? h("time", { datetime: new Date(ms).toISOString(), title: exactly(ms) }, text) : "–";

export function ago(ms) {
  const seconds = Math.round((ms - Date.now()) / 1000);
  const size = Math.abs(seconds);
  if (size < 60) return relative.format(seconds, "second");
  if (size < 3600) return relative.format(Math.round(seconds / 60), "minute");
  if (size < 86400) return relative.format(Math.round(seconds / 3600), "hour");
  return relative.format(Math.round(seconds / 86400), "day");
}
export const whenAgo = (ms) => (ms ? when(ms, ago(ms)) : "–");

// A duration in ms as its two largest units.
export function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 0) return `-${duration(-ms)}`;
  if (ms === 0) return t("span.s", { n: 0 });
  if (ms < 1) return `${(ms * 1000).toFixed(0)} µs`;
  if (ms < 1000) return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
  if (ms < 59_950) return t("span.s", { n: Number((ms / 1000).toFixed(ms < 10_000 ? 2 : 1)) });
  const parts = [];
  let rest = Math.round(ms / 1000);
  /** @type {[string, number][]} */
  const units = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
  for (const [unit, size] of units) {
    const many = Math.floor(rest / size);
    rest -= many * size;
    if (many) parts.push(t(`span.${unit}`, { n: many }));
  }
  return parts.slice(0, 2).join(" ");
}

// A duration that people watch run down or up: in whole seconds.
export const countdown = (ms) => duration(Math.floor(ms / 1000) * 1000);

export function bytes(value) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let index = 0;
  while (Math.abs(value) >= 1000 && index < units.length - 1) {
    value /= 1000;
    index += 1;
  }
  return `${digits(value)} ${units[index]}`;
}

export function digits(value) {
  const size = Math.abs(value);
  if (size < 1e-9) return "0"; // what is left of a difference of floating-point numbers
  if (size >= 100_000) return new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 }).format(value);
  if (size >= 100) return whole.format(Math.round(value));
  if (size >= 10) return value.toFixed(1);
  return value.toPrecision(size >= 1 ? 3 : 2);
}

export const percent = (ratio, places = 1) => `${(ratio * 100).toFixed(places)} %`;

// A value in one of the units of the overview's panels.
export function quantity(value, unit) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  switch (unit) {
    case "seconds": return value === 0 || (value >= 1 && value < 60) ? `${Number(value.toPrecision(3))} s` : duration(value * 1000);
    case "bytes": return bytes(value);
    case "bytes_per_second": return `${bytes(value)}/s`;
    case "percent": return `${digits(value)} %`;
    case "count": return Number.isInteger(value) && Math.abs(value) < 100_000 ? integer(value) : digits(value);
    case "up_down": return value >= 1 ? t("health.up") : t("health.down");
    default: return digits(value);
  }
}

/** The host of an address, '' for what is none: anybody who may post an alert writes its runbook's address. */
export function hostOf(address) {
  try {
    return new URL(address).hostname;
  } catch {
    return "";
  }
}
