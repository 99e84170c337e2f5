// Variables in texts and addresses that are not sent to the server: $name, ${name}, ${name:format}, [[name]].
const FORM = /\$\{(\w+)(?:\.(\w+(?:\.\w+)*))?(?::([^}]*))?\}|\[\[(\w+)(?::([^\]]*))?\]\]|\$(\w+)/g;

/** @typedef {{values: string[], all?: boolean, all_value?: string, text?: string}} Selection */

const FORMATS = {
  csv: (values) => values.join(","), pipe: (values) => values.join("|"), raw: (values) => values.join(","), json: (values) => JSON.stringify(values),
  glob: (values) => (values.length > 1 ? `{${values.join(",")}}` : (values[0] ?? "")), regex: (values) => alternatives(values.map((one) => one.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"))),
  singlequote: (values) => values.map((one) => `'${one.replace(/'/g, "\\'")}'`).join(","), doublequote: (values) => values.map((one) => `"${one.replace(/"/g, '\\"')}"`).join(","),
  percentencode: (values) => encodeURIComponent(values.length > 1 ? `{${values.join(",")}}` : (values[0] ?? "")),
};
const alternatives = (values) => (values.length > 1 ? `(${values.join("|")})` : (values[0] ?? ""));

/**
 * @param {string} text
 * @param {Record<string, Selection>} selections of the variables
 * @param {{globals?: Record<string, string>, address?: boolean}} [options] with `address`, values are written for an address
 */
export function interpolate(text, selections, { globals = {}, address = false } = {}) {
  if (!text || !/[$[]/.test(text)) return text ?? "";
  return text.replace(FORM, (whole, braced, path, form, bracketed, bracketForm, bare) => {
    const name = braced ?? bracketed ?? bare;
    const format = form ?? bracketForm;
    const key = path ? `${name}.${path}` : name;
    if (key in globals) return address ? encodeURIComponent(globals[key]) : globals[key];
    const selection = selections[name];
    if (!selection || path) return whole;
    if (format === "queryparam") return selection.values.map((one) => `var-${encodeURIComponent(name)}=${encodeURIComponent(one)}`).join("&");
    if (format === "text" || (!format && !address)) return selection.text ?? selection.values.join(" + ");
    const written = (FORMATS[format] ?? FORMATS[address ? "csv" : "glob"])(selection.values);
    return address && format !== "percentencode" ? encodeURIComponent(written) : written;
  });
}

/** The names of variables that a text uses. @param {string} text */
export function used(text) {
  return [...new Set([...text.matchAll(FORM)].map((one) => one[1] ?? one[4] ?? one[6]))];
}

/** What links may use of a value: its number, its text, its time, and the labels of its series. */
export const valueGlobals = ({ value, text, time, field, row = {} }) => ({
  "__value.raw": String(value ?? ""), "__value.numeric": String(value ?? ""), "__value.text": text ?? "", "__value.time": String(time ?? ""),
  "__field.name": field?.name ?? "", "__series.name": field?.name ?? "",
  ...Object.fromEntries(Object.entries(field?.labels ?? {}).map(([name, one]) => [`__field.labels.${name}`, String(one)])),
  ...Object.fromEntries(Object.entries(row).map(([name, one]) => [`__data.fields.${name}`, String(one ?? "")])),
});

/** An address that a link may lead to: of this site, or http(s), mailto; anything else is none. @param {string} address */
export function safeAddress(address) {
  const text = (address ?? "").trim();
  if (/^(?:https?:\/\/|mailto:|#|\?)/i.test(text)) return text;
  if (/^\/(?![/\\])/.test(text)) return text;
  return /^[\w.-]+(?:\/|$)/.test(text) && !text.includes(":") ? text : null;
}
