import assert from "node:assert/strict";
import test from "node:test";
import { openPage } from "./page.js";

openPage();
const { ApiError, act, address, get, getTagged, replacing, send } = await import("../lib/api.js");

// Answers of the server, one for each request, and the requests.
const answers = [];
const requests = [];
globalThis.fetch = async (url, options) => {
  requests.push({ url: String(url), ...options });
  const answer = answers.shift();
  if (answer instanceof Error) throw answer;
  return answer;
};
const away = [];
document.addEventListener("server", (event) => away.push(event.detail));

test("parameters without a value are left out, lists are repeated", () => {
  assert.equal(address("/logs", { q: "a b", level: ["error", "warn"], none: "", no: null, off: false, zero: 0 }), "/api/ops/v1/logs?q=a+b&level=error&level=warn&zero=0");
  assert.equal(address("/logs"), "/api/ops/v1/logs");
});

test("what changes something carries the token of the session, what reads does not", async () => {
  answers.push(Response.json([]), Response.json({ ok: true }));
  await get("/alerts");
  await send("POST", "/silences", { a: 1 });
  const [read, change] = requests.splice(0);
  assert.equal(read.headers["X-CSRF-Token"], undefined);
  assert.equal(change.headers["X-CSRF-Token"], "the-token");
  assert.equal(change.body, '{"a":1}');
  assert.match(read.url, /lang=en/);
});

test("a refusal says why", async () => {
  answers.push(Response.json({ error: { code: "bad_request", message: "no such label", hint: "write it like a=b" } }, { status: 400 }));
  await assert.rejects(get("/alerts"), (error) => error instanceof ApiError && error.status === 400 && error.message === "no such label" && error.hint === "write it like a=b");
  answers.push(new Response("<html>", { status: 500 }));
  await assert.rejects(get("/alerts"), (error) => error instanceof ApiError && error.status === 500);
});

test("a server that is away is said to be, and to be back", async () => {
  away.length = 0;
  answers.push(new TypeError("fetch failed"), new Response("", { status: 503 }), Response.json([]));
  await assert.rejects(get("/alerts"));
  await assert.rejects(get("/alerts"));
  await get("/alerts");
  assert.deepEqual(away, [false, false, true]);
});

test("a request that was given up does not mean that the server is away", async () => {
  away.length = 0;
  answers.push(new DOMException("given up", "AbortError"));
  await assert.rejects(get("/alerts"));
  assert.deepEqual(away, []);
});

test("a text comes with its tag, and is replaced only as it was read", async () => {
  answers.push(new Response("text", { headers: { ETag: '"abc"' } }), new Response("draft"));
  assert.deepEqual(await getTagged("/x"), { text: "text", tag: '"abc"' });
  assert.deepEqual(replacing('"abc"'), { "If-Match": '"abc"' });
  assert.deepEqual(replacing((await getTagged("/x")).tag), { "If-None-Match": "*" });
});

test("an act says how it went", async () => {
  assert.equal(await act(async () => {}, "Done"), true);
  assert.equal(await act(async () => { throw new ApiError(409, { message: "changed meanwhile" }); }, "Done"), false);
  assert.equal(document.getElementById("toasts").textContent, "Donechanged meanwhile");
});
