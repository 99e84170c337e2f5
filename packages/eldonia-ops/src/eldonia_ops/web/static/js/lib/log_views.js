// The ways between the records and the patterns of one search and time.
import { $$ } from "./dom.js";

const KEPT = ["query", "range", "from", "to", "live"];

/** Have the links to the other views of the logs lead to the search and time that the address names. */
export function keepViews() {
  const here = new URLSearchParams(location.search);
  for (const link of $$("[data-view]")) {
    const wanted = new URLSearchParams(KEPT.filter((name) => here.has(name)).map((name) => [name, here.get(name) ?? ""]));
    const path = link.getAttribute("href").split("?")[0];
    link.setAttribute("href", wanted.size ? `${path}?${wanted}` : path);
  }
}
