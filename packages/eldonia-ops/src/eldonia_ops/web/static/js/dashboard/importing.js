// A dashboard from elsewhere: Grafana's JSON, or ours in YAML or JSON, pasted or dropped; what could not be taken is shown
// before anything is saved.
import { ApiError, send } from "../lib/api.js";
import { h, icon } from "../lib/dom.js";
import { words } from "../lib/dashboards/display.js";
import { t } from "../lib/i18n.js";
import { dialog } from "./menu.js";

const LARGEST = 5_000_000;

/** @param {{folders: string[], saved: (uid: string) => void}} given */
export function importDialog({ folders, saved }) {
  const text = h("textarea", { class: "mono import-text", rows: "8", spellcheck: "false", placeholder: t("import.paste"), "aria-label": t("import.paste") });
  const file = h("input", { type: "file", accept: ".json,.yml,.yaml,application/json", class: "hide", "aria-label": t("import.file"), onchange: async (event) => { const [one] = event.currentTarget.files; if (one) take(one); } });
  const folder = h("input", { list: "import-folders", maxlength: "200", autocomplete: "off" });
  const replace = h("input", { type: "checkbox" });
  const report = h("div", { class: "import-report", "aria-live": "polite" });
  const go = h("button", { type: "submit", class: "primary", disabled: true }, t("import.save"));
  let found = null;
  let timer = 0;

  async function take(one) {
    if (one.size > LARGEST) return fault({ message: t("import.too_large") });
    text.value = await one.text();
    look();
  }
  const fault = (error) => {
    found = null;
    go.disabled = true;
    report.replaceChildren(h("p", { class: "fault" }, error.message, error.hint ? h("span", { class: "sub" }, error.hint) : null), ...(error.more?.problems?.length ? [h("ul", { class: "problems" }, error.more.problems.slice(0, 50).map((one) => h("li", {}, h("code", {}, one.line ? t("source.line", { line: one.line }) : one.path), " ", one.message, one.hint ? h("span", { class: "sub" }, one.hint) : null)))] : []));
  };
  const body = (dry) => ({ text: text.value, dry_run: dry, ...(folder.value.trim() ? { folder: folder.value.trim() } : {}), ...(replace.checked ? { replace: true } : {}) });
  async function look() {
    clearTimeout(timer);
    if (!text.value.trim()) { report.replaceChildren(); go.disabled = true; return; }
    const asked = text.value;
    report.replaceChildren(h("p", { class: "muted" }, t("import.looking")));
    try {
      const answer = await send("POST", "/dashboards/import", body(true));
      if (asked === text.value) show(answer);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (asked === text.value) fault(error);
    }
  }
  function show(answer) {
    found = answer;
    go.disabled = false;
    const { counts, report: lines, problems, exists, dashboard } = answer;
    const dropped = lines.filter((one) => one.level === "dropped");
    const changed = lines.filter((one) => one.level !== "dropped");
    const list = (name, some, open) => (some.length ? h("details", { open }, h("summary", {}, name, " ", h("span", { class: "badge" }, String(some.length))), h("ul", { class: "problems" }, some.map((one) => h("li", {}, h("b", {}, one.title || (one.panel ? `#${one.panel}` : "")), " ", h("code", {}, one.what), " ", one.reason)))) : null);
    if (exists) go.textContent = t(replace.checked ? "import.replace_save" : "import.save");
    report.replaceChildren(...[
      h("h3", {}, words(dashboard.title)),
      h("p", {}, t("import.counts", { panels: counts.panels, taken: counts.taken, changed: counts.changed, dropped: counts.dropped })),
      exists ? h("p", { class: "is-warn" }, t("import.exists")) : null,
      list(t("import.dropped"), dropped, true), list(t("import.changed"), changed, false),
      problems?.length ? h("details", {}, h("summary", {}, t("import.problems"), " ", h("span", { class: "badge warn" }, String(problems.length))), h("ul", { class: "problems" }, problems.slice(0, 100).map((one) => h("li", {}, h("code", {}, one.path), " ", one.message)))) : null,
    ].filter(Boolean));
  }
  text.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, 400); });
  replace.addEventListener("change", look);
  const drop = h("div", { class: "import-drop" }, h("button", { type: "button", onclick: () => file.click() }, icon("upload"), t("import.file")), h("span", { class: "muted" }, t("import.drop")), file);
  const made = dialog(t("import.title"), (close) => [h("form", {
    async onsubmit(event) {
      event.preventDefault();
      if (!found) return;
      go.disabled = true;
      try {
        const answer = await send("POST", "/dashboards/import", body(false));
        close();
        saved(answer.saved?.dashboard.uid ?? answer.dashboard.uid);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        fault(error);
      }
    },
  }, h("p", { class: "muted" }, t("import.lead")), drop, text, report,
    h("div", { class: "form-pair" }, h("label", { class: "field" }, h("span", {}, t("dashboard.folder")), folder, h("datalist", { id: "import-folders" }, folders.map((one) => h("option", { value: one })))), h("label", { class: "toggle" }, replace, h("span", {}, t("import.replace"))))
    , h("footer", {}, h("button", { type: "button", class: "quiet", onclick: close }, t("shell.cancel")), go))], { kind: "dialog wide-dialog", close: t("shell.close") });
  const over = (event) => { event.preventDefault(); made.box.classList.toggle("dropping", event.type === "dragover"); };
  made.box.addEventListener("dragover", over);
  made.box.addEventListener("dragleave", over);
  made.box.addEventListener("drop", (event) => { over(event); const [one] = event.dataTransfer.files; if (one) take(one); else if (event.dataTransfer.getData("text")) { text.value = event.dataTransfer.getData("text"); look(); } });
  text.focus();
}
