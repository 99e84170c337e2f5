// Dashboards that were looked at last, in this browser.
const KEY = "eldonia_ops_recent_dashboards";
const MOST = 8;
export function recent() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}
export function keepRecent(uid) {
  try {
    localStorage.setItem(KEY, JSON.stringify([uid, ...recent().filter((one) => one !== uid)].slice(0, MOST)));
  } catch { /* a browser that keeps nothing */ }
}
// What the next page has to say: an undo of what was done on this one.
export const handOver = (what) => { try { sessionStorage.setItem("eldonia_ops_said", JSON.stringify(what)); } catch { /* as above */ } };
export function handedOver() {
  try {
    const found = sessionStorage.getItem("eldonia_ops_said");
    sessionStorage.removeItem("eldonia_ops_said");
    return found ? JSON.parse(found) : null;
  } catch {
    return null;
  }
}
