// The dialog of the searches that people save for each other.
import { act, get, send } from "./api.js";
import { $, can, h, open, toast } from "./dom.js";
import { whenAgo } from "./format.js";
import { t } from "./i18n.js";

/**
 * @param {() => {query: string, columns: string[]}} current
 * @param {(saved: {query: string, columns: string[]}) => void} choose
 * @param {{path?: string}} [where] searches of logs, unless another path is given: queries have no columns
 */
export function savedSearches(current, choose, { path = "/logs/searches" } = {}) {
  const dialog = $("#saved");
  const form = $("#saved-form");

  const body = ({ name, query, columns }) => (path === "/logs/searches" ? { name, query, columns } : { name, query });

  async function remove(one) {
    await act(async () => {
      const dropped = await send("DELETE", `${path}/${encodeURIComponent(one.id)}`);
      toast(t("saved.deleted", { name: one.name }), { undo: [t("saved.undo"), () => act(async () => { await send("POST", path, body(dropped)); await show(); })] });
      await show();
    });
  }

  async function replace(one) {
    await act(async () => {
      await send("PUT", `${path}/${encodeURIComponent(one.id)}`, body({ ...current(), name: one.name }));
      await show();
    }, t("saved.replaced", { name: one.name }));
  }

  function row(one) {
    const use = () => { dialog.close(); choose(one); };
    return h("li", {},
      h("div", { class: "saved-what" },
        h("button", { type: "button", class: "link-button", onclick: use }, one.name),
        h("code", {}, one.query || "*"),
        h("span", { class: "muted small" }, t("saved.by", { name: one.saved_by }), " · ", whenAgo(one.saved_at), one.columns.length ? ` · ${one.columns.join(", ")}` : "")),
      can("respond") && h("span", { class: "saved-acts" },
        h("button", { type: "button", class: "quiet", title: t("saved.replace_hint"), "aria-label": t("saved.replace_named", { name: one.name }), onclick: () => replace(one) }, t("saved.replace")),
        h("button", { type: "button", class: "quiet", "aria-label": t("saved.delete_named", { name: one.name }), onclick: () => remove(one) }, t("saved.delete"))),
    );
  }

  async function show() {
    const found = /** @type {Api.Answer<"/logs/searches">} */ (await get(path));
    $("#saved-list").replaceChildren(...found.map(row));
    $("#saved-none").hidden = found.length > 0;
    $("#saved-current").textContent = current().query || "*";
  }

  $("#saved-open").addEventListener("click", () => act(async () => { await show(); open(dialog); }));
  form.hidden = !can("respond");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = form.elements.name.value.trim();
    if (!name) return;
    const done = await act(async () => {
      await send("POST", path, body({ ...current(), name }));
      await show();
    }, t("saved.done", { name }));
    if (done) form.reset();
  });
}
