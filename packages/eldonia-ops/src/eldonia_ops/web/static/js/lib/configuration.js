// The configuration that pages change: what is there, changes with their undo, trials. All of it needs an administrator.
import { ApiError, send, getJson, sendTagged } from "./api.js";
import { toast } from "./dom.js";
import { t } from "./i18n.js";

let tag = "";
let view = null;
const listeners = new Set();

export const onConfiguration = (listener) => { listeners.add(listener); if (view) listener(view); };
function took({ value, tag: found }) {
  tag = found;
  view = value;
  for (const listener of listeners) listener(view);
  return view;
}

/** What there is, read anew. */
export const readConfiguration = async () => took(await getJson("/configuration"));

let forms = null;
/** The forms, by section and kind. They change with the version of the platform alone. */
export async function readForms() {
  forms ??= (await getJson("/configuration/forms")).value;
  return forms;
}

// Changed by somebody else in between: what they did is read, and the change made on top of it once more. An entry that
// they changed is refused by the server, so nothing of theirs is lost.
async function once(path, body) {
  if (!tag) await readConfiguration();
  try {
    return took(await sendTagged("POST", path, body, tag));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 412) throw error;
    await readConfiguration();
    return took(await sendTagged("POST", path, body, tag));
  }
}

/** Changes made together: [{section, name, values}]. The toast undoes them. */
export async function change(changes, said = "") {
  const before = view?.changes[0]?.id ?? "";
  const now = await once("/configuration/changes", { changes });
  const made = now.changes[0];
  if (made && made.id !== before) toast(said || t("conf.saved", { name: made.steps[0]?.name ?? "" }), { undo: [t("conf.undo"), () => undo(made.id)] });
  return now;
}

export async function undo(id) {
  try {
    await once("/configuration/undo", { id });
    toast(t("conf.undone"));
  } catch (error) {
    if (error instanceof ApiError) toast(error.message, { bad: true, hint: error.hint });
  }
}

export const attempt = (section, values, name = "") => send("POST", "/configuration/try", { section, name, values });
export const entryOf = (section, name) => view?.entries.find((one) => one.section === section && one.name === name);
export const entriesOf = (section) => view?.entries.filter((one) => one.section === section) ?? [];
