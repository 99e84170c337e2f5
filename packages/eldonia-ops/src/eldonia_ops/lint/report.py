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
_MOST_LINES_ABOVE: Final = 500
_SECRET_VALUE: Final = re.compile(
    r"(?P<key>[\w-]*(?:password|passwd|secret|token|_key|credential|dsn|api_url|webhook|authorization)[\w-]*['\"]?\s*:\s*+)"
    r"(?P<value>(?!\s*$|[{\[|>]|['\"]?\$\{\w+\}['\"]?(?:[\s,}]|$)).+)",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(_SECRET_VALUE.pattern.replace("api_url|webhook", "api_url|webhook|url"), re.IGNORECASE)
"""The same, and any URL: that of a webhook is all that guards it."""
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
    return _formatted(diagnostic, text.splitlines() if text else [])


def _formatted(diagnostic: Diagnostic, lines: Sequence[str], mask: Mask | None = None) -> str:
    first = _CONTROL.sub("\ufffd", str(diagnostic))
    if not 0 < diagnostic.line <= len(lines):
        return first
    raw = lines[diagnostic.line - 1]
    visible = raw if mask is None else mask.line(diagnostic.line, raw)
    shown = _CONTROL.sub("\ufffd", _masked(visible, "webhook" in raw or _is_below_webhook(lines, diagnostic.line - 1)))
    number = f"{diagnostic.line:>5} | "
    if len(shown) > _LONGEST_LINE:
        shown = shown[: _LONGEST_LINE - 1] + "…"
    result = f"{first}\n{number}{shown}"
    before = raw[: diagnostic.column - 1]
    if not shown.startswith(before):  # a mask in front of the place moves it
        same = takewhile(lambda pair: pair[0] == pair[1], zip(before, shown, strict=False))
        before = "".join(char for char, _ in same)
    if 0 < diagnostic.column <= len(raw) + 1:
        result += f"\n{' ' * (len(number) - 2)}| {_blank(before)}^"
    return result


def _masked(line: str, is_webhook: bool) -> str:
    pattern = _ADDRESS if is_webhook else _SECRET_VALUE
    line = pattern.sub(lambda match: f"{match['key']}<secret>", line)
    return _QUERY.sub(r"\1<secret>", _USERINFO.sub(r"\1***\2", line))


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
    """How far a line is indented. A list may stand as far left as the key that it belongs to: it counts as deeper."""
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
    texts = {file: (source(file) or "") if file else "" for file in places}
    lines = {file: text.splitlines() for file, text in texts.items()}
    masks = {
        file: Mask(text, places[file])
        for file, text in texts.items()
        if text and kind_of(file, text) not in (FileKind.RULES, FileKind.TEMPLATE)
    }
    parts = [_formatted(item, lines[item.file], masks.get(item.file)) for item in diagnostics]
    errors = sum(item.level is Level.ERROR for item in diagnostics)
    warnings = len(diagnostics) - errors
    counts = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((errors, "error"), (warnings, "warning"))
        if count
    ]
    return "\n".join([*parts, ", ".join(counts) or "no faults found"])
