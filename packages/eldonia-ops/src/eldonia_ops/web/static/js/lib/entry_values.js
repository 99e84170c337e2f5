// From an entry to the fields of its form, and back. Keys may be dotted; what a form does not show stays as it is.

export function valueAt(values, key) {
  return key.split(".").reduce((held, name) => (held && typeof held === "object" ? held[name] : undefined), values);
}

function put(values, key, value) {
  const names = key.split(".");
  const last = names.pop();
  let held = values;
  for (const [index, name] of names.entries()) {
    const next = names[index + 1] ?? last;
    if (held[name] === undefined || held[name] === null) {
      if (value === undefined) return;
      held[name] = /^\d+$/.test(next) ? [] : {};
    }
    held = held[name];
  }
  if (value === undefined) delete held[last];
  else held[last] = value;
}

/** A value as the text of its input. */
export function shown(value, type) {
  if (value === undefined || value === null) return "";
  if (type === "texts") return Array.isArray(value) ? value.join(", ") : String(value);
  if (type === "labels") return Object.entries(value).map(([name, one]) => `${name}=${one}`).join(", ");
  return String(value);
}

const listed = (text) => text.split(/[,\n]/).map((one) => one.trim()).filter(Boolean);

/** What an input says; undefined for what is not written because nothing was given, or the default holds anyway. */
export function given(text, field) {
  if (field.type === "boolean") return String(text) === (field.default || "false") ? undefined : text === true || text === "true";
  const trimmed = String(text).trim();
  if (!trimmed) return undefined;
  if (!field.required && trimmed === field.default && field.type !== "secret") return undefined;
  if (field.type === "texts") return listed(trimmed);
  if (field.type === "labels") {
    return Object.fromEntries(listed(trimmed).map((one) => {
      const at = one.indexOf("=");
      return at < 0 ? [one, ""] : [one.slice(0, at).trim(), one.slice(at + 1).trim()];
    }));
  }
  if (field.type === "number" && !Number.isNaN(Number(trimmed))) return Number(trimmed);
  return trimmed;
}

/**
 * The entry after its form: `inputs` are [field with its full key, text].
 * A secret that is left empty is not written: the platform keeps the one that it has.
 */
export function entryAfter(before, inputs) {
  const values = structuredClone(before);
  for (const [field, text] of inputs) {
    const value = given(text, field);
    if (field.type === "secret" && value === undefined) continue;
    put(values, field.key, value);
  }
  // A nested mapping of which nothing is left is left out too.
  for (const [name, one] of Object.entries(values)) {
    if (one && typeof one === "object" && !Array.isArray(one) && !Object.keys(one).length) delete values[name];
  }
  return values;
}
