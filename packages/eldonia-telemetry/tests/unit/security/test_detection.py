from urllib.parse import quote, quote_plus

import pytest

from eldonia_telemetry.security.detection import inspect

SQL = [
    "' OR '1'='1",
    "' or 1=1--",
    '" OR ""="',
    "1 OR 1=1",
    "admin'--",
    "admin' #",
    "') OR ('a'='a",
    "x' UNION SELECT email, password FROM accounts--",
    "-1 union all select null,null,version()",
    "1; DROP TABLE orders--",
    "'; DELETE FROM users WHERE 1=1; --",
    "1' AND SLEEP(5)--",
    "music' AND pg_sleep(5)--",
    "1'; WAITFOR DELAY '0:0:5'--",
    "1 AND extractvalue(1,concat(0x7e,version()))",
    "x' OR TRUE --",
    "1 AND (SELECT 1 FROM information_schema.tables)=1",
    "' or '1'='1' /*",
    "1' && '1'='1",
]
XSS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js>",
    '"><img src=x onerror=alert(1)>',
    "<svg/onload=alert(1)>",
    "<body onload = 'x()'>",
    '<a href="javascript:alert(1)">x</a>',
    "javascript:alert(document.cookie)",
    "<iframe src=//evil.example>",
    "';alert(1)//",
    "data:text/html;base64,PHNjcmlwdD4=",
]
TRAVERSAL = [
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/shadow",
    "....//....//etc/passwd",
    "c:\\windows\\system32",
    "php://filter/convert.base64-encode/resource=index",
    "file.png\x00.php",
    "/proc/self/environ",
]
HARMLESS = [
    "cat",
    "O'Hara & Sons",
    "rock 'n' roll",
    "it's a dog's life",
    "Dungeons & Dragons or Warhammer",
    "the select few from the union",
    "Credit Union select services",
    "student union selects new leader",
    "drop table lamp",
    "1 or 2 = fine?",
    "tom and jerry",
    "'90s and '80s",
    "5' or 6' tall",
    "C# -- a beginner's guide",
    "love <3 you",
    "a < b and c > d",
    "<b>bold</b> move",
    "x <- y; z",
    "time.sleep(1)",
    "on sale = 50%",
    "SELECT * FROM works WHERE id = 3",
    "how to prevent javascript errors",
    "alert (emergency) system",
    "../relative.html",
    "etc. and so on",
    "木漏れ日の中で「猫」が寝ている；夏",
    "お得なセール：50%オフ！--期間限定--",
    "Dear {{name}}, <p>your order #12 has shipped;</p>",
    "if (a || b) { return 'x'; }",
    "50% off; free shipping",
    'He said "or else" and left',
    "user@example.com; other@example.com",
    "https://example.com/a?b=c&d=e",
    "100' OR so",
    "Romeo and Juliet",
    "and 1=1 is not 2",
    "union of selected works",
    "don't; won't; can't",
    "math: 2+2=4 and 3=3",
    "key='value'",
    "conclusion",
    "script writing <basics>",
]


def query(value: str) -> bytes:
    return f"page=2&q={quote_plus(value)}".encode()


@pytest.mark.parametrize(
    ("value", "kind"),
    [*((v, "sql_injection") for v in SQL), *((v, "xss") for v in XSS), *((v, "path_traversal") for v in TRAVERSAL)],
)
def test_attacks_are_recognised_however_encoded(value, kind):
    for encoded in (query(value), b"q=" + quote(quote(value, safe=""), safe="").encode()):
        found = inspect("/works/search", encoded)
        assert found is not None, (value, encoded)
        assert found.kind == kind
        assert found.where.startswith("query parameter q")


@pytest.mark.parametrize("value", HARMLESS)
def test_ordinary_text_passes(value):
    assert inspect("/works/search", query(value)) is None


def test_paths():
    assert inspect("/works/12", b"") is None
    assert inspect("/files/report..final.pdf", b"") is None
    assert inspect("/作品/夏", b"", quote("/作品/夏").encode()) is None
    assert inspect("/static/../../etc/passwd", b"").kind == "path_traversal"
    assert inspect("/static/..%2f..%2fetc/passwd", b"").kind == "path_traversal"
    assert inspect("/works/1' or '1'='1", b"", b"/works/1%27%20or%20%271%27=%271").kind == "sql_injection"


def test_findings_use_the_platforms_types():
    assert inspect("/", query(SQL[0])).event_type == "sql_injection_attempt"
    assert inspect("/", query(XSS[0])).event_type == "xss_attempt"
    assert inspect("/", query(TRAVERSAL[0])).event_type == "suspicious_activity"


def test_a_long_query_takes_no_long_time():
    import time

    for hostile in (b"q=" + b"'" * 100_000, b"q=" + b"%3c" * 50_000, b"q=" + b"or+" * 30_000 + b"'", b"../" * 30_000):
        began = time.process_time()  # what others do on this machine does not count
        inspect("/", hostile)
        assert time.process_time() - began < 0.25
