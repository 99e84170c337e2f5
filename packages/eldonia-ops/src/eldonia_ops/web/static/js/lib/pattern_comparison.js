// With what the patterns of a time are compared: nothing, the time before, a deploy, an incident, another time.
import { get } from "./api.js";
import { $, h } from "./dom.js";
import { ago } from "./format.js";
import { t } from "./i18n.js";
import { instantOf, localText } from "./zone.js";

const MOST = 10;
const NAMES = ["compare", "deploy", "incident", "against_from", "against_to"];

/**
 * What is chosen, kept in the address. `asked()` are the parameters of the request, null while nothing is compared.
 * @param {() => [number, number]} bounds
 * @param {() => void} changed
 */
export function comparison(bounds, changed) {
  const select = $("#compare");
  const form = $("#against");
  const given = new URLSearchParams(location.search);
  const state = { compare: "", deploy: "", incident: "", from: Number(given.get("against_from")) || 0, to: Number(given.get("against_to")) || 0 };
  if (given.get("incident")) Object.assign(state, { compare: "incident", incident: given.get("incident") });
  else if (given.get("deploy")) Object.assign(state, { compare: "deploy", deploy: given.get("deploy") });
  else if (state.from && state.to) state.compare = "chosen";
  else if (given.get("compare") === "before") state.compare = "before";

  const chosen = () => (state.compare === "deploy" ? `deploy:${state.deploy}` : state.compare === "incident" ? `incident:${state.incident}` : state.compare);
  const option = (value, text) => h("option", { value, selected: value === chosen() }, text);

  function offer(deploys, incidents) {
    const known = (list, id) => !id || id === "latest" || list.some((one) => one === id);
    const shownDeploys = deploys.map((one) => option(`deploy:${one.id}`, `${[one.service, one.version, one.title].filter(Boolean).join(" ")} · ${ago(one.at)}`));
    if (!known(deploys.map((one) => one.id), state.deploy)) shownDeploys.unshift(option(`deploy:${state.deploy}`, t("patterns.one_deploy")));
    const names = incidents.map((one) => `INC-${one.ordinal}`);
    const shownIncidents = incidents.map((one, index) => option(`incident:${names[index]}`, `${names[index]} ${one.title}`));
    if (!known(names, state.incident)) shownIncidents.unshift(option(`incident:${state.incident}`, state.incident));
    select.replaceChildren(
      option("", t("patterns.compare_none")),
      option("before", t("patterns.compare_before")),
      option("chosen", t("patterns.compare_chosen")),
      option("deploy:latest", t("patterns.compare_deploy")),
      ...(shownDeploys.length ? [h("optgroup", { label: t("patterns.deploys") }, shownDeploys)] : []),
      ...(shownIncidents.length ? [h("optgroup", { label: t("patterns.incidents") }, shownIncidents)] : []),
    );
    select.value = chosen();
  }

  function show() {
    form.hidden = state.compare !== "chosen";
    const here = new URL(location.href);
    for (const name of NAMES) here.searchParams.delete(name);
    if (state.compare === "before") here.searchParams.set("compare", "before");
    if (state.compare === "deploy") here.searchParams.set("deploy", state.deploy);
    if (state.compare === "incident") here.searchParams.set("incident", state.incident);
    if (state.compare === "chosen" && state.from) for (const [name, value] of [["against_from", state.from], ["against_to", state.to]]) here.searchParams.set(String(name), String(Math.round(Number(value))));
    history.replaceState(null, "", here);
  }

  select.addEventListener("change", () => {
    const [kind, ...id] = select.value.split(":");
    Object.assign(state, { compare: kind, deploy: kind === "deploy" ? id.join(":") : "", incident: kind === "incident" ? id.join(":") : "" });
    if (kind === "chosen") {
      const [start, end] = bounds();
      Object.assign(state, { from: start - (end - start), to: start });
      [form.elements.from.value, form.elements.to.value] = [state.from, state.to].map(localText);
    }
    show();
    changed();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [from, to] = [form.elements.from.value, form.elements.to.value].map(instantOf);
    form.elements.to.setCustomValidity(from < to ? "" : t("range.order"));
    if (!form.reportValidity()) return;
    Object.assign(state, { from, to });
    show();
    changed();
  });
  form.elements.to.addEventListener("input", () => form.elements.to.setCustomValidity(""));
  if (state.from) [form.elements.from.value, form.elements.to.value] = [state.from, state.to].map(localText);
  offer([], []);
  show();
  Promise.all([get("/changes", { since: "-30d", limit: 200 }).catch(() => []), get("/incidents", { limit: MOST }).catch(() => [])]).then(([changes, incidents]) => {
    if (document.activeElement !== select) offer(changes.filter((one) => one.kind === "deploy").slice(0, MOST), incidents);
  });
  return {
    get on() {
      return state.compare !== "";
    },
    /** Whether the range of the page counts, and not that of a deploy or an incident. */
    get ownRange() {
      return !["deploy", "incident"].includes(state.compare);
    },
    asked() {
      switch (state.compare) {
        case "deploy": return { deploy: state.deploy };
        case "incident": return { incident: state.incident };
        case "chosen": return { against_since: Math.round(state.from), against_until: Math.round(state.to) };
        default: return {};
      }
    },
  };
}
