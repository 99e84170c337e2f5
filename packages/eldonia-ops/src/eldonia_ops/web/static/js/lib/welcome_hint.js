// On the overview, as long as little is watched: the way to the guide.
import { get } from "./api.js";
import { $ } from "./dom.js";

const STORED = "eldonia_ops_welcome";
const WATCHED = new Set(["scrape", "probes", "logs", "nginx", "postgresql", "redis", "receivers"]);
const ENOUGH = 3;

if (!localStorage.getItem(STORED)) {
  const view = await get("/configuration").catch(() => null);
  const kinds = new Set(view?.entries.map((one) => one.section).filter((one) => WATCHED.has(one)));
  $("#welcome-hint").hidden = !view?.enabled || kinds.size >= ENOUGH;
  $("#welcome-skip").addEventListener("click", () => {
    localStorage.setItem(STORED, "skipped");
    $("#welcome-hint").hidden = true;
  });
}
