// The text of a search of logs: terms that are added and taken away, the words that are marked, old addresses.
// The language itself is read by the server (docs/search.md).

const OWN = ["message", "level", "service", "component", "operation", "user_id", "session_id", "request_id", "ip_address", "user_agent", "trace_id", "span_id", "environment", "hostname", "source", "parse_error", "pattern", "tag"];
const PLAIN_NAME = /^[\p{L}_@][\p{L}\p{N}_@-]*(\.[\p{L}\p{N}_@-]+)*$/u;
const PLAIN_VALUE = /^[\p{L}\p{N}_@/][\p{L}\p{N}_@/-]*(\.[\p{L}\p{N}_@/-]+)*$/u;
const KEYWORD = /^(and|or|not)$/i;

export const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
export const quoted = (text) => `"${text.replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n").replace(/\r/g, "\\r").replace(/\t/g, "\\t")}"`;

// The name of a field from its steps in the record, as the API gives it: ["metadata", "user", "plan"] is user.plan.
export function fieldName(path) {
  if (path[0] !== "metadata") return OWN.find((name) => camel(name) === path.join(".")) ?? path.join(".");
  const steps = path.slice(1);
  const name = steps.join(".");
  const own = OWN.some((one) => one === name || camel(one) === name) || /^(error|performance)\./.test(name);
  return PLAIN_NAME.test(name) && !own ? name : steps.map(quoted).join(".");
}

// The term that a field has a value (a text, number or boolean).
export function term(field, value) {
  const text = String(value);
  if (typeof value !== "string") return `${field}:${text.startsWith("-") ? quoted(text) : text}`;
  const plain = PLAIN_VALUE.test(text) && !(text.length > 1 && text.startsWith("/") && text.endsWith("/"));
  return `${field}:${plain ? text : quoted(text)}`;
}

export const excluded = (one) => `-${one}`;

// Where a term is in a search, from one blank to the next, outside of quotes; -1 for nowhere.
function placeOf(search, wanted) {
  let inside = "";
  for (let at = 0; at < search.length; at += 1) {
    if (!inside && (at === 0 || /\s/.test(search[at - 1])) && search.startsWith(wanted, at)) {
      const after = search[at + wanted.length];
      if (after === undefined || /\s/.test(after)) return at;
    }
    if (inside && search[at] === "\\") at += 1;
    else if (search[at] === inside) inside = "";
    else if (!inside && /["']/.test(search[at]) && (at === 0 || /[\s:=(~]/.test(search[at - 1]))) inside = search[at];
  }
  return -1;
}

export const hasTerm = (search, wanted) => placeOf(search, wanted) >= 0;

export function withoutTerm(search, wanted) {
  const at = placeOf(search, wanted);
  return at < 0 ? search : `${search.slice(0, at).trimEnd()} ${search.slice(at + wanted.length).trimStart()}`.trim();
}

// A search in alternatives is put in parentheses, so that the new term holds for all of them.
export function withTerm(search, wanted) {
  const rest = withoutTerm(withoutTerm(search, excluded(wanted)), wanted.replace(/^-/, "")).trim();
  if (hasTerm(rest, wanted)) return rest;
  const whole = /(^|\s)or(\s|$)/i.test(rest) && !/^\([^()]*\)$/.test(rest) ? `(${rest})` : rest;
  return `${whole} ${wanted}`.trim();
}

export const toggled = (search, wanted) => (hasTerm(search, wanted) ? withoutTerm(search, wanted) : withTerm(search, wanted));

// The terms about a field that are written in a search, as they are written.
export const termsOf = (search, field) =>
  (search.match(/(?:"(?:[^"\\]|\\.)*"|[^\s"])+/g) ?? []).filter((one) => one.replace(/^-/, "").startsWith(`${field}:`) && !/[()]/.test(one));

// The fields that a search names, as they are written.
export const fieldsOf = (search) =>
  [...new Set([...search.replace(/"(?:[^"\\]|\\.)*"/g, '""').matchAll(/(?:^|[\s(])[-!]?([\p{L}_@][\p{L}\p{N}_@-]*(?:\.[\p{L}\p{N}_@-]+)*)(?::(?!\/\/)|!=|[<>=])/gu)]
    .map(([, field]) => field).filter((field) => !["message", "_exists_"].includes(field)))];

// The search with another name for a field.
export const renamed = (search, from, to) =>
  search.replace(new RegExp(`(^|[\\s(!-])${from.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?=\\s*(?::|!=|[<>=]))`, "gu"), (_, before) => before + to);

const word = (text) => (/^[\p{L}\p{N}_]+$/u.test(text) && !KEYWORD.test(text) ? text : quoted(text));

// The search of an address: what older links say in parameters of their own becomes terms.
export function searchOf(parameters) {
  const levels = parameters.getAll("level");
  return [
    parameters.get("query")?.trim(),
    ...(parameters.get("q") ?? "").split(/\s+/).filter(Boolean).map(word),
    levels.length && levels.length < 4 && (levels.length === 1 ? term("level", levels[0]) : `level:(${levels.join(" or ")})`),
    parameters.get("service") && term("service", parameters.get("service")),
    parameters.get("parse_errors") === "true" && "parse_error:*",
    ...parameters.getAll("where").map((one) => one.trim()),
    ...["trace_id", "request_id", "user_id", "component"].map((name) => parameters.get(name) && term(name, parameters.get(name))),
  ].filter(Boolean).join(" ");
}

// The words and phrases that a search wants in the message, for marking them.
export function wordsOf(search) {
  const found = [];
  for (const [, sign, field, phrase, bare] of search.matchAll(/([-!]?)((?:[^\s"'():=<>~]+(?::|[=<>!~*]+))?)(?:"((?:[^"\\]|\\.)*)"|([^\s"()]+))/g)) {
    if (sign || (field && field !== "message:") || (bare && (KEYWORD.test(bare) || bare.startsWith("/")))) continue;
    const text = phrase === undefined ? bare : phrase.replace(/\\(.)/g, "$1");
    if (text.replaceAll("*", "")) found.push(text);
  }
  return found;
}

// What a record holds for a field, undefined for nothing: the key with the dots, else the steps into objects.
export function valueIn(record, field) {
  const own = record[camel(field)];
  if (OWN.includes(field)) return own;
  const steps = [...field.matchAll(/"((?:[^"\\]|\\.)*)"|[^."]+/g)].map(([bare, inner]) => (inner === undefined ? bare : inner.replace(/\\(.)/g, "$1")));
  const follow = (from, path) => path.reduce((inner, step) => (inner && typeof inner === "object" ? inner[step] : undefined), from);
  if (/^(error|performance)\./.test(field)) return follow(record, steps);
  const metadata = record.metadata ?? {};
  const direct = field.startsWith('"') ? undefined : metadata[field];
  return direct ?? follow(metadata, steps) ?? (own === undefined ? undefined : own);
}

// What is being written at the caret: the field that a value is wanted of ("" for a field), the text so far, where it begins.
export function pieceAt(search, caret) {
  const before = search.slice(Math.max(0, lastPipe(search, caret) + 1), caret);
  if ((before.match(/(?<!\\)"/g) ?? []).length % 2) return null;
  const [written] = before.match(/[^\s()]*$/);
  const bare = written.replace(/^[-!]/, "");
  const [, field, value] = bare.match(/^([^:=<>!~*/]+)(?::|=|[<>]=?)(.*)$/) ?? [];
  const text = field === undefined ? bare : value;
  return { field: field ?? "", text, start: caret - text.length };
}

// Where a pipe is at or before a place, outside of quotes and of regular expressions; -1 for nowhere.
function lastPipe(search, end) {
  let [inside, found] = ["", -1];
  for (let at = 0; at < end; at += 1) {
    const one = search[at];
    if (one === "\\") at += 1;
    else if (inside) inside = one === inside ? "" : inside;
    else if (one === '"' || one === "'") inside = at === 0 || /[\s:=(~,-]/.test(search[at - 1]) ? one : "";
    else if (one === "/" && (at === 0 || /[\s:(]/.test(search[at - 1])) && /^\/[^\s/]+\/(?=[\s)|]|$)/.test(search.slice(at))) inside = "/";
    else if (one === "|") found = at;
  }
  return found;
}

// The part of a search before its first pipe.
export function stripPipes(search) {
  let found = search;
  for (let pipe = lastPipe(found, found.length); pipe >= 0; pipe = lastPipe(found, found.length)) found = found.slice(0, pipe);
  return found.trim();
}

export const hasPipe = (search) => lastPipe(search, search.length) >= 0;

// The stage of a pipe that is being written at the caret: its command ("" while that is written), the word at the caret and
// where it begins; null before the first pipe, and in quotes.
export function stageAt(search, caret) {
  const pipe = lastPipe(search, caret);
  if (pipe < 0) return null;
  const before = search.slice(pipe + 1, caret);
  if ((before.match(/(?<!\\)"/g) ?? []).length % 2) return null;
  const [, command, rest] = before.match(/^\s*(\S*)([\s\S]*)$/) ?? ["", "", ""];
  if (!rest) return { command: "", text: command, start: caret - command.length };
  const [text] = rest.match(/[^\s(),]*$/) ?? [""];
  return { command: command.toLowerCase(), text, start: caret - text.length };
}

/** A search as a rule takes it: one that counts. @param {string} search */
export const ruleSearch = (search) => {
  const given = search.trim();
  return /\|\s*(stats|timechart)\b/i.test(given) ? given : `${given || "*"} | stats count() as records | where records > 0`;
};
