"""Ruby's regular expressions, as ``fluent.conf`` has them, on RE2.

``/…/imx`` or the pattern alone. Ruby's ``^`` and ``$`` are ends of lines, ``.`` takes a newline with ``m`` only, names
are written ``(?<name>…)``, and groups without a name do not capture where there are named ones. What RE2 lacks because
it takes more than linear time (looking ahead or behind, references back) is refused with its name. Possessive and
atomic groups become plain ones: they find the same texts, or more.
https://docs.ruby-lang.org/en/3.4/Regexp.html, https://github.com/google/re2/wiki/Syntax
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import re2

MAX_PATTERN: Final = 32_768
_MEMORY: Final = 64 << 20
_LITERAL: Final = re.compile(r"/(.*)/([imxounse]*)", re.DOTALL)
_NAME: Final = re.compile(r"\(\?P?<([A-Za-z_][^>]{0,255})>|\(\?'([A-Za-z_][^']{0,255})'")
_REFUSED: Final = (
    ("(?=", "looking ahead (?=…)"),
    ("(?!", "looking ahead (?!…)"),
    ("(?<=", "looking behind (?<=…)"),
    ("(?<!", "looking behind (?<!…)"),
    ("(?~", "an absence operator (?~…)"),
    ("(?(", "a condition (?(…)…)"),
)
_FLAGS: Final = re.compile(r"\(\?([imx]*)(?:-([imx]*))?([:)])")


class RubyRegexp:
    """A compiled expression. With ``captures`` groups without a name capture as well, where none has a name.

    Raises:
        ValueError: it is wrong, or needs what RE2 does not have. The message says which.
    """

    def __init__(self, written: str, *, captures: bool = False) -> None:
        source, flags = _parts(written)
        if len(source) > MAX_PATTERN:
            raise ValueError(f"the pattern is longer than {MAX_PATTERN} characters")
        text, self._names = translate(source, extended="x" in flags, captures=captures)
        options = re2.Options()
        options.log_errors = False
        options.max_mem = _MEMORY
        prefix = "(?m" + ("i" if "i" in flags else "") + ("s" if "m" in flags else "") + ")"
        try:
            self._pattern = re2.compile(prefix + text, options)
        except re2.error as error:
            raise ValueError(_words(error)) from None
        self.names: tuple[str, ...] = tuple(dict.fromkeys(self._names))

    def matches(self, text: str) -> bool:
        """Whether it matches anywhere."""
        return self._pattern.search(_encoded(text)) is not None

    def split(self, text: str) -> list[str]:
        """The parts of a text between matches."""
        return self._pattern.split(text)

    def fields(self, text: str) -> dict[str, str] | None:
        """What the named groups took, without those that took no part; None when it does not match. Of a name that is
        there twice the last one that took part counts."""
        # In bytes: for texts the library would first count the characters before each group.
        match = self._pattern.search(_encoded(text))
        return None if match is None else self._taken(match)

    def fields_and_rest(self, text: str) -> tuple[dict[str, str], str] | None:
        """:meth:`fields`, and what follows the place where it matches."""
        data = _encoded(text)
        match = self._pattern.search(data)
        return None if match is None else (self._taken(match), data[match.end() :].decode())

    def _taken(self, match: Any) -> dict[str, str]:
        return {
            name: value.decode() for name, value in zip(self._names, match.groups(), strict=True) if value is not None
        }


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _parts(written: str) -> tuple[str, str]:
    literal = _LITERAL.fullmatch(written.strip())
    return (literal[1], literal[2]) if literal is not None else (written, "")


def translate(source: str, *, extended: bool = False, captures: bool = False) -> tuple[str, tuple[str, ...]]:
    """The pattern for RE2, and the names of its groups in order; every named group captures, no other does.

    Raises:
        ValueError: it needs what RE2 does not have.
    """
    out: list[str] = []
    names: list[str] = []
    plain = "(" if captures and _NAME.search(source) is None else "(?:"
    at, end = 0, len(source)
    while at < end:
        char = source[at]
        if char == "\\":
            piece, at = _escape(source, at)
            out.append(piece)
        elif char == "[":
            piece, at = _class(source, at)
            out.append(piece)
        elif char == "(":
            piece, at = _group(source, at, names, plain)
            out.append(piece)
        elif extended and char.isspace():
            at += 1
        elif extended and char == "#":
            newline = source.find("\n", at)
            at = end if newline < 0 else newline
        elif char == "+" and out and source[at - 1] in "*+?}" and not _escaped(source, at - 1):
            at += 1  # possessive
        else:
            out.append(char)
            at += 1
    return "".join(out), tuple(names)


def _escaped(source: str, at: int) -> bool:
    slashes = 0
    while at - slashes - 1 >= 0 and source[at - slashes - 1] == "\\":
        slashes += 1
    return slashes % 2 == 1


_ESCAPES: Final[Mapping[str, str]] = {
    "h": "[0-9A-Fa-f]",
    "H": "[^0-9A-Fa-f]",
    "Z": r"(?:\n?\z)",
    "R": r"(?:\r\n|[\n\v\f\r])",
    "e": r"\x1b",
    "G": r"\A",
    "/": "/",
    '"': '"',
    "'": "'",
    " ": " ",
    "#": "#",
    "<": "<",
    ">": ">",
    "=": "=",
    "!": "!",
    ":": ":",
    ",": ",",
    ";": ";",
    "@": "@",
    "%": "%",
    "&": "&",
    "~": "~",
    "`": "`",
    "_": "_",
}


def _escape(source: str, at: int) -> tuple[str, int]:
    following = source[at + 1 : at + 2]
    if not following:
        raise ValueError("the pattern ends with a backslash")
    if following.isdigit() and following != "0":
        raise ValueError(f"references back (\\{following}) are not supported: they take more than linear time")
    if following in ("k", "g", "K"):
        raise ValueError(f"\\{following} is not supported: it takes more than linear time")
    if following == "u" and re.fullmatch("[0-9A-Fa-f]{4}", source[at + 2 : at + 6]):
        return f"\\x{{{source[at + 2 : at + 6]}}}", at + 6
    if following in _ESCAPES:
        return _ESCAPES[following], at + 2
    if not following.isascii():
        return following, at + 2
    return source[at : at + 2], at + 2


def _class(source: str, at: int) -> tuple[str, int]:
    out = ["["]
    at += 1
    if source[at : at + 1] == "^":
        out.append("^")
        at += 1
    first = True
    while at < len(source):
        char = source[at]
        if char == "]" and not first:
            return "".join(out) + "]", at + 1
        if char == "\\":
            following = source[at + 1 : at + 2]
            if following == "h":
                out.append("0-9A-Fa-f")
            elif following in _ESCAPES and following not in "HZRG":
                out.append(_ESCAPES[following] if following != "e" else r"\x1b")
            elif following == "u" and re.fullmatch("[0-9A-Fa-f]{4}", source[at + 2 : at + 6]):
                out.append(f"\\x{{{source[at + 2 : at + 6]}}}")
                at += 4
            else:
                out.append(source[at : at + 2])
            at += 2
        elif source.startswith("[:", at) and (close := source.find(":]", at)) > 0:
            out.append(source[at : close + 2])
            at = close + 2
        elif char == "[":
            out.append("\\[")
            at += 1
        elif source.startswith("&&", at):
            raise ValueError("[…&&…] is not supported: write the characters themselves")
        else:
            out.append(char)
            at += 1
        first = False
    raise ValueError("a [ has no ]")


def _group(source: str, at: int, names: list[str], plain: str) -> tuple[str, int]:
    if match := _NAME.match(source, at):
        names.append(match[1] or match[2])
        return "(", match.end()
    for start, what in _REFUSED:
        if source.startswith(start, at):
            raise ValueError(f"{what} is not supported: it takes more than linear time")
    if source.startswith("(?>", at):
        return "(?:", at + 3
    if source.startswith("(?#", at):
        close = source.find(")", at)
        if close < 0:
            raise ValueError("a (?# has no )")
        return "", close + 1
    if flags := _FLAGS.match(source, at):
        # Ruby's m is what RE2 calls s.
        on, off = (flags[1] or "").replace("m", "s"), (flags[2] or "").replace("m", "s")
        if "x" in on:
            raise ValueError("(?x) inside of a pattern is not supported: write /…/x")
        off = off.replace("x", "")
        inside = on + (f"-{off}" if off else "")
        if flags[3] == ")":
            return (f"(?{inside})" if inside else ""), flags.end()
        return f"(?{inside}:" if inside else "(?:", flags.end()
    if source.startswith("(?", at):
        return source[at : at + 2], at + 2
    return plain, at + 1


def _words(error: Exception) -> str:
    text = error.args[0] if error.args else str(error)
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
