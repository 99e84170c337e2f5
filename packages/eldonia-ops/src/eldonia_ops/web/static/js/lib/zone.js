// The reader's clock: the time zone of their account, else that of the browser.
const browser = Intl.DateTimeFormat().resolvedOptions().timeZone;

function known(name) {
  try {
    return Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return browser; // the account names a zone that this browser has no rules for
  }
}
export const zoneName = document.documentElement.dataset.zone ? known(document.documentElement.dataset.zone) : browser;

const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: zoneName, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

// What the clock shows at an instant: 2026-11-30T09:05:00.
export const localText = (ms) => clock.format(ms).replace(" ", "T");
export const dayKey = (ms) => localText(ms).slice(0, 10);

// The instant at which the clock shows this. An hour that a change to summer time leaves out counts from the one before.
export function instantOf(text) {
  const wanted = Date.parse(`${text.length === 16 ? `${text}:00` : text}Z`);
  if (Number.isNaN(wanted)) return Number.NaN;
  const offset = (ms) => Date.parse(`${localText(ms)}Z`) - ms;
  const first = wanted - offset(wanted);
  return wanted - offset(first);
}
