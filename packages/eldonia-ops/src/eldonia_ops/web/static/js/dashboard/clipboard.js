// A panel that was copied, for this and other dashboards of this browser.
const KEY = "eldonia_ops_copied_panel";
export function keepPanel(panel) {
  try {
    localStorage.setItem(KEY, JSON.stringify(panel));
  } catch { /* a browser that keeps nothing */ }
}
export function keptPanel() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "null");
    return found && typeof found === "object" && typeof found.type !== "object" ? found : null;
  } catch {
    return null;
  }
}
