"""Recognises SQL injection, cross-site scripting and path traversal in a request's path, query and fields.

The rules ask for the shape of an attack, not for words: "select" in a title, an apostrophe in a
name, ``<3`` or a code snippet pass. A request without any character that an attack needs costs one
regular expression search.

Fields of a body may be prose: a description, a comment, an e-mail template. Text of several lines or
more than ``PROSE`` characters is judged more leniently: Markdown code in it is not looked at, SQL only
near its ends, where a value breaks out of a statement, and paths not at all.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from eldonia_telemetry.security import certainty

MAX_LENGTH: Final = 8192
"""Characters of path plus query that are looked at."""
PROSE: Final = 300
"""Characters beyond which a field counts as prose."""
MAX_PROSE: Final = 16_384
_EDGE: Final = 160

# Bytes that at least one rule needs; a percent sign may hide any of them.
_WORTH_A_LOOK: Final = re.compile(rb"[%'\"<;:\\(]|\.\.|--|/(?:etc|proc)/|[+ ](?:or|and|union)[+ ]", re.IGNORECASE)
_SUSPECT: Final = b"%'\"<;:\\(+ "
_SUSPECT_TEXTS: Final = ("..", "--", "/etc/", "/proc/")
"""Whatever it finds holds one of those bytes or of these texts."""

Rules = tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]


def _rules(*given: tuple[str, str]) -> Rules:
    """Each rule is an expression and what a text must hold one of (in lower case) to be worth trying it."""
    return tuple((tuple(hints.split(" ")), re.compile(rule, re.IGNORECASE | re.DOTALL)) for hints, rule in given)


_SQL: Final = _rules(
    # ... UNION [ALL] SELECT column, ... or from; prose has no list right after it
    (
        "union",
        r"(?<![a-z])union[\s(]+(?:all[\s(]+|distinct[\s(]+)?select[\s(]+"
        r"(?:[\w'\"@*.()|]+\s*(?:,|\bfrom\b|--|#)|null\b|\d+\b|@@|char\()",
    ),
    # a condition that is always true, right after a value ends: ' or '1'='1  /  1 or 1=1
    (
        "= like",
        r"(?:['\")]|^\s*-?(?:\d+|0x[\da-f]+)\s)\s*(?:or|and|\|\||&&)(?:\s+|(?=['\"(]))"
        r"\(?(['\"]?)(\w{1,20})\1\s*(?:=|\blike\b)\s*\(?(['\"]?)\2(?!\w)",
    ),
    # ... or never true; nothing but a number and a comparison of numbers: 1 and 1=2
    ("= < >", r"^\s*-?\d+\)*\s+(?:or|and)\s+\(?\d+\s*(?:[<>]=?|<>|!?=)\s*\d+\s*(?:$|--|#)"),
    ("like", r"['\"]\s*(?:or|and)\s+\w{1,40}\s+like\s+['\"]%"),
    ("having", r"['\")\d]\s*having\s+(\w{1,20})\s*=\s*\1\b"),
    # how many columns there are
    ("by", r"['\")\d]\s*(?:order|group)\s+by\s+\d+(?:\s*,\s*\d+)*\s*(?:--|#|;)"),
    ("=", r"['\"]\s*(?:or|and|\|\|)\s*(['\"])\1\s*=\s*\1"),
    ("true false", r"['\"]\s*or\s+(?:true|not\s+false)\b"),
    # a quote, then the rest of the statement is commented away
    ("-- # /*", r"^[^'\"]{0,80}['\"]\s*\)*\s*(?:--(?:\s|$)|#\s*$|/\*)"),
    ("-- # /*", r"['\"]\s*(?:or|and)\s+[^'\"\n]{1,60}(?:--\s|--$|#\s*$|/\*)"),
    # a second statement
    (
        ";",
        r"(?:^|['\")\d])\s*;\s*(?:drop\s+(?:table|database|schema|user|view)|delete\s+from|insert\s+into|update\s+\w+\s+set"
        r"|alter\s+(?:table|user)|create\s+(?:table|user)|truncate\s+table|exec(?:ute)?\s*\(?\s*(?:xp_|sp_|master)"
        r"|shutdown\s*(?:$|;|--|with\b))",
    ),
    # waiting or failing on purpose to learn something
    (
        "sleep benchmark dbms_pipe",
        r"(?:['\")\d]|\bselect\b|\bcase\b)[^;]{0,40}?\b(?:and|or|select|then|;)\s*\(?\s*(?:select\s*)?"
        r"(?:if\s*\([^,]{1,40},\s*)?(?:pg_sleep|sleep|benchmark|dbms_pipe\.receive_message)\s*\(\s*['\"\d]",
    ),
    ("waitfor", r"['\")\d]\s*;?\s*waitfor\s+delay\s+['\"]"),
    ("extractvalue updatexml", r"\b(?:extractvalue|updatexml)\s*\(\s*\w+\s*,\s*concat\s*\("),
    # a question within the question: ' and ascii(substring((select password from ...
    (
        "select",
        r"['\")\d]\s*(?:or|and|\|\||&&|,|=|\+)\s*(?:not\s+)?(?:\w{1,30}(?:\(|\s*=)\s*){0,6}\(?\s*\bselect\b[\s(]+"
        r"(?:\*|\d|@@|null\b|distinct\b|count\s*\(|\w{1,60}\s*(?:,|\(|\bfrom\b))",
    ),
    ("@@", r"\b(?:and|or|select|union)\b.{0,80}?@@(?:global\.|version|hostname|servername|datadir|basedir)"),
    ("analyse", r"['\")\d]\s*procedure\s+analyse\s*\("),
    # reading the catalogue
    (
        "information_schema pg_catalog sqlite_master sys. mysql.user",
        r"\bselect\b.{1,200}?\bfrom\s+(?:information_schema\.|pg_catalog\.|sqlite_master\b|sys\.|mysql\.user\b)",
    ),
    ("outfile dumpfile", r"\binto\s+(?:out|dump)file\s+['\"]"),
)

_XSS: Final = _rules(
    (
        "script",
        r"<\s*script\b(?![^>]{0,200}\btype\s*=\s*[\"']?(?:application/(?:\w+\+)?json|text/(?:template|x-)))"
        r"[^>]{0,200}(?:>|$|\ssrc)",
    ),
    ("<", r"<\s*(?:iframe|object|embed|frame|base|applet)\b[^>]{0,200}\b(?:src|srcdoc|data|href|code)\s*="),
    ("<", r"<[a-z!/](?:[^<>]|<(?![a-z!/])){0,300}?[\s/\"']on[a-z]{3,25}\s*=\s*[\"'`]?\s*[\w(]"),
    # browsers skip tabs and line breaks in a scheme
    (
        "href src action",
        r"\b(?:href|src|action|formaction|xlink:href)\s*=\s*[\"']?\s*"
        r"(?:j\s?a\s?v\s?a|v\s?b)\s?s\s?c\s?r\s?i\s?p\s?t\s?:",
    ),
    (
        "javascript:",
        r"(?:^|[=\"'])\s*javascript:\s*(?:alert|confirm|prompt|eval|fetch|window|document|location|void|top|import)\b",
    ),
    (
        "alert confirm prompt eval",
        r"[\"'`]\s*(?:>|;|(?:[a-z]{1,20}\s){0,3}on[a-z]{4,20}\s*=)\s*[^a-z]{0,10}"
        r"(?:alert|confirm|prompt|eval)\s*[(`]",
    ),
    ("alert confirm prompt eval", r"[\"'][-+*/|&^]{1,2}(?:alert|confirm|prompt|eval)\s*\("),
    (
        "javascript expression",
        r"<\s*(?:img|svg|math|details|video|audio|body|input|style|link|meta)\b[^>]{0,200}"
        r"(?:javascript:|expression\s*\(|url\s*\(\s*[\"']?javascript)",
    ),
    ("data:text/html", r"data:text/html\s*[;,][^\s]{0,60}(?:base64|<script)"),
    ("constructor", r"\bconstructor\s*(?:\.|\[\s*[\"'])\s*constructor\b"),
)

_TRAVERSAL: Final = _rules(
    ("..", r"(?<![\s\"'(`])(?:\.\.[/\\]){2,}"),
    # servlet containers take what follows a semicolon for a parameter, proxies in front of them do not
    ("..;", r"\.\.;[/\\]"),
    # an overlong spelling of the slash (c0 af), which no decoder takes for text
    ("\ufffd", r"\.\.\ufffd{2,3}(?:\.\.|etc|win)"),
    ("..", r"\.\.[/\\]{1,8}(?:etc|proc|root|windows|winnt|boot|var/log|\.env|\.git|\.ssh|wp-config)\b"),
    # a path and nothing else: a sentence may well speak of /etc/hosts
    ("etc/", r"(?:^|[=:/\\])/?(?<![\s\"'(`])/?etc/(?:passwd|shadow|hosts|sudoers)(?=$|[%&#?;:\x00])"),
    ("proc/self", r"(?:^|[=:/])/?(?<![\s\"'(`])/?proc/self/(?:environ|cmdline|fd)(?=$|[%&#?;:/\x00])"),
    ("c:", r"\bc:[/\\]+(?:windows|boot\.ini|winnt)"),
    ("php:", r"\bphp://(?:filter|input)\b"),
    ("\x00", r"\x00"),
)
_CODE: Final = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]{1,400}`", re.DOTALL)
# The same of a decoded text.
_WORTH_READING: Final = re.compile(
    r"['\"<;\\(\x00\uff1c\uff07\uff02]|\.\.|--|/etc/|/proc/|\b(?:php|javascript|data|c):|\b(?:or|and|select)\b|union",
    re.IGNORECASE,
)
# Some databases and templates turn these into the characters that they look like.
_WIDE: Final = re.compile("[\uff1c\uff07\uff02]")
_NARROW: Final = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
# Long runs of them would let the rules try every way to share them out.
_SPACES: Final = re.compile(r"(\s)\s+")
_DOT_SEGMENT: Final = re.compile(r"(?:^|/)\.\.(?:[/\\;]|$)")
_ESCAPE: Final = re.compile(r"%[0-9a-fA-F]{2}")
_DECODINGS: Final = 2
"""How often a decoded text is decoded again: a proxy or a framework behind this may do so once more than it should."""
# Comments in place of spaces, and MySQL's, whose content is executed.
_SQL_COMMENT: Final = re.compile(r"/\*(?!!)[^*]{0,200}(?:\*(?!/)[^*]{0,200}){0,5}\*/|/\*!\d{0,6}|\*/")
# Not those of "<" and ">": a text in which these are escaped is harmless.
_REFERENCE: Final = re.compile(r"&#(?:x0*([0-9a-f]{1,2})|0*(\d{1,3}));?|&(?:tab|newline);", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Detection:
    """What was recognised, where, and the text that matched.

    ``kind`` is sql_injection, xss, path_traversal, scanner, cross_site_request or csrf_token_mismatch. One that is not
    ``certain`` may be a text about such things (:mod:`.certainty`): it is worth a record, and no refusal.
    """

    kind: str
    event_type: str
    severity: str
    where: str
    matched: str
    certain: bool = True


def inspect(path: str, query: bytes, raw_path: bytes = b"") -> Detection | None:
    """Look at a request's path (decoded), raw path and raw query string; a certain finding, else the first, or None."""
    raw = raw_path or path.encode("utf-8", "replace")
    if not _worth_a_look(b"%b?%b" % (raw, query)):
        return None
    first = _parameters(query[:MAX_LENGTH]) if query else None
    if first is not None and first.certain:
        return first
    path = path[:MAX_LENGTH]
    if _DOT_SEGMENT.search(path):  # no client that means well sends one: it has been resolved before
        return Detection("path_traversal", "suspicious_activity", "medium", "path", _excerpt(path))
    found = _look_deep(path, "path")
    return found if first is None or (found is not None and found.certain) else first


def _worth_a_look(request: bytes) -> bool:
    """Most requests are let go here, so this goes without a regular expression as far as it can."""
    if len(request.translate(None, _SUSPECT)) == len(request):
        text = request.decode("latin-1").lower()
        for one in _SUSPECT_TEXTS:  # noqa: SIM110  any() with a generator takes four times as long
            if one in text:
                return True
        return False
    return _WORTH_A_LOOK.search(request) is not None


def inspect_fields(fields: Iterable[tuple[str, str]]) -> Detection | None:
    """Look at the fields of a form or of a JSON document (name, decoded value); a certain finding, else the first."""
    first: Detection | None = None
    for name, value in fields:
        where = f"field {name[:64]}"
        look = _look_in_prose if len(value) > PROSE or "\n" in value else _look_deep
        found = look(value, where)
        if found is not None:
            if found.certain:
                return found
            first = first or found
    return first


def _look_in_prose(text: str, where: str) -> Detection | None:
    if not _WORTH_READING.search(text, 0, MAX_PROSE):
        return None
    text = _SPACES.sub(r"\1", _CODE.sub(" ", text[:MAX_PROSE]))
    first: Detection | None = None
    for edge in (text[:_EDGE], text[-_EDGE:]):
        matched = _match(_SQL, edge, edge.lower())
        if matched is not None:
            first = _sql(matched, where, certain=False)
            break
    text = _dereferenced(text)
    matched = _match(_XSS, text, text.lower())
    if matched is not None:
        around = text[max(0, matched.start() - PROSE) : matched.end() + PROSE]
        found = _xss(matched, where, certain=certainty.of_xss(around, long=True))
        if first is None or found.certain:
            return found
    return first


def _parameters(query: bytes) -> Detection | None:
    first: Detection | None = None
    for part in query.split(b"&"):
        raw_name, _, raw_value = part.partition(b"=")
        name = unquote_plus(raw_name.decode("latin-1"), errors="replace")
        value = unquote_plus(raw_value.decode("latin-1"), errors="replace")
        where = f"query parameter {name[:64]}"
        found = _look_deep(value, where) or _look(name, "query parameter name")
        if found is not None:
            if found.certain:
                return found
            first = first or found
    return first


def _look_deep(text: str, where: str) -> Detection | None:
    """Look at a text, and at what is beneath its escapes."""
    found = _look(text, where)
    for _ in range(_DECODINGS):
        if (found is not None and found.certain) or not _ESCAPE.search(text):
            break
        text = unquote_plus(text)
        beneath = _look(text, where)
        if found is None or (beneath is not None and beneath.certain):
            found = beneath
    return found


def _look(text: str, where: str) -> Detection | None:
    if len(text) < 4 or not _WORTH_READING.search(text):
        return None
    text = _SPACES.sub(r"\1", text)
    found = _look_plain(text, where)
    if (found is None or not found.certain) and _WIDE.search(text):
        narrow = _look_plain(text.translate(_NARROW), where)
        if found is None or (narrow is not None and narrow.certain):
            found = narrow
    return found


def _look_plain(text: str, where: str) -> Detection | None:
    lowered = text.lower()
    first: Detection | None = None
    matched = _match(_SQL, text, lowered)
    if matched is None and "/*" in text:
        bare = _SPACES.sub(r"\1", _SQL_COMMENT.sub(" ", text))
        matched = _match(_SQL, bare, bare.lower())
    if matched is not None:
        first = _sql(matched, where, certain=certainty.of_sql(matched.string, matched.start(), matched.end()))
        if first.certain:
            return first
    if "&" in text:
        text = _dereferenced(text)
        lowered = text.lower()
    matched = _match(_XSS, text, lowered)
    if matched is not None:
        found = _xss(matched, where, certain=certainty.of_xss(text, long="\n" in text))
        if found.certain:
            return found
        first = first or found
    matched = _match(_TRAVERSAL, text, lowered)
    if matched is not None:
        certain, excerpt = certainty.of_path(text, where), _excerpt(matched[0])
        found = Detection("path_traversal", "suspicious_activity", "medium", where, excerpt, certain)
        if first is None or certain:
            return found
    return first


def _sql(matched: re.Match[str], where: str, *, certain: bool) -> Detection:
    return Detection("sql_injection", "sql_injection_attempt", "high", where, _excerpt(matched[0]), certain)


def _xss(matched: re.Match[str], where: str, *, certain: bool) -> Detection:
    return Detection("xss", "xss_attempt", "medium", where, _excerpt(matched[0]), certain)


def _match(rules: Rules, text: str, lowered: str) -> re.Match[str] | None:
    for hints, pattern in rules:
        for hint in hints:
            if hint in lowered:
                match = pattern.search(text)
                if match:
                    return match
                break
    return None


def _dereferenced(text: str) -> str:
    """The text with its character references replaced, as browsers read attributes."""

    def character(match: re.Match[str]) -> str:
        code = int(match[1], 16) if match[1] else int(match[2]) if match[2] else 9
        return match[0] if chr(code) in "<>" else chr(code)

    return _REFERENCE.sub(character, text) if "&" in text else text


def _excerpt(text: str) -> str:
    return text if len(text) <= 200 else text[:200] + "…"
