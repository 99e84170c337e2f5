import assert from "node:assert/strict";
import test from "node:test";
import { openPage } from "./page.js";

openPage();
const { dividing, worthShowing } = await import("../lib/facet_choice.js");
const { recordTree } = await import("../lib/record_tree.js");

const accesses = Array.from({ length: 40 }, (_, at) => ({
  metadata: { status: at % 4 ? 200 : 404, method: at % 2 ? "GET" : "POST", path: `/p${at % 5}`, bytes: 1000 + at, protocol: "HTTP/1.1", request: `r${at}`, user: { plan: at % 2 ? "gold" : "free" }, tags: ["a"] },
}));

test("facets are fields that divide the records", () => {
  assert.deepEqual(dividing(accesses), ["method", "status", "path", "user.plan"]);
  assert.deepEqual(dividing(accesses, 2), ["method", "status"]);
  assert.deepEqual(dividing([{ metadata: { took: 1, status: 200 } }, { metadata: { took: 2, status: 500 } }]), ["status"], "a measurement divides nothing");
  assert.deepEqual(dividing([]), []);
  const documents = accesses.map((one, at) => ({ metadata: { _index: `i${at % 2}`, _version: 1 + (at % 2), _source: at % 2 ? "a,b" : "a", ...one.metadata } }));
  assert.deepEqual(dividing(documents, 5), ["method", "status", "path", "_index", "user.plan"], "how a document is put together divides nothing for people");
  assert.deepEqual(dividing([{ metadata: { a: 1 } }, {}]), []);
});

test("a field with one value takes no room, unless it is asked for", () => {
  const facet = (field, ...values) => ({ field, values: values.map((value) => ({ value, count: 1 })) });
  const facets = [facet("level", "info"), facet("hostname", "vm"), facet("source", "a", "b"), facet("user_id", "alice")];
  assert.deepEqual(worthShowing(facets, (field) => field === "user_id").map((one) => one.field), ["level", "source", "user_id"]);
});

test("a record shows the names that a search finds it by", () => {
  const added = [];
  const tree = recordTree({ userId: "alice", metadata: { path: "/pay", service: 7, http: { status: 5 } }, source: "/a.log" }, { add: (one) => added.push(one), column: () => {} });
  const text = tree.textContent;
  for (const part of ['"user_id": "alice"', '"path": "/pay"', '"service": 7', '"status": 5', '"source": "/a.log"']) assert.ok(text.includes(part), `${part} in ${text}`);
  assert.ok(!/metadata|userId/.test(text));
  for (const value of tree.querySelectorAll(".json-value")) {
    value.click();
    value.nextElementSibling.querySelector("button").click();
  }
  assert.deepEqual(added, ["user_id:alice", "path:/pay", '"service":7', "http.status:5", "source:/a.log"]);
});
