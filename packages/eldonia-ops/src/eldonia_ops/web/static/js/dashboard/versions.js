// What a dashboard was before: its versions, how two of them differ, and bringing one back.
import { act, get, send } from "../lib/api.js";
import { can, h, toast } from "../lib/dom.js";
import { whenAgo } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { dialog } from "./menu.js";

const path = (uid) => `/dashboards/${encodeURIComponent(uid)}`;
/** A unified diff, with what a line is in its class and before it. */
export const diffLines = (text) => h("pre", { class: "diff", tabindex: "0", role: "region", "aria-label": t("versions.diff") }, text.split("\n").filter((line) => !/^(?:---|\+\+\+)/.test(line)).map((line) => h("span", { class: line.startsWith("+") ? "plus" : line.startsWith("-") ? "minus" : line.startsWith("@@") ? "place" : "" }, `${line}\n`)));

/** @param {any} page */
export async function showVersions(page) {
  const { uid } = page.view.dashboard;
  let versions = [];
  if (!(await act(async () => { versions = await get(`${path(uid)}/versions`); }))) return;
  const list = h("ol", { class: "versions" });
  const shown = h("div", { class: "versions-diff" });
  let from = versions[1]?.version ?? versions[0]?.version;
  let to = versions[0]?.version;
  const made = dialog(t("versions.title"), () => [h("p", { class: "muted" }, t("versions.lead")), list, shown], { kind: "drawer wide", close: t("shell.close") });
  async function compare() {
    for (const one of list.querySelectorAll("input")) one.checked = Number(one.value) === (one.name === "from" ? from : to);
    if (from === to) return shown.replaceChildren(h("p", { class: "muted" }, t("versions.same")));
    const [a, b] = [Math.min(from, to), Math.max(from, to)];
    await act(async () => {
      const found = await get(`${path(uid)}/diff`, { from: a, to: b });
      shown.replaceChildren(h("h3", {}, t("versions.between", { a, b })), found.text ? diffLines(found.text) : h("p", { class: "muted" }, t("versions.same")));
    });
  }
  async function restore(version) {
    if (page.dirty()) return toast(t("versions.dirty"), { bad: true });
    await act(async () => {
      const before = page.view.version;
      const saved = await send("POST", `${path(uid)}/restore`, { version });
      made.close();
      page.adopt(saved);
      toast(t("versions.restored", { version }), { undo: [t("dashboard.undo"), () => act(async () => page.adopt(await send("POST", `${path(uid)}/restore`, { version: before })))] });
    });
  }
  const radio = (name, one) => h("input", { type: "radio", name, value: String(one.version), "aria-label": t(`versions.${name}`, { version: one.version }), onchange: () => { if (name === "from") from = one.version; else to = one.version; compare(); } });
  list.replaceChildren(...versions.map((one, at) => h("li", {},
    h("span", { class: "versions-pick" }, radio("from", one), radio("to", one)),
    h("span", { class: "versions-what" }, h("b", {}, t("versions.version", { version: one.version })), at === 0 ? h("span", { class: "badge ok" }, t("versions.current")) : null, h("span", {}, one.message || h("span", { class: "muted" }, t("versions.no_message"))), h("span", { class: "sub" }, whenAgo(one.saved_at), ` · ${one.saved_by || "–"}`)),
    at > 0 && can("respond") ? h("button", { type: "button", onclick: () => restore(one.version) }, t("versions.restore")) : null)));
  if (versions.length > 1) compare();
  else shown.replaceChildren(h("p", { class: "muted" }, t("versions.only")));
}
