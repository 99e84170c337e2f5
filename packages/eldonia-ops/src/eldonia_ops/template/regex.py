"""Regular expressions as Go's regexp package applies them: RE2, linear in time."""

import re as _python_re
from typing import Any

import re2

from eldonia_ops.template.text_limit import MAX_TEXT, TextParts, TextTooLongError

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_REFERENCE = _python_re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))")


def compile_pattern(pattern: str) -> Any:
    """An RE2 pattern over UTF-8 bytes.

    Raises:
        ValueError: it is not one.
    """
    try:
        return re2.compile(pattern.encode("utf-8", "surrogatepass"), _OPTIONS)
    except re2.error as error:
        detail = error.args[0] if error.args else error
        text = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        raise ValueError(f"bad regular expression {pattern!r}: {text}") from None


def search(pattern: str, text: str) -> bool:
    """Go's regexp.MatchString: whether the pattern is found anywhere.

    Raises:
        ValueError: the pattern is malformed.
    """
    return compile_pattern(pattern).search(text.encode("utf-8", "surrogatepass")) is not None


def replace_all(pattern: str, replacement: str, text: str) -> str:
    """Go's regexp.ReplaceAllString; ``$1``, ``${1}`` and ``${name}`` refer to groups, ``$$`` is a dollar.

    Raises:
        ValueError: the pattern is malformed, or the text would be too long.
    """
    compiled = compile_pattern(pattern)
    source = text.encode("utf-8", "surrogatepass")
    out = bytearray()
    copied = at = 0
    while at <= len(source):
        match = compiled.search(source, at)
        if match is None:
            break
        start, end = match.span()
        # An empty match right after the previous match does not count.
        if end > copied or start == 0 or (start == end and start > copied):
            out += source[copied:start]
            out += _expand(replacement, match).encode("utf-8", "surrogatepass")
            copied = end
            if len(out) > MAX_TEXT:
                raise TextTooLongError
        at = end if end > at else _next_character(source, at)
    out += source[copied:]
    return out.decode("utf-8", "replace")


def _next_character(source: bytes, at: int) -> int:
    at += 1
    while at < len(source) and source[at] & 0xC0 == 0x80:
        at += 1
    return at


def _expand(replacement: str, match: Any) -> str:
    out = TextParts()
    copied = 0
    for reference in _REFERENCE.finditer(replacement):
        out.append(replacement[copied : reference.start()])
        out.append(_group(reference, match))
        copied = reference.end()
    out.append(replacement[copied:])
    return str(out)


def _group(reference: _python_re.Match[str], match: Any) -> str:
    name = reference.group(1) or reference.group(2)
    if name is None:
        return "$"
    try:
        found = match.group(int(name) if name.isdigit() else name)
    except (IndexError, KeyError):
        return ""
    return found.decode("utf-8", "replace") if found else ""
