// Values in the units of dashboards, as text: scaled, with as many figures as say something.
import { language, t } from "./i18n.js";

const locale = language === "ja" ? "ja-JP" : "en-GB";
const NONE = "–";

const SI = ["p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E"];
const WHOLE = ["", "k", "M", "G", "T", "P", "E", "Z"];
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi"];
const COUNT = ["", "k", "M", "B", "T"];

const si = (suffix, start = 4) => ({ kind: "scale", base: 1000, prefixes: SI, start, suffix });
const whole = (suffix, start = 0) => ({ kind: "scale", base: 1000, prefixes: WHOLE, start, suffix });
const binary = (suffix, start = 0) => ({ kind: "scale", base: 1024, prefixes: BINARY, start, suffix });
const counted = (suffix) => ({ kind: "scale", base: 1000, prefixes: COUNT, start: 0, suffix });
const plain = (suffix, tight = false) => ({ kind: "plain", suffix, tight });
const time = (seconds) => ({ kind: "time", seconds });
const money = (prefix) => ({ kind: "scale", base: 1000, prefixes: COUNT, start: 0, suffix: "", prefix });

const POWERS = ["", "K", "M", "G", "T", "P"];
// "kB" and "MiB/s": sizes that begin at a power.
const sized = (symbol, tail) => Object.fromEntries(POWERS.slice(1).flatMap((letter, at) => [
  [`${letter}i${symbol}${tail}`, binary(symbol + tail, at + 1)], [`${letter === "K" ? "k" : letter}${symbol}${tail}`, whole(symbol + tail, at + 1)]]));
const rates = Object.fromEntries([["count", "c"], ["ops", "ops"], ["req", "req"], ["reads", "rd"], ["writes", "wr"], ["io", "io"], ["events", "evt"], ["messages", "msg"], ["records", "rec"], ["rows", "rows"]]
  .flatMap(([name, symbol]) => [[`${name}/s`, counted(`${symbol}/s`)], [`${name}/min`, counted(`${symbol}/min`)]]));
const moneys = Object.fromEntries([["USD", "$"], ["EUR", "€"], ["GBP", "£"], ["JPY", "¥"], ["CNY", "¥"], ["KRW", "₩"], ["INR", "₹"], ["BRL", "R$"], ["CHF", "CHF "], ["CAD", "CA$"], ["AUD", "A$"], ["RUB", "₽"], ["SEK", "kr "], ["PLN", "zł "]].map(([name, sign]) => [name, money(sign)]));

/** By the ids of a dashboard document; GET /dashboards/units has their titles. @type {Record<string, any>} */
const TABLE = {
  "": plain(""), none: plain(""), short: counted(""), percent: plain("%", true), ratio: { kind: "plain", suffix: "%", factor: 100, tight: true }, sci: { kind: "sci" }, locale: { kind: "locale" },
  text: { kind: "words" }, hex: { kind: "hex", prefix: "0x" }, bool: { kind: "bool", words: "true_false" }, yes_no: { kind: "bool", words: "yes_no" }, on_off: { kind: "bool", words: "on_off" },
  up_down: { kind: "bool", words: "up_down" }, humidity: plain("%H", true), dB: plain("dB"), px: plain("px"),
  bytes: binary("B"), bytes_si: whole("B"), bits: binary("b"), bits_si: whole("b"), ...sized("B", ""),
  "bytes/s": binary("B/s"), "bytes_si/s": whole("B/s"), "bits/s": binary("b/s"), "bits_si/s": whole("b/s"), "packets/s": counted("p/s"), ...sized("B", "/s"), ...sized("b", "/s"),
  ...rates,
  ns: time(1e-9), us: time(1e-6), ms: time(1e-3), s: time(1), min: time(60), h: time(3600), d: time(86_400), timeticks: time(0.01), Hz: si("Hz"),
  duration: { kind: "clock", seconds: 1, style: "words" }, duration_ms: { kind: "clock", seconds: 1e-3, style: "words" }, "h:m:s": { kind: "clock", seconds: 1 }, clock: { kind: "clock", seconds: 1 }, clock_ms: { kind: "clock", seconds: 1e-3 },
  datetime: { kind: "date", style: "iso" }, time_of_day: { kind: "date", style: "iso_today" }, from_now: { kind: "date", style: "from_now" },
  celsius: plain("°C"), fahrenheit: plain("°F"), kelvin: plain("K"), W: si("W"), mW: si("W", 3), kW: si("W", 5), MW: si("W", 6), Wh: si("Wh"), kWh: si("Wh", 5), J: si("J"), VA: si("VA"),
  V: si("V"), mV: si("V", 3), kV: si("V", 5), A: si("A"), mA: si("A", 3), kA: si("A", 5), ohm: si("Ω"), dBm: plain("dBm"), rpm: plain("rpm"), hPa: plain("hPa"), m: si("m"), mm: si("m", 3), km: si("m", 5),
  "m/s": plain("m/s"), "km/h": plain("km/h"), g: si("g"), kg: si("g", 5), l: si("L"), flops: whole("FLOPS"), "hashes/s": whole("H/s"), ppm: plain("ppm"), lux: si("lx"), deg: plain("°", true), ...moneys,
};
// Names that our own pages had before.
const ALIASES = { seconds: "s", count: "short", per_second: "count/s", per_minute: "count/min", bytes_per_second: "bytes_si/s" };
export const UNITS = Object.keys(TABLE);

/** @returns {any} the unit of a name; an unknown name is written behind the value as it is */
export function unitOf(name) {
  const known = name ?? "";
  const unit = TABLE[known] ?? TABLE[ALIASES[known]];
  if (unit) return unit;
  const [kind, ...rest] = known.split(":");
  const text = rest.join(":");
  if (rest.length && text) {
    if (kind === "suffix") return plain(text);
    if (kind === "prefix") return { kind: "plain", suffix: "", prefix: text };
    if (kind === "si") {
      const power = text.length > 1 ? SI.indexOf(text[0]) : -1;
      return power >= 0 ? si(text.slice(1), power) : si(text);
    }
    if (kind === "datetime") return { kind: "date", style: "format", format: text };
  }
  return plain(known);
}

// Enough figures to see a difference, and no zeros behind them: 1.25, 12.5, 125.
function figures(value, decimals) {
  if (decimals !== null && decimals !== undefined) return value.toFixed(Math.min(20, Math.max(0, decimals)));
  const size = Math.abs(value);
  if (size !== 0 && size < 0.001) return value.toPrecision(2).replace(/\.?0+(?=e|$)/, "");
  const places = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return trimmed(value.toFixed(places));
}
const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text).replace(/^-0$/, "0");
const grouped = (text) => {
  const [head, tail] = text.split(".");
  return head.replace(/\B(?=(\d{3})+(?!\d))/g, ",") + (tail === undefined ? "" : `.${tail}`);
};

function scaled(value, unit, decimals, prefix = unit.prefix ?? "") {
  let size = Math.abs(value);
  let at = unit.start;
  if (size > 0) {
    while (size >= unit.base * (1 - 5e-4) && at < unit.prefixes.length - 1) { size /= unit.base; at += 1; }
    while (size < 1 && at > 0 && unit.prefixes === SI) { size *= unit.base; at -= 1; }
  }
  const sign = value < 0 ? "-" : "";
  const number = at === unit.start && Number.isInteger(value) && decimals === null ? String(size) : figures(size, decimals);
  const tail = unit.prefixes === COUNT ? unit.prefixes[at] + (unit.suffix && ` ${unit.suffix}`) : (unit.prefixes[at] || unit.suffix) && ` ${unit.prefixes[at]}${unit.suffix}`;
  return sign + prefix + number + tail;
}

/** @type {[number, string][]} */
const SPANS = [[1e-9, "ns"], [1e-6, "µs"], [1e-3, "ms"], [1, "s"], [60, "min"], [3600, "h"], [86_400, "d"], [604_800, "w"], [31_557_600, "y"]];
function timed(value, unit, decimals) {
  const seconds = value * unit.seconds;
  if (seconds === 0) return `0 ${SPANS.find(([size]) => size === unit.seconds)?.[1] ?? "s"}`;
  const size = Math.abs(seconds) * (1 + 5e-4);
  const [scale, name] = SPANS.findLast(([one]) => size >= one) ?? SPANS[0];
  return `${figures(seconds / scale, decimals)} ${name === "w" || name === "y" || name === "d" || name === "h" || name === "min" ? t(`units.span.${name}`) : name}`;
}

const two = (number) => String(number).padStart(2, "0");
function clocked(value, unit, decimals) {
  const sign = value < 0 ? "-" : "";
  const seconds = Math.abs(value * unit.seconds);
  const days = Math.floor(seconds / 86_400);
  if (unit.style === "words") {
    let rest = Math.round(seconds);
    if (seconds < 1) return `${sign}${figures(seconds * 1000, decimals)} ms`;
    /** @type {[number, string][]} */
    const parts = [[31_536_000, "y"], [604_800, "w"], [86_400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
    const words = [];
    for (const [size, name] of parts) {
      const many = Math.floor(rest / size);
      rest -= many * size;
      if (many) words.push(`${many} ${name === "s" ? "s" : t(`units.span.${name}`)}`);
    }
    return sign + words.slice(0, decimals === null || decimals === undefined ? 2 : decimals + 1).join(" ");
  }
  const hours = Math.floor(seconds / 3600) - (unit.style === "days" ? days * 24 : 0);
  const clock = `${two(hours)}:${two(Math.floor(seconds / 60) % 60)}:${two(Math.floor(seconds) % 60)}`;
  return sign + (unit.style === "days" && days ? `${days} ${t("units.span.d")} ${clock}` : clock);
}

const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "long" });
const named = (options) => new Intl.DateTimeFormat(locale, options);
const PARTS = {
  YYYY: (date) => String(date.getFullYear()), YY: (date) => String(date.getFullYear()).slice(2), MMMM: (date) => named({ month: "long" }).format(date), MMM: (date) => named({ month: "short" }).format(date),
  MM: (date) => two(date.getMonth() + 1), M: (date) => String(date.getMonth() + 1), DD: (date) => two(date.getDate()), D: (date) => String(date.getDate()), dddd: (date) => named({ weekday: "long" }).format(date), ddd: (date) => named({ weekday: "short" }).format(date),
  HH: (date) => two(date.getHours()), H: (date) => String(date.getHours()), hh: (date) => two(date.getHours() % 12 || 12), h: (date) => String(date.getHours() % 12 || 12), mm: (date) => two(date.getMinutes()), m: (date) => String(date.getMinutes()),
  ss: (date) => two(date.getSeconds()), s: (date) => String(date.getSeconds()), SSS: (date) => String(date.getMilliseconds()).padStart(3, "0"), A: (date) => (date.getHours() < 12 ? "AM" : "PM"), a: (date) => (date.getHours() < 12 ? "am" : "pm"), X: (date) => String(Math.floor(date / 1000)), x: (date) => String(date.getTime()),
};
// The letters of moment.js, which documents of the field use.
const inFormat = (date, format) => format.replace(/\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|DD|D|dddd|ddd|HH|H|hh|h|mm|m|ss|s|SSS|A|a|X|x/g, (part, text) => (text === undefined ? PARTS[part](date) : text));
function dated(value, unit, now) {
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) return NONE;
  if (unit.style === "from_now") {
    const seconds = (value - now) / 1000;
    /** @type {[number, Intl.RelativeTimeFormatUnit][]} */
    const spans = [[31_557_600, "year"], [2_629_800, "month"], [86_400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
    const [size, name] = spans.find(([one]) => Math.abs(seconds) >= one) ?? spans[5];
    return relative.format(Math.round(seconds / size), name);
  }
  if (unit.style === "format") return inFormat(date, unit.format);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return unit.style === "iso_today" && new Date(now).toDateString() === date.toDateString() ? clock : `${day} ${clock}`;
}

/**
 * A value for people. Dates are in Unix ms.
 * @param {number | string | boolean | null | undefined} value
 * @param {string} [name] of the unit
 * @param {{decimals?: number | null, now?: number}} [options]
 */
export function inUnit(value, name = "", { decimals = null, now = Date.now() } = {}) {
  if (value === null || value === undefined || value === "") return NONE;
  const unit = unitOf(name);
  if (typeof value === "boolean") value = Number(value);
  if (typeof value === "string") {
    if (unit.kind === "words" || Number.isNaN(Number(value))) return value;
    value = Number(value);
  }
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  switch (unit.kind) {
    case "scale": return scaled(value, unit, decimals);
    case "time": return timed(value, unit, decimals);
    case "clock": return clocked(value, unit, decimals);
    case "date": return dated(value, unit, now);
    case "bool": return t(`units.word.${unit.words}.${value ? 1 : 0}`);
    case "hex": return unit.prefix + Math.round(value).toString(16).toUpperCase();
    case "sci": return value.toExponential(decimals ?? 2);
    case "locale": return new Intl.NumberFormat(locale, decimals === null ? {} : { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value);
    case "words": return String(value);
    default: {
      const number = grouped(figures(value * (unit.factor ?? 1), decimals));
      const minus = number.startsWith("-") ? "-" : "";
      return `${minus}${unit.prefix ?? ""}${minus ? number.slice(1) : number}${unit.suffix ? (unit.tight ? "" : " ") + unit.suffix : ""}`;
    }
  }
}

/**
 * The labels of an axis: neighbours never read the same, and none has zeros that say nothing.
 * @param {number[]} values @param {string} name @param {number | null} [decimals]
 */
export function tickTexts(values, name, decimals = null) {
  const unit = unitOf(name);
  if (decimals !== null || ["date", "clock", "bool", "words", "hex"].includes(unit.kind)) return values.map((value) => inUnit(value, name, { decimals }));
  const clean = values.map((value) => (Math.abs(value) < 1e-15 ? 0 : value));
  for (let places = 0; places <= 6; places += 1) {
    const texts = clean.map((value) => inUnit(value, name, { decimals: places }));
    if (new Set(texts).size === texts.length && (places === 6 || clean.every((value, at) => exact(value, texts[at], unit, places, name)))) {
      return texts.map((text) => text.replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, ""));
    }
  }
  return clean.map((value) => inUnit(value, name));
}
// Whether a text shows the tick to within a hundredth of what one more place would change.
function exact(value, text, unit, places, name) {
  if (value === 0) return true;
  const finer = inUnit(value, name, { decimals: places + 2 });
  const number = (one) => Number(one.replace(/,/g, "").match(/-?[\d.]+/)?.[0]);
  return Math.abs(number(finer) - number(text)) < 0.02 * Math.abs(number(finer) || 1);
}

const PLAIN_STEPS = [1, 2, 2.5, 5];
/** Distances between ticks that read well in a unit, or null where powers of ten do. */
export function tickSteps(name) {
  const unit = unitOf(name);
  const steps = [];
  if (unit.kind === "scale" && unit.base === 1024) {
    for (let power = 0; power < 60; power += 1) steps.push(2 ** power / 1024 ** unit.start);
    return steps;
  }
  if ((unit.kind === "time" || unit.kind === "clock") && unit.seconds) {
    for (let power = -12; power < 0; power += 1) for (const one of PLAIN_STEPS) steps.push(one * 10 ** power);
    steps.push(1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000);
    for (let power = 1; power < 6; power += 1) for (const one of [2, 5, 10]) steps.push(864_000 * one * 10 ** (power - 1));
    return steps.map((one) => one / unit.seconds);
  }
  return null;
}
