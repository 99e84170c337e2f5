// The colours of series: twelve that people distinguish in both themes, also with protanopia, deuteranopia or tritanopia
// (found by a search over OKLab distances of the simulated colours; palette.test.js measures them), and the colours
// that dashboard documents name.
const media = matchMedia("(prefers-color-scheme: light)");
export const isLight = () => {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "light" : media.matches;
};

// The same place is a similar hue in both themes.
export const SERIES_COLOURS = {
  dark: ["#09bdfe", "#b68214", "#1da07f", "#fa75c2", "#9d76f5", "#bf3408", "#90be38", "#9b478c", "#2a61ce", "#49faf9", "#ffb69a", "#dde945"],
  light: ["#1e94fb", "#bd891b", "#1b916c", "#e65891", "#505bc5", "#7d0006", "#725f00", "#9d2b8a", "#271587", "#095955", "#a086c3", "#590b54"],
};
const MANY = SERIES_COLOURS.dark.length;
// Beyond twelve series the colours come again with another stroke.
const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3]];

/** Where a name begins to look for its colour: FNV-1a. */
export function hash(name) {
  let value = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) value = Math.imul(value ^ name.charCodeAt(at), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}

/**
 * A place in the palette for each name of one panel: that of its hash, or the next free one. It depends on the set of
 * names and not on their order, so a series keeps its colour when the panel is drawn again, and nearly always when
 * another series comes or goes.
 * @param {string[]} names
 * @returns {Map<string, number>} places from 0; place + 12 is the same colour with another stroke
 */
export function places(names) {
  const taken = new Map();
  const used = [];
  for (const name of [...new Set(names)].sort()) {
    const round = Math.floor(taken.size / MANY);
    used[round] ??= new Set();
    let at = hash(name) % MANY;
    while (used[round].has(at)) at = (at + 5) % MANY;
    used[round].add(at);
    taken.set(name, round * MANY + at);
  }
  return taken;
}
export const seriesColour = (place, light = isLight()) => SERIES_COLOURS[light ? "light" : "dark"][place % MANY];
export const seriesDash = (place) => DASHES[Math.floor(place / MANY) % DASHES.length];

// Hues by the names of dashboard documents; shades from "super-light" to "dark".
const SHADES = ["super-light", "light", "", "semi-dark", "dark"];
const HUES = {
  green: { dark: ["#a9ecc9", "#71dcaa", "#45cf96", "#2aa674", "#1b7f57"], light: ["#7fd0ab", "#3fa97c", "#12855a", "#08734a", "#045636"] },
  yellow: { dark: ["#fff1a8", "#ffe66b", "#f2d231", "#d0b013", "#a58b06"], light: ["#d9bf3f", "#b99c10", "#927800", "#7a6400", "#5e4d00"] },
  orange: { dark: ["#ffd6a3", "#ffc06b", "#f5a13b", "#dd7f14", "#b8640a"], light: ["#eda55d", "#dd8323", "#b86200", "#985000", "#743c00"] },
  red: { dark: ["#ffb3bf", "#ff8f9f", "#ff6478", "#e5405a", "#c02944"], light: ["#ee8a9c", "#dd4f69", "#c8213f", "#a91634", "#830d26"] },
  blue: { dark: ["#b7d5ff", "#8ebcff", "#5b9dff", "#3b7ceb", "#2a5fc4"], light: ["#8ab1f3", "#5186e8", "#2563eb", "#1b4dc0", "#133892"] },
  purple: { dark: ["#dfd0ff", "#c7aeff", "#ad8aff", "#8e63ef", "#7248cd"], light: ["#b89be8", "#9568dc", "#7a3fd0", "#622cb0", "#4a1e8a"] },
};

/**
 * A colour that a document names: ok, warn, bad, one of the hues with its shades, or a CSS colour (#rgb, rgb(…)).
 * @param {string | undefined} name
 * @param {string} [otherwise] the colour when there is none by this name
 */
export function namedColour(name, otherwise = "") {
  if (!name) return otherwise;
  const side = isLight() ? "light" : "dark";
  const token = { ok: "--ok", warn: "--warn", bad: "--bad", accent: "--accent", muted: "--muted", text: "--text", gray: "--muted", grey: "--muted", white: "--text", black: "--text" }[name];
  if (token) return variable(token);
  if (name === "transparent") return "transparent";
  const place = /^series-(\d{1,3})$/.exec(name);
  if (place) return seriesColour(Number(place[1]));
  const [, shade, hue] = /^(super-light-|semi-dark-|light-|dark-)?([a-z]+)$/.exec(name) ?? [];
  if (HUES[hue]) return HUES[hue][side][SHADES.indexOf((shade ?? "").replace(/-$/, ""))];
  if (/^#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i.test(name) || /^(?:rgb|hsl)a?\([\d\s.,%/-]+\)$/.test(name)) return name;
  return otherwise;
}
export const NAMED_COLOURS = ["ok", "warn", "bad", ...Object.keys(HUES).flatMap((hue) => [hue, `light-${hue}`, `dark-${hue}`]), "text", "muted", "transparent"];

/** The value of a CSS variable of the page, kept until the theme changes. */
const kept = new Map();
export function variable(name) {
  const known = kept.get(name);
  if (known !== undefined) return known;
  const value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  kept.set(name, value);
  return value;
}
document.addEventListener("theme", () => kept.clear());
media.addEventListener("change", () => kept.clear());

/** [r, g, b] of 0–255, for a CSS colour in one of the forms that this module knows; null for another. */
export function channels(colour) {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])[0-9a-f]?$/i.exec(colour);
  if (short) return short.slice(1, 4).map((one) => Number.parseInt(one + one, 16));
  const long = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})/i.exec(colour);
  if (long) return long.slice(1, 4).map((one) => Number.parseInt(one, 16));
  const spelled = /^rgba?\(([^)]*)\)$/.exec(colour);
  return spelled ? spelled[1].split(/[\s,/]+/).slice(0, 3).map(Number) : null;
}
export function faded(colour, alpha) {
  const parts = channels(colour);
  return parts ? `rgba(${parts.join(", ")}, ${alpha})` : colour;
}
const linear = (part) => (part <= 10.31475 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4);
export const luminance = (parts) => 0.2126 * linear(parts[0]) + 0.7152 * linear(parts[1]) + 0.0722 * linear(parts[2]);
/** Black or white, whichever reads better on a colour. */
export const inkOn = (colour) => {
  const parts = channels(colour);
  return parts && luminance(parts) < 0.18 ? "#ffffff" : "#0b0e14";
};

// Ramps of a heat map, from little to much: from the surface to a bright (dark theme) or a deep (light theme) colour.
const RAMPS = {
  blue: { dark: ["#16233b", "#1d4a86", "#2f7fd0", "#6fbcf7", "#e3f4ff"], light: ["#edf4fd", "#b9d7f8", "#6ea8ec", "#2a6bc9", "#0b2f74"] },
  green: { dark: ["#142a24", "#1c5a46", "#2a946c", "#6ed3a4", "#e2fff0"], light: ["#ebf7f1", "#b0e0c9", "#5dba92", "#1d855b", "#06452c"] },
  orange: { dark: ["#2b2014", "#6b3f12", "#b86a12", "#f5a53c", "#fff0d0"], light: ["#fdf3e4", "#f8d19b", "#e9983f", "#b5600a", "#5f2c00"] },
  magma: { dark: ["#1b1130", "#5a1d6f", "#a8327d", "#ee6a5f", "#fde3a1"], light: ["#fdeee2", "#f8b48b", "#dc5f6d", "#8f2b7b", "#2f0f4d"] },
};
export const HEAT_RAMPS = Object.keys(RAMPS);
/** A table of 64 CSS colours from little to much. */
export function heatRamp(name = "blue", light = isLight()) {
  const stops = (RAMPS[name] ?? RAMPS.blue)[light ? "light" : "dark"].map(channels);
  return Array.from({ length: 64 }, (_, at) => {
    const exact = (at / 63) * (stops.length - 1);
    const low = Math.min(stops.length - 2, Math.floor(exact));
    const part = exact - low;
    return `rgb(${stops[low].map((value, index) => Math.round(value + (stops[low + 1][index] - value) * part)).join(",")})`;
  });
}
