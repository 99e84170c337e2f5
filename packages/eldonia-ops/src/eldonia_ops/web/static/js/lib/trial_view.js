// What a trial of an entry brought, shown as what will be seen later.
import { badge, h, labels } from "./dom.js";
import { bytes, duration, integer, when } from "./format.js";
import { t, word } from "./i18n.js";

const DAY = 86_400_000;

function samples(found) {
  return h("table", { class: "trial-samples" }, h("tbody", {}, found.samples.map((one) =>
    h("tr", {}, h("td", {}, h("code", {}, one.name), " ", labels(one.labels)), h("td", { class: "num" }, one.value)))));
}

function lines(found) {
  return h("ol", { class: "trial-lines" }, found.lines.map((one) =>
    h("li", {}, when(one.at), " ", h("span", { class: `lv-${one.level}` }, word("level", one.level)), " ", h("span", { class: "mono" }, one.message),
      Object.keys(one.fields).length ? labels(one.fields) : null,
      one.fault ? h("span", { class: "sub warn" }, one.fault) : null)));
}

function sentence(found, section) {
  if (section === "receivers") return t("trial.sent");
  if (section === "probes") return t("trial.answered", { status: found.status || t("trial.connected"), time: duration(found.seconds * 1000) });
  if (section === "logs") return found.lines.length ? t("trial.read", { file: found.file, count: integer(found.files) }) : t("trial.empty_file", { file: found.file });
  if (found.retention) return t("trial.retention", { records: integer(found.retention.records), size: bytes(found.retention.bytes), due: integer(found.retention.due_records) });
  if (section === "objectives") return t("trial.valid");
  return t("trial.series", { count: integer(found.series), time: duration(found.seconds * 1000) });
}

export function trialView(found, section) {
  if (!found.successful) {
    return h("div", { class: "trial bad", role: "alert" }, h("p", {}, badge(t("trial.failed"), "bad"), " ", found.message),
      (found.diagnostics ?? []).filter((one) => one.hint).map((one) => h("p", { class: "muted" }, one.hint)),
      found.status ? h("p", { class: "muted" }, t("trial.status", { status: found.status })) : null);
  }
  const days = Math.floor((found.certificate_expires_at - Date.now()) / DAY);
  return h("div", { class: "trial ok" }, h("p", {}, badge(t("trial.works"), "ok"), " ", sentence(found, section)),
    found.certificate_expires_at ? h("p", { class: days < 14 ? "sub warn" : "sub" }, t("trial.certificate", { days: integer(days) })) : null,
    found.recognised ? h("p", { class: "sub" }, t("trial.recognised", { form: word("form", found.recognised) })) : null,
    found.samples.length ? samples(found) : null,
    found.lines.length ? lines(found) : null);
}
