// The time range of a page: a length that ends now, or two instants; kept in the address.
import { get } from "./api.js";
import { $, $$, open } from "./dom.js";
import { rangeText, zoneName } from "./format.js";
import { t } from "./i18n.js";
import { instantOf, localText } from "./zone.js";

const MINUTES = { m: 1, h: 60, d: 1440, w: 10_080 };
const LONGEST = 525_600 * 2;
// "90m", "-7d", "now-6h": a length that ends now, and stays so.
const relativeIn = (text) => {
  const found = text.trim().toLowerCase().replace(/^now/, "").replace(/^-/, "");
  return minutesOf(found) ? found : "";
};
/** The minutes of a length such as 15m, 7d; 0 for what is none. @param {string | null} name */
export function minutesOf(name) {
  const [, many, unit] = /^(\d{1,5})([mhdw])$/.exec(name ?? "") ?? [];
  const found = Number(many) * MINUTES[unit];
  return found > 0 && found <= LONGEST ? found : 0;
}

/**
 * @param {() => void} changed
 * @param {{preset?: string, shown?: (state: {preset: string, fixed: {from: number, to: number} | null, live: boolean}) => void}} [options]
 *   `shown` is called when the range is shown, for pages with a picker of their own
 */
export function timeRange(changed, { preset = "15m", shown } = {}) {
  const addressed = () => {
    const address = new URL(location.href);
    const from = Number(address.searchParams.get("from"));
    const to = Number(address.searchParams.get("to"));
    return {
      preset: minutesOf(address.searchParams.get("range")) ? address.searchParams.get("range") : preset,
      fixed: from && to && from < to ? { from, to } : null,
      live: !(from && to) && address.searchParams.get("live") !== "0",
    };
  };
  const state = addressed();
  const liveButton = $("#live");

  function show() {
    for (const button of $$("#ranges button[data-range]")) {
      button.setAttribute("aria-pressed", String(!state.fixed && button.dataset.range === state.preset));
    }
    liveButton.setAttribute("aria-pressed", String(state.live));
    let chosen = $("#ranges .fixed");
    if (state.fixed && !chosen) {
      chosen = document.createElement("button");
      chosen.type = "button";
      chosen.className = "fixed";
      chosen.addEventListener("click", () => range.choose(state.preset));
      $("#ranges").append(chosen);
    }
    if (!state.fixed) chosen?.remove();
    else {
      chosen.textContent = `${rangeText(state.fixed.from, state.fixed.to)} ×`;
      chosen.title = t("range.reset");
      chosen.setAttribute("aria-pressed", "true");
    }
    const now = new URL(location.href);
    for (const name of ["range", "from", "to", "live"]) now.searchParams.delete(name);
    if (state.fixed) {
      now.searchParams.set("from", String(Math.round(state.fixed.from)));
      now.searchParams.set("to", String(Math.round(state.fixed.to)));
    } else if (state.preset !== preset) now.searchParams.set("range", state.preset);
    if (!state.live && !state.fixed) now.searchParams.set("live", "0");
    history.replaceState(history.state, "", now);
    shown?.(state);
  }

  const range = {
    get preset() {
      return state.preset;
    },
    get live() {
      return state.live;
    },
    get fixed() {
      return state.fixed !== null;
    },
    /** Start and end in Unix ms. @returns {[number, number]} */
    get bounds() {
      if (state.fixed) return [state.fixed.from, state.fixed.to];
      const now = Date.now();
      return [now - minutesOf(state.preset) * 60_000, now];
    },
    choose(name) {
      Object.assign(state, { preset: name, fixed: null, live: true });
      show();
      changed();
    },
    /** Show what the address says now: after "back". `changed` is not called. */
    restore() {
      Object.assign(state, addressed());
      show();
    },
    narrow(start, end) {
      Object.assign(state, { fixed: { from: start, to: end }, live: false });
      show();
      changed();
    },
  };
  $("#ranges").addEventListener("click", (event) => {
    const name = event.target.closest("[data-range]")?.dataset.range;
    if (name) range.choose(name);
  });
  // Any two instants, on the reader's clock.
  const form = $("#range-form");
  $("#range-custom").addEventListener("click", () => {
    [form.elements.from.value, form.elements.to.value] = range.bounds.map(localText);
    form.elements.words.value = "";
    fault("");
    open($("#range-dialog"));
  });
  const fault = (text) => {
    $(".fault", form).textContent = text;
    $(".fault", form).hidden = !text;
  };
  // In words, as the server understands them: what they mean is shown before it is applied.
  let typing = 0;
  let understood = Promise.resolve(true);
  const understand = async () => {
    const text = form.elements.words.value.trim();
    if (!text || relativeIn(text)) return true;
    const found = await get("/times", { text, tz: zoneName }).catch(() => null);
    if (text !== form.elements.words.value.trim()) return understood;
    fault(found ? "" : t("range.unknown"));
    if (found) [form.elements.from.value, form.elements.to.value] = [found.since, found.until].map(localText);
    return Boolean(found);
  };
  form.elements.words.addEventListener("input", () => {
    clearTimeout(typing);
    fault("");
    typing = setTimeout(() => { understood = understand(); }, 300);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clearTimeout(typing);
    const relative = relativeIn(form.elements.words.value);
    if (relative) {
      $("#range-dialog").close();
      return range.choose(relative);
    }
    understood = document.activeElement === form.elements.words ? understand() : Promise.resolve(true);
    if (!(await understood)) return;
    const [from, to] = [form.elements.from.value, form.elements.to.value].map(instantOf);
    fault(from < to ? "" : t("range.order"));
    if (!(from < to)) return;
    $("#range-dialog").close();
    range.narrow(from, to);
  });
  liveButton.addEventListener("click", () => {
    state.live = !state.live;
    if (state.live) state.fixed = null;
    show();
    changed();
  });
  show();
  return range;
}
