// What a change changed, in the reader's language.
import { t, word } from "./i18n.js";

// The platform describes a change of its own configuration as `added oldcert (probes); changed slack (receivers)`.
const STEP = /^(added|removed|changed) (.+) \((\S+)\)$/;
const TEXTS = { added: "conf.did_add", removed: "conf.did_remove", changed: "conf.did_change" };

export function changed({ kind, service, title }) {
  if (kind !== "configuration" || service) return [title];
  return title.split("; ").map((one) => {
    const step = STEP.exec(one);
    return step ? t(TEXTS[step[1]], { name: step[2], kind: word("entry_kind", step[3]) }) : one;
  });
}
