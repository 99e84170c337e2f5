import assert from "node:assert/strict";
import test from "node:test";

const { excluded, fieldName, fieldsOf, hasPipe, hasTerm, pieceAt, renamed, searchOf, stageAt, term, termsOf, toggled, valueIn, withTerm, withoutTerm, wordsOf } = await import("../lib/search_terms.js");

test("a value becomes a term that means it and nothing else", () => {
  assert.equal(term("user_id", "alice"), "user_id:alice");
  assert.equal(term("path", "/api/orders"), "path:/api/orders");
  assert.equal(term("path", "/api/"), 'path:"/api/"');
  assert.equal(term("path", "/a*"), 'path:"/a*"');
  assert.equal(term("version", "1..2"), 'version:"1..2"');
  assert.equal(term("note", 'two "words"\\\n'), 'note:"two \\"words\\"\\\\\\n"');
  assert.equal(term("status", 504), "status:504");
  assert.equal(term("offset", -5), 'offset:"-5"');
  assert.equal(term("ok", true), "ok:true");
  assert.equal(term("利用者", "花子"), "利用者:花子");
  assert.equal(excluded("a:b"), "-a:b");
});

test("a place in a record becomes the name of its field", () => {
  assert.equal(fieldName(["userId"]), "user_id");
  assert.equal(fieldName(["error", "name"]), "error.name");
  assert.equal(fieldName(["metadata", "user", "plan"]), "user.plan");
  assert.equal(fieldName(["metadata", "http.status"]), "http.status");
  assert.equal(fieldName(["metadata", "service"]), '"service"');
  assert.equal(fieldName(["metadata", "a b", "c"]), '"a b"."c"');
});

test("what a record holds is found by that name", () => {
  const record = { userId: "alice", error: { name: "E" }, metadata: { user: { plan: "gold" }, "user.plan": "dotted", service: 7, "a b": { c: 0 } } };
  assert.equal(valueIn(record, "user_id"), "alice");
  assert.equal(valueIn(record, "error.name"), "E");
  assert.equal(valueIn(record, "user.plan"), "dotted");
  assert.equal(valueIn(record, '"user"."plan"'), "gold");
  assert.equal(valueIn(record, '"service"'), 7);
  assert.equal(valueIn(record, "service"), undefined);
  assert.equal(valueIn(record, '"a b".c'), 0);
  assert.equal(valueIn(record, "nope.x"), undefined);
});

test("terms are added, turned round and taken away", () => {
  assert.equal(withTerm("", "a:b"), "a:b");
  assert.equal(withTerm("x", "a:b"), "x a:b");
  assert.equal(withTerm("x a:b", "a:b"), "x a:b");
  assert.equal(withTerm("x -a:b y", "a:b"), "x y a:b");
  assert.equal(withTerm("x a:b", "-a:b"), "x -a:b");
  assert.equal(withTerm("x or y", "a:b"), "(x or y) a:b");
  assert.equal(withTerm("(x or y)", "a:b"), "(x or y) a:b");
  assert.equal(withTerm("(x) or (y)", "a:b"), "((x) or (y)) a:b");
  assert.equal(toggled("x a:b y", "a:b"), "x y");
  assert.equal(toggled("x y", "a:b"), "x y a:b");
  assert.equal(withoutTerm("x", "a:b"), "x");
});

test("a term inside of another, or of a phrase, is none", () => {
  assert.equal(hasTerm('"x a:b y" c', "a:b"), false);
  assert.equal(hasTerm("aa:b a:bc -a:b", "a:b"), false);
  assert.equal(hasTerm('n:"x \\" a:b" d', "a:b"), false);
  assert.equal(hasTerm('it\'s a:b', "a:b"), true);
  assert.equal(withoutTerm('n:"two words" x', 'n:"two words"'), "x");
});

test("terms about a field are found in a search", () => {
  assert.deepEqual(termsOf('level:error -user_id:bob user_id:"a b" x user_id:(c or d) "user_id:e"', "user_id"), ["-user_id:bob", 'user_id:"a b"']);
  assert.deepEqual(termsOf("", "level"), []);
});

test("old addresses become searches", () => {
  const of = (text) => searchOf(new URLSearchParams(text));
  assert.equal(of("q=payment+failed&level=error&service=shop"), "payment failed level:error service:shop");
  assert.equal(of("q=10.0.0.1+or&level=warn&level=error&where=a%3E5+b%3D1&trace_id=ab"), '"10.0.0.1" "or" level:(warn or error) a>5 b=1 trace_id:ab');
  assert.equal(of("query=a+or+b&parse_errors=true"), "a or b parse_error:*");
  assert.equal(of("level=debug&level=info&level=warn&level=error"), "");
});

test("words and phrases that are wanted are marked", () => {
  assert.deepEqual(wordsOf('timeout "timed out" -left user_id:alice level>=error message:part* not 決済 a>5 /re/ *'), ["timeout", "timed out", "part*", "決済"]);
  assert.deepEqual(wordsOf('"say \\"hi\\""'), ['say "hi"']);
});

test("what is being written at the caret is completed", () => {
  const at = (text) => pieceAt(text.replace("^", ""), text.indexOf("^"));
  assert.deepEqual(at("x us^ y"), { field: "", text: "us", start: 2 });
  assert.deepEqual(at("(-user_id:al^"), { field: "user_id", text: "al", start: 10 });
  assert.deepEqual(at("user_id:^"), { field: "user_id", text: "", start: 8 });
  assert.deepEqual(at("level>=e^"), { field: "level", text: "e", start: 7 });
  assert.equal(at('"a us^'), null);
});

test("a pipe is one outside of quotes and patterns", () => {
  assert.equal(hasPipe("error | stats count()"), true);
  assert.equal(hasPipe('"a | b" it\'s path:/a|b/'), false);
  assert.equal(hasPipe("it's | top 3 path"), true);
  assert.equal(hasPipe("a\\|b"), false);
});

test("what is written behind a pipe is a command, then what belongs to it", () => {
  assert.deepEqual(stageAt("error | st", 10), { command: "", text: "st", start: 8 });
  assert.deepEqual(stageAt("error |", 7), { command: "", text: "", start: 7 });
  assert.deepEqual(stageAt("a | stats count(), p95(dur", 26), { command: "stats", text: "dur", start: 23 });
  assert.deepEqual(stageAt("a | top 3 x | sort -n", 13), { command: "", text: "", start: 13 });
  assert.equal(stageAt("a | stats", 1), null);
  assert.equal(stageAt('a | extract "x y', 16), null);
  assert.deepEqual(pieceAt("a | where level:er", 18), { field: "level", text: "er", start: 16 });
});

test("the fields of a search are found, and one can be renamed", () => {
  assert.deepEqual(fieldsOf('usr_id:alice level>=error "a b:c d" -path:/health http.status != 5 message:x https://a.b _exists_:c'), ["usr_id", "level", "path"]);
  assert.equal(renamed("usr_id:alice (-usr_id:bob or usr_idx:1) usr_id", "usr_id", "user_id"), "user_id:alice (-user_id:bob or usr_idx:1) usr_id");
});
