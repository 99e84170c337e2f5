"""How sure it is that a text in which an attack was recognised is one: what is recorded need not be refused.

People write about HTML, SQL and files: lessons, code reviews, questions, chats. Such a text holds the same characters
as an attack, within a sentence, or as a statement or a page that is whole. An attack is a value that breaks out of
its place: little else is in it. So what is around the recognised part is counted in words, and each kind has to
show what it is good for. In doubt nothing is refused.
"""

import re
from typing import Final

MOST_WORDS: Final = 2
"""Words of a natural language around an injection or a path that may still be a value."""
MOST_WORDS_OF_PAGE: Final = 3
"""The same around an element of HTML, which may have a text."""
_MAX_TEXT: Final = 2048

_KEYWORDS: Final = frozenset(
    {
        *("select", "from", "where", "union", "all", "order", "by", "group", "having", "limit", "offset", "and"),
        *("or", "not", "null", "like", "between", "in", "is", "as", "on", "join", "into", "values", "insert"),
        *("update", "delete", "set", "drop", "table", "exec", "execute", "if", "then", "else", "end", "case"),
        *("when", "sleep", "benchmark", "waitfor", "delay", "dual", "true", "false", "distinct", "asc", "desc"),
        *("convert", "cast", "int", "char", "varchar", "procedure", "analyse", "database", "schema", "declare"),
    }
)
# A word of letters on its own: code puts brackets, signs and underscores next to it.
_WORD: Final = re.compile(
    r"(?<![\w$@#<>/\\=.&|%({\[`'\"-])[A-Za-z\u00c0-\u024f\u0370-\u06ff\u0900-\u0dff\u1e00-\u1fff]{2,30}+(?![\w$@<>/\\=&|%(){}\[\]`*+-])(?:'[a-z]{1,2})?"
)
# Writing without spaces: two characters for a word.
_DENSE: Final = re.compile(r"[\u0e00-\u0eff\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_ENDS_STATEMENT: Final = re.compile(r"(?:--[\s+-]*|#\s*|/\*\s*|;\s*)$")
_WHOLE_STATEMENT: Final = re.compile(
    r"\s*(?:select|insert|update|delete|create|alter|drop|with|explain|show|grant|merge|--|/\*)\s", re.IGNORECASE
)
_TAG: Final = re.compile(
    r"<script\b[^<]{0,600}(?:<(?!/script)[^<]{0,600}){0,4}</script[^>]{0,20}>|<style\b[^<]{0,600}</style>|<[^<>]{0,600}>?",
    re.IGNORECASE,
)
_TEMPLATE: Final = re.compile(r"\{\{[^{}]{0,200}\}\}")
_HARMFUL: Final = re.compile(
    r"\b(?:alert|confirm|prompt|eval|print|atob|setTimeout|setInterval|import|fetch|Function|require|execScript|msgbox)\s{0,4}[(`\[]"
    r"|\bdocument\b\s{0,4}[.\[]|\b(?:window|self|top|parent|this)\s{0,4}\[|\blocation\b\s{0,4}[.=]|\blocalStorage\b"
    r"|fromCharCode|XMLHttpRequest|sendBeacon|\bnew\s{1,4}Image\b|constructor",
    re.IGNORECASE,
)
_SENDS: Final = re.compile(r"document\s{0,4}\.\s{0,4}cookie|localStorage|sessionStorage", re.IGNORECASE)
_SENT_TO: Final = re.compile(r"\b(?:src|href|fetch|location|open|sendBeacon|XMLHttpRequest|post)\b", re.IGNORECASE)
_PAGE: Final = re.compile(r"\s{0,20}<(?:!doctype|html)\b", re.IGNORECASE)
# What buttons and forms of any page have.
_EVERYDAY: Final = re.compile(
    r"(<(?:a|button|input|form|select|label|div|span|p|h[1-6]|li|td|tr)\b[^<>]{0,200}?)\son(?:click|submit|change|input)\s?=\s?"
    r"(?:\"(?!\s?(?:eval|fetch))[^\"<>]{0,200}\"|'(?!\s?(?:eval|fetch))[^'<>]{0,200}')",
    re.IGNORECASE,
)
_FOREIGN_SOURCE: Final = re.compile(
    r"<\s{0,4}script\b[^>]{0,200}?[\s/\"']src\s{0,4}=\s{0,4}[\"']?(?:https?:|ftp:|data:)?//(?!(?:cdn\.jsdelivr\.net|unpkg\.com"
    r"|cdnjs\.cloudflare\.com|code\.jquery\.com|ajax\.googleapis\.com|www\.googletagmanager\.com|cdn\.tailwindcss\.com"
    r"|www\.youtube\.com|platform\.twitter\.com)/)|\bsrc\s{0,4}=\s{0,4}[\"']?data:",
    re.IGNORECASE,
)
_FRAME: Final = re.compile(
    r"<\s{0,4}(?:iframe|object|embed|frame|base|applet)\b[^>]{0,200}?(?:srcdoc\s{0,4}=|=\s{0,4}[\"']?\s{0,4}(?:javascript:|data:|//))",
    re.IGNORECASE,
)
_BREAKS_OUT: Final = re.compile(r"\s{0,20}[\w.@-]{0,40}[\"'`]\s{0,4}(?:/?>|[;+*|^-]|\s)|\s{0,20}</")
_BARE_HANDLER: Final = re.compile(
    r"<[^<>]{0,100}?[\s/\"']on[a-z]{3,25}\s{0,4}=\s{0,4}[^\s\"'>][^\s>]{0,200}[(`=]", re.IGNORECASE
)
_SCRIPT_URL: Final = re.compile(
    r"j\s?a\s?v\s?a\s?s\s?c\s?r\s?i\s?p\s?t\s?:(?!\s{0,4}(?:void\b|;|//|$|[\"']))", re.IGNORECASE
)
_HIDDEN_URL: Final = re.compile(r"data:text/html", re.IGNORECASE)
_PATH_TARGET: Final = re.compile(
    r"etc[/\\]{1,4}(?:passwd|shadow|sudoers|group|issue|hosts)|proc[/\\]{1,4}(?:self|version|\d)|win\.ini|boot\.ini|system\.ini"
    r"|windows[/\\]{1,4}(?:system32|win)|\.env\b|\.git[/\\]|\.ssh\b|id_rsa|wp-config|web\.config|web-inf|php://|\x00|var[/\\]{1,4}log"
    r"|root[/\\]|winnt",
    re.IGNORECASE,
)
_UP: Final = re.compile(r"\.\.(?:;?[/\\]|\ufffd)")
_FILE: Final = re.compile(
    r"(?:file://)?/?(?:etc/(?:passwd|shadow|sudoers)|proc/self/\w{1,20})\b|php://|.{0,200}\x00",
    re.IGNORECASE | re.DOTALL,
)
_WINDOWS: Final = re.compile(
    r"c:[/\\]{1,4}(?:windows[/\\]{1,4}(?:win\.ini|system\.ini|system32[/\\]{1,4}(?:drivers|config))|boot\.ini)", re.I
)
_NAMES_A_FILE: Final = re.compile(
    r"(?i)\b(?:file(?:_?name)?|path|page|include|doc(?:ument)?|template|dir|folder|root|src|download|load|read|view|lang|locale)$"
)


def words(text: str, *, keywords: bool = False) -> int:
    """How many words of a natural language there are in a text, SQL's ``keywords`` left out unless asked for."""
    text = text[:_MAX_TEXT]
    plain = sum(1 for match in _WORD.finditer(text) if keywords or match[0].lower() not in _KEYWORDS)
    return plain + (len(_DENSE.findall(text)) + 1) // 2


def of_sql(text: str, start: int, end: int) -> bool:
    """Whether a text is an injection of SQL; ``start`` and ``end`` are those of the recognised part."""
    if len(text) > _MAX_TEXT or _WHOLE_STATEMENT.match(text):
        return False
    before, after = text[:start], text[end:]
    if _ENDS_STATEMENT.search(text):  # what follows is the rest of the statement, up to where it is cut off
        return words(before) <= MOST_WORDS and words(after) <= 2 * MOST_WORDS
    if _DENSE.search(after):  # the sentence goes on
        return False
    return words(before) + words(after) <= MOST_WORDS


def of_xss(text: str, *, long: bool = False) -> bool:
    """Whether a text in which script was recognised was made to run it; ``long``: it is part of a longer one."""
    text = text[:_MAX_TEXT]
    rest = _TEMPLATE.sub(" ", _TAG.sub(" ", text))
    outside = words(rest, keywords=True)
    if "<" in text and _SENDS.search(text) and _SENT_TO.search(text):
        return outside <= MOST_WORDS_OF_PAGE + 2
    if outside > MOST_WORDS_OF_PAGE or _PAGE.match(text):
        return False
    if outside and rest.rstrip().endswith(("?", "\uff1f")):
        return False
    if outside == MOST_WORDS_OF_PAGE and words(text.partition("<")[0]) and words(text.rpartition(">")[2]):
        return False  # in the middle of a sentence
    if _FOREIGN_SOURCE.search(text) or _FRAME.search(text) or _HIDDEN_URL.search(text) or _BARE_HANDLER.search(text):
        return True
    if long:
        return False
    breaks_out = _BREAKS_OUT.match(text) is not None
    harmful = _HARMFUL.search(text if breaks_out else _EVERYDAY.sub(r"\1", text)) is not None
    if _SCRIPT_URL.search(text):
        return harmful or "<" in text
    return harmful and (breaks_out or "<" in text or "{{" in text)


def of_path(text: str, where: str) -> bool:
    """Whether a text is a path that leads out of where it should; ``where`` ends in the name of its field."""
    if len(text) > _MAX_TEXT or words(text) > MOST_WORDS or any(mark in text.strip() for mark in " \n`"):
        return False
    stripped = text.strip()
    names_a_file = _NAMES_A_FILE.search(where) is not None
    if "\ufffd" in text and _PATH_TARGET.search(text) is not None:
        return True
    if _UP.search(text) is not None:
        return names_a_file or "..;" in text or "\ufffd" in text or _PATH_TARGET.search(text) is not None
    return (
        _FILE.match(stripped) is not None
        or _WINDOWS.match(stripped) is not None
        or (names_a_file and _PATH_TARGET.search(text) is not None)
    )
