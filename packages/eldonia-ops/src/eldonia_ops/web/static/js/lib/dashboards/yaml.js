// A document as YAML, for reading and editing; the server reads it back. Only what JSON has: mappings, lists, texts, numbers.

// A text that YAML would not take for something else needs no quotes.
const PLAIN = /^[\p{L}_$/(][^\n\r\t]*$/u;
const OTHER = /^(?:true|false|null|yes|no|on|off|~)$|: |:$| #|^\s|\s$|[\p{Cc}\u2028\u2029\ufeff]/iu;
// What a block of lines cannot hold: other control characters, and spaces before its first line.
const UNBLOCKED = /^\s|[^\P{Cc}\n\t]|[\u2028\u2029\ufeff]/u;
function scalar(value) {
  if (typeof value !== "string") return String(value);
  return PLAIN.test(value) && !OTHER.test(value) && !/[{}[\],&*!|>'"%@`]/.test(value[0]) ? value : JSON.stringify(value);
}
const inline = (value) => !value || typeof value !== "object" || !Object.keys(value).length;
const SHORT = 80;
function flow(value) {
  if (inline(value)) return Array.isArray(value) ? "[]" : value && typeof value === "object" ? "{}" : flowScalar(value);
  return Array.isArray(value) ? `[${value.map(flow).join(", ")}]` : `{${Object.entries(value).map(([key, one]) => `${flowScalar(key)}: ${flow(one)}`).join(", ")}}`;
}
const flowScalar = (value) => { const text = scalar(value); return typeof value === "string" && !text.startsWith('"') && /[,[\]{}:#]/.test(text) ? JSON.stringify(value) : text; };
// Small parts, such as places and thresholds, are on one line.
const short = (value) => { if (Object.values(value).some((one) => one && typeof one === "object" && Object.values(one).some((inner) => inner && typeof inner === "object"))) return null; const text = flow(value); return text.length <= SHORT && !text.includes("\\n") ? text : null; };

function block(value, indent) {
  const pad = " ".repeat(indent);
  const text = (one) => (typeof one === "string" && one.includes("\n") && !UNBLOCKED.test(one) ? `|${one.endsWith("\n") ? (one.endsWith("\n\n") ? "+" : "") : "-"}\n${one.replace(/\n$/, "").split("\n").map((line) => (line ? `${pad}  ${line}` : "")).join("\n")}` : scalar(one));
  const inner = (one) => {
    if (inline(one)) return one && typeof one === "object" ? ` ${flow(one)}` : ` ${text(one)}`;
    const small = short(one);
    return small ? ` ${small}` : null;
  };
  if (Array.isArray(value)) {
    return value.map((one) => { const small = inner(one); if (small) return `${pad}-${small}`; const body = block(one, indent + 2); return `${pad}- ${body.slice(indent + 2)}`; }).join("\n");
  }
  return Object.entries(value).map(([key, one]) => { const small = inner(one); return small ? `${pad}${flowScalar(key)}:${small}` : `${pad}${flowScalar(key)}:\n${block(one, indent + 2)}`; }).join("\n");
}
/** @param {any} value */
export const yaml = (value) => `${block(value, 0)}\n`;
