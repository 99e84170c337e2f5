// When the page asks again: at the chosen interval, while it is visible and shows a range that ends now.
import { h } from "../lib/dom.js";
import { milliseconds } from "../lib/dashboards/stack.js";
import { t } from "../lib/i18n.js";

const CHOICES = ["", "5s", "10s", "30s", "1m", "5m", "15m", "1h"];
const LEAST_MS = 1000;

/** @param {HTMLSelectElement} select @param {() => Promise<void>} work */
export function refreshing(select, work) {
  let every = "";
  let timer = 0;
  const arm = () => {
    clearTimeout(timer);
    const ms = milliseconds(every);
    if (!ms || document.hidden) return;
    timer = setTimeout(async () => { await work().catch((error) => { if (error.status === undefined && error.name !== "TypeError" && error.name !== "AbortError") console.error(error); }); arm(); }, Math.max(LEAST_MS, ms));
  };
  document.addEventListener("visibilitychange", () => { if (document.hidden) clearTimeout(timer); else if (every) work().then(arm, arm); });
  return {
    get every() { return every; },
    set(next) {
      every = next;
      const all = CHOICES.includes(next) ? CHOICES : [...CHOICES, next];
      select.replaceChildren(...all.map((one) => h("option", { value: one, selected: one === next }, one || t("dashboard.refresh_off"))));
      arm();
    },
  };
}
