// A link that shows the same tomorrow: with the instants, and not with "the last hour".
import { toast } from "./dom.js";
import { t } from "./i18n.js";

/** @param {string} text @param {string} done what is said when it was copied */
export async function copyText(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    toast(done);
  } catch {
    toast(t("explore.not_copied"), { bad: true, hint: text.slice(0, 2_000) });
  }
}

/** Copy the address of this page with a time range. @param {number[]} bounds Unix milliseconds */
export function copyLink([from, to]) {
  const link = new URL(location.href);
  for (const name of ["range", "live"]) link.searchParams.delete(name);
  link.searchParams.set("from", String(Math.round(from)));
  link.searchParams.set("to", String(Math.round(to)));
  return copyText(link.href, t("explore.link_copied"));
}
