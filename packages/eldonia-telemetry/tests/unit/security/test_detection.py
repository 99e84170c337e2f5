from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eldonia_telemetry.security import detection
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
    # without spaces, with comments for spaces, with parentheses for spaces
    "'or'1'='1",
    "1'and'1'='1",
    "1/**/UNION/**/SELECT/**/1,2,3",
    "1'/*!50000union*//*!50000select*/1,2",
    "1 union(select(1),2,3)",
    "1e0union select 1,2",
    # conditions that need no equals sign, or are never true
    "' OR 'a' LIKE 'a",
    "x' OR full_name LIKE '%Bob%",
    "1 OR 2>1",
    "1 AND 1=2",
    "0x31 or 1=1",
    "' HAVING 1=1--",
    "1' ORDER BY 10--",
    "1 ORDER BY 5--",
    # reading a character at a time, and through errors
    "' AND ASCII(SUBSTRING((SELECT password FROM users LIMIT 1),1,1))>64--",
    "' AND 1=(SELECT 1 FROM dual)--",
    "'||(select 1)||'",
    "1 and if(1=1,sleep(5),0)",
    "1 AND 1=CONVERT(int,@@version)",
    "1' procedure analyse()--",
    "; insert into users values(1)",
    "' ; shutdown --",
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
    '" autofocus onfocus=alert(1) x="',
    "'-alert(1)-'",
    '<a href="jav&#x09;ascript:alert(1)">x</a>',
    '<a href="java\tscript:alert(1)">x</a>',
    '<a href="&#106;avascript:alert(1)">x</a>',
    '<img src="x" onerror="&#97;lert(1)">',
    "{{constructor.constructor('alert(1)')()}}",
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
    "4 and 5 (select one from the list)",
    "please deliver 12 order by 5 pm",
    "the 'big' order by 5 pm",
    "-----BEGIN CERTIFICATE----- up to '-----END",
    'the "-----" below',
    "see `--eval` or `--print`",
    "&lt;script&gt; is how it is written",
    "a script &#60;script&#62; shown as text",
    "the object's constructor. constructors are called once",
    "3 or 4 < 5?",
    "'nightly'; shutdown at 5",
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


def test_slashes_in_spellings_that_only_servers_behind_this_may_know():
    assert inspect("/", b"f=..%c0%af..%c0%afetc/passwd").kind == "path_traversal"
    assert inspect("/..;/manager/html", b"").kind == "path_traversal"
    assert inspect("/", b"f=%25252e%25252e%25252fetc%25252fpasswd").kind == "path_traversal"


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


@given(st.binary(max_size=40) | st.text("aeort/.-+ pcETCPROunid?=", max_size=40).map(str.encode))
@example(b"/a/ETC/passwd")
@example(b"/works/7?page=2&sort=new")
def test_the_quick_look_lets_go_what_no_rule_needs(request_line):
    found = detection._WORTH_A_LOOK.search(request_line) is not None
    assert detection._worth_a_look(request_line) == found
