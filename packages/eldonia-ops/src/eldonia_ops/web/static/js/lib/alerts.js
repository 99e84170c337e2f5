// What counts as an active alert: one that fires and is not kept quiet. The menu and the tab of the page count the same.
import { count } from "./dom.js";

/** @param {Element} place @param {{state: string, labels: Record<string, string>}[]} alerts */
export function countFiring(place, alerts) {
  const firing = alerts.filter((one) => one.state === "firing");
  count(place, firing.length, firing.some((one) => one.labels.severity === "critical") ? "bad" : "warn");
}
