"""Diagnostics for people: one line each, then the line of the file with a caret below the place."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Final

from eldonia_ops.lint.kinds import FileKind, kind_of
from eldonia_ops.lint.masking import Mask
from eldonia_ops.model.errors import Diagnostic, Level

_LONGEST_LINE: Final = 160
_LONGEST_READ: Final = 1_024
"""What is looked at of a line: more than is shown, since masks make it shorter."""
_MOST_LINES_ABOVE: Final = 500
_SECRET_VALUE: Final = re.compile(
    r"(?P<key>[\w-]{0,64}(?:password|passwd|secret|token|_key|credential|dsn|api_url|webhook|authorization)[\w-]{0,64}+['\"]?\s*+:\s*+)"
    r"(?P<value>(?!\s*$|[{\[|>]|['\"]?\$\{\w+\}['\"]?(?:[\s,}]|$)).+)",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(_SECRET_VALUE.pattern.replace("api_url|webhook", "api_url|webhook|url"), re.IGNORECASE)
"""The same, and any URL: that of a webhook is all that guards it."""
_ASSIGNED: Final = re.compile(
    r"((?:password|passwd|secret|token|api_?key|credential|authorization)['\"]?"
    r"\s{0,9}[=:]\s{0,9}(?:bearer |basic )?)\S+",
    re.IGNORECASE,
)
_QUERY: Final = re.compile(r"(://[^\s?'\",}]*\?)[^\s'\",}]+")
_USERINFO: Final = re.compile(r"(://[^\s/:@'\"]*:)[^\s/@'\"]+(@)")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def format_diagnostic(diagnostic: Diagnostic, text: str | None = None) -> str:
    """``file:line:column: error: message (hint)``, and below it the line in question if its text is known.

    Values of keys that hold secrets are masked in that line.
    """
    return _Excerpts(text or "").below(diagnostic)


_NOTHING_SHOWN = "<secret>"


class _Excerpts:
    """The lines of one file as they are shown; each is masked once, however many diagnostics are about it."""

    def __init__(self, text: str, mask: Mask | None = None) -> None:
        self._lines = [line if len(line) <= _LONGEST_READ else _cut(line) for line in text.splitlines()]
        self._mask = mask
        self._shown: dict[int, str] = {}

    def below(self, diagnostic: Diagnostic) -> str:
        """A diagnostic with its line and a caret below the place."""
        first = _CONTROL.sub("\ufffd", str(diagnostic))
        if not 0 < diagnostic.line <= len(self._lines):
            return first
        raw, shown = self._lines[diagnostic.line - 1], self._line(diagnostic.line)
        if shown.strip() == _NOTHING_SHOWN:
            return first  # a file of which it is not known where secrets may be
        number = f"{diagnostic.line:>5} | "
        result = f"{first}\n{number}{shown}"
        before = raw[: diagnostic.column - 1]
        if not shown.startswith(before):  # a mask in front of the place moves it
            same = takewhile(lambda pair: pair[0] == pair[1], zip(before, shown, strict=False))
            before = "".join(char for char, _ in same)
        if 0 < diagnostic.column <= len(raw) + 1:
            result += f"\n{' ' * (len(number) - 2)}| {_blank(before)}^"
        return result

    def _line(self, number: int) -> str:
        known = self._shown.get(number)
        if known is not None:
            return known
        raw = self._lines[number - 1]
        visible = raw if self._mask is None else self._mask.line(number, raw)
        is_webhook = "webhook" in raw or _is_below_webhook(self._lines, number - 1)
        shown = _CONTROL.sub("\ufffd", _masked(visible, is_webhook))
        if len(shown) > _LONGEST_LINE:
            shown = shown[: _LONGEST_LINE - 1] + "…"
        self._shown[number] = shown
        return shown


def _cut(line: str) -> str:
    """The beginning of a line. It ends before a word, since half an address does not show that it holds a password."""
    start, space, _ = line[:_LONGEST_READ].rpartition(" ")
    return f"{start}{space}…"


def _masked(line: str, is_webhook: bool) -> str:
    pattern = _ADDRESS if is_webhook else _SECRET_VALUE
    line = pattern.sub(lambda match: f"{match['key']}<secret>", line)
    return _QUERY.sub(r"\1<secret>", _USERINFO.sub(r"\1***\2", line))


def masked_text(text: str) -> str:
    """A text without passwords in URLs and without what follows their question marks. JSON stays JSON."""
    return _QUERY.sub(r"\1<secret>", _USERINFO.sub(r"\1***\2", text))


def masked_line(line: str) -> str:
    """The same of a line of a log, and without all that follows a word such as ``password:`` or ``token=``."""
    return _masked(_ASSIGNED.sub(r"\1<secret>", line), False)


def _is_below_webhook(lines: Sequence[str], index: int) -> bool:
    """Whether a line of YAML's block style belongs to a key that speaks of a webhook."""
    depth = _depth(lines[index])
    for place in range(index - 1, max(-1, index - 1 - _MOST_LINES_ABOVE), -1):
        line = lines[place]
        above = _depth(line)
        if not depth:
            break
        if above < depth and line.strip() and not line.lstrip().startswith("#"):
            if "webhook" in line:
                return True
            depth = above
    return False


def _depth(line: str) -> float:
    """The indentation of a line. A list may be indented as little as its key: it counts as deeper."""
    content = line.lstrip(" ")
    return len(line) - len(content) + (0.5 if content.startswith("-") else 0.0)


def _blank(text: str) -> str:
    """White space as wide as a text is in a terminal: wide characters take two cells, tabs stay."""
    cells: list[str] = []
    for char in text:
        if char == "\t":
            cells.append("\t")
        elif not unicodedata.combining(char):
            cells.append("  " if unicodedata.east_asian_width(char) in "WF" else " ")
    return "".join(cells)


def format_report(diagnostics: Sequence[Diagnostic], source: Callable[[str], str | None] = _read) -> str:
    """Every diagnostic with its source line, and the sum. ``source`` gives the text of a file."""
    places: dict[str, set[tuple[int, int]]] = {}
    for item in diagnostics:
        places.setdefault(item.file, set()).add((item.line, item.column))
    excerpts: dict[str, _Excerpts] = {}
    for file, about in places.items():
        text = (source(file) or "") if file else ""
        is_masked = bool(text) and kind_of(file, text) not in (FileKind.RULES, FileKind.TEMPLATE)
        excerpts[file] = _Excerpts(text, Mask(text, about) if is_masked else None)
    parts = [excerpts[item.file].below(item) for item in diagnostics]
    errors = sum(item.level is Level.ERROR for item in diagnostics)
    warnings = len(diagnostics) - errors
    counts = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((errors, "error"), (warnings, "warning"))
        if count
    ]
    return "\n".join([*parts, ", ".join(counts) or "no faults found"])
