// The native API. A lost server shows a banner (see shell.js); a lost session shows the sign-in.
import { toast } from "./dom.js";
import { language } from "./i18n.js";
import { zoneName } from "./zone.js";

const base = "/api/ops/v1";
/** @type {HTMLMetaElement} */
const meta = document.querySelector('meta[name="csrf-token"]');
const csrf = meta.content;

export class ApiError extends Error {
  /** @param {number} status @param {Record<string, any>} [answer] */
  constructor(status, { code = "error", message = "", hint = "", position = -1, field = "", ...more } = {}) {
    super(message);
    /** @type {Record<string, any>} */
    this.more = more; // what else the error says, such as problems of a document
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.position = position; // of the fault of a query, in characters
    this.field = field; // the parameter with the query, where there are several
  }
}

export function address(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== "" && one !== null && one !== undefined && one !== false) query.append(name, one);
    }
  }
  const text = query.toString();
  return base + path + (text ? `?${text}` : "");
}

/**
 * @param {string} path
 * @param {{method?: string, parameters?: Record<string, any>, body?: any, type?: string, headers?: Record<string, string>, signal?: AbortSignal}} [options]
 * @returns {Promise<Response>}
 */
async function request(path, { method = "GET", parameters = {}, body, type = "application/json", headers = {}, signal } = {}) {
  let response;
  try {
    response = await fetch(address(path, { ...parameters, lang: language, tz: path.startsWith("/incidents/") ? zoneName : parameters.tz }), {
      method,
      signal,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { "Content-Type": type }),
        ...(method === "GET" ? {} : { "X-CSRF-Token": csrf }),
      },
      body: body === undefined ? undefined : type === "application/json" ? JSON.stringify(body) : body,
    });
  } catch (error) {
    if (error.name !== "AbortError") document.dispatchEvent(new CustomEvent("server", { detail: false }));
    throw error;
  }
  if (response.status >= 502 && response.status <= 504) {
    document.dispatchEvent(new CustomEvent("server", { detail: false }));
    throw new ApiError(response.status, { message: response.statusText });
  }
  document.dispatchEvent(new CustomEvent("server", { detail: true }));
  if (response.status === 401) {
    location.reload();
    return new Promise(() => {});
  }
  if (!response.ok) {
    const answer = await response.json().catch(() => ({}));
    throw new ApiError(response.status, answer.error);
  }
  return response;
}

/**
 * What an operation answers. Its type comes from the API's own description (scripts/javascript.py).
 * @template {string} P
 * @param {P} path
 * @param {Record<string, any>} [parameters]
 * @param {AbortSignal} [signal]
 * @returns {Promise<Api.Answer<P>>}
 */
export const get = async (path, parameters, signal) => (await request(path, { parameters, signal })).json();
export const getText = async (path, parameters) => (await request(path, { parameters })).text();
export async function send(method, path, body = undefined, headers = {}, signal = undefined) {
  const response = await request(path, { method, body, headers, signal });
  return response.status === 204 ? null : response.json();
}
export const sendText = async (method, path, body, headers) => request(path, { method, body, type: "text/markdown", headers });

// JSON with its entity tag, and a change of what has that tag.
export async function getJson(path) {
  const response = await request(path);
  return { value: await response.json(), tag: response.headers.get("ETag") ?? "" };
}
export async function sendTagged(method, path, body, tag) {
  const response = await request(path, { method, body, headers: replacing(tag) });
  return { value: await response.json(), tag: response.headers.get("ETag") ?? "" };
}

// A stored text with its entity tag ("" for a text that is not stored), and what to send so that nothing else is replaced.
export async function getTagged(path) {
  const response = await request(path);
  return { text: await response.text(), tag: response.headers.get("ETag") ?? "" };
}
export const replacing = (tag) => (tag ? { "If-Match": tag } : { "If-None-Match": "*" });

// Runs an act and says how it went; true when it went well.
export async function act(work, done) {
  try {
    await work();
  } catch (error) {
    if (error instanceof ApiError) toast(error.message, { bad: true, hint: error.hint });
    return false;
  }
  if (done) toast(done);
  return true;
}
