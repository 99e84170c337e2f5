"""The forms in which the values of a variable can be written: ``${name:csv}``, ``${name:regex}``, …

They are those of Grafana (https://grafana.com/docs/grafana/latest/dashboards/variables/variable-syntax/).
"""

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

_REGEX_SIGNS: Final = re.compile(r"[\\^$*+?.()|{}\[\]/]")
_DATE_TOKENS: Final = re.compile(
    r"YYYY|YY|MMMM|MMM|MM|M|DD|D|HH|H|hh|h|mm|m|ss|s|SSS|A|a|dddd|ddd|X|x|\[[^\[\]]{0,40}\]"
)
_UNESCAPED: Final = "!~*'()"


def escape_regex(value: str) -> str:
    """The value as a regular expression that matches it alone."""
    return _REGEX_SIGNS.sub(lambda match: "\\" + match[0], value)


def alternation(values: Sequence[str]) -> str:
    """A regular expression that matches any of the values."""
    escaped = [escape_regex(value) for value in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def _quoted(values: Sequence[str], sign: str, escape: str) -> str:
    return ",".join(sign + value.replace(sign, escape) + sign for value in values)


def _glob(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else "{" + ",".join(values) + "}"


def _lucene(values: Sequence[str]) -> str:
    if len(values) == 1:
        return _lucene_escaped(values[0])
    return "(" + " OR ".join(f'"{_lucene_escaped(value)}"' for value in values) + ")" if values else "__empty__"


def _lucene_escaped(value: str) -> str:
    return re.sub(r'([!*+\-=<>\s&|()\[\]{}^~?:\\/"])', r"\\\1", value)


_FORMATS: Final[dict[str, Callable[[Sequence[str]], str]]] = {
    "raw": ",".join,
    "csv": ",".join,
    "pipe": "|".join,
    "glob": _glob,
    "regex": alternation,
    "json": lambda values: json.dumps(values[0] if len(values) == 1 else list(values), ensure_ascii=False),
    "lucene": _lucene,
    "singlequote": lambda values: _quoted(values, "'", "\\'"),
    "doublequote": lambda values: _quoted(values, '"', '\\"'),
    "sqlstring": lambda values: _quoted(values, "'", "''"),
    "percentencode": lambda values: quote(values[0] if len(values) == 1 else _glob(values), safe=""),
    "uriencode": lambda values: quote(",".join(values), safe=";,/?:@&=+$#" + _UNESCAPED),
}
FORMATS: Final = frozenset({*_FORMATS, "text", "queryparam", "distributed", "date", "join"})
"""The forms by name."""


def formatted(name: str, values: Sequence[str], form: str, text: str = "") -> str | None:
    """The values of the variable ``name`` in a form; None when there is no such form. ``text`` is what people see."""
    kind, _, detail = form.partition(":")
    match kind:
        case "text":
            return text or " + ".join(values)
        case "queryparam":
            return "&".join(f"var-{quote(name, safe='')}={quote(value, safe='')}" for value in values)
        case "distributed":
            return ",".join(value if index == 0 else f"{name}={value}" for index, value in enumerate(values))
        case "join":
            return (detail or ",").join(values)
        case "date":
            return ",".join(_date(value, detail) for value in values)
        case _:
            form_of = _FORMATS.get(kind)
            return None if form_of is None else form_of(values)


def _date(value: str, form: str) -> str:
    """Unix ms as a date in UTC: ``iso`` (the default), ``seconds``, or a pattern such as ``YYYY-MM-DD``."""
    if not value.isdecimal() or len(value) > 15:
        return value
    ms = int(value)
    if form == "seconds":
        return str(ms // 1000)
    clock = datetime.fromtimestamp(ms / 1000, UTC)
    if form in ("", "iso"):
        return clock.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    known = {
        "YYYY": "%Y", "YY": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "DD": "%d", "HH": "%H", "hh": "%I",
        "mm": "%M", "ss": "%S", "A": "%p", "dddd": "%A", "ddd": "%a",
    }  # fmt: skip
    plain = {
        "M": clock.month, "D": clock.day, "H": clock.hour, "h": (clock.hour + 11) % 12 + 1, "m": clock.minute,
        "s": clock.second, "SSS": f"{ms % 1000:03d}", "X": ms // 1000, "x": ms, "a": clock.strftime("%p").lower(),
    }  # fmt: skip

    def one(match: re.Match[str]) -> str:
        token = match[0]
        if token.startswith("["):
            return token[1:-1]
        return clock.strftime(known[token]) if token in known else str(plain[token])

    return _DATE_TOKENS.sub(one, form)
