"""Text to tokens.

Words are not split into identifiers and keywords here: in PromQL a keyword may also be a metric
or label name, and only the parser knows which is meant.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from eldonia_ops.promql.errors import ParseError


class Kind(Enum):
    """What a token is."""

    WORD = "identifier"
    NUMBER = "number"
    DURATION = "duration"
    STRING = "string"
    OPERATOR = "operator"
    END = "end of input"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the query. ``text`` is as written (for strings: the unquoted value)."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """The lower-cased text of a word, the form in which keywords are compared; else empty."""
        return self.text.lower() if self.kind is Kind.WORD else ""

    def describe(self) -> str:
        """How messages name the token."""
        if self.kind is Kind.END:
            return "end of input"
        if self.kind is Kind.OPERATOR:
            return f'"{self.text}"'
        return f'{self.kind.value} "{self.text}"'


_SPACE: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)+")
_WORD: Final = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_DURATION: Final = re.compile(r"(?:[0-9]+(?:ms|[smhdwy]))+(?![A-Za-z0-9_.])")
_NUMBER: Final = re.compile(r"0[xX][0-9A-Fa-f]+|(?:[0-9][0-9_]*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_OPERATOR: Final = re.compile(r"==|!=|=~|!~|<=|>=|[-+*/%^<>=(){}\[\],:@]")
_ESCAPES: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}


def tokenize(query: str) -> list[Token]:
    """Split a query into tokens, the last of which has kind ``END``.

    Inside square brackets a colon separates a subquery's range from its step and never belongs to a word.

    Raises:
        ParseError: an unterminated string, a bad escape, a malformed number or a stray character.
    """
    tokens: list[Token] = []
    position, brackets = 0, 0
    while True:
        if space := _SPACE.match(query, position):
            position = space.end()
        if position >= len(query):
            tokens.append(Token(Kind.END, "", len(query), len(query)))
            return tokens
        char = query[position]
        if char in "\"'`":
            token = _string(query, position)
        elif char.isascii() and (char.isdigit() or (char == "." and query[position + 1 : position + 2].isdigit())):
            token = _number(query, position)
        elif brackets and char == ":":
            token = Token(Kind.OPERATOR, ":", position, position + 1)
        elif match := _WORD.match(query, position):
            text = match.group()
            if brackets and ":" in text:
                text = text[: text.index(":")]
            token = Token(Kind.WORD, text, position, position + len(text))
        elif match := _OPERATOR.match(query, position):
            token = Token(Kind.OPERATOR, match.group(), position, match.end())
            brackets += {"[": 1, "]": -1}.get(token.text, 0)
            brackets = max(brackets, 0)
        else:
            raise ParseError(f"unexpected character: {char!r}", query, position)
        tokens.append(token)
        position = token.end


def _number(query: str, position: int) -> Token:
    if match := _DURATION.match(query, position):
        return Token(Kind.DURATION, match.group(), position, match.end())
    match = _NUMBER.match(query, position)
    end = match.end() if match else position + 1
    following = query[end : end + 1]
    if match is None or following.isalnum() or following in ("_", "."):
        tail = re.match(r"[A-Za-z0-9_.]*", query[position:])
        text = tail.group() if tail else query[position:end]
        raise ParseError(f'bad number or duration syntax: "{text}"', query, position, position + len(text))
    return Token(Kind.NUMBER, match.group(), position, end)


def _string(query: str, start: int) -> Token:
    quote = query[start]
    position = start + 1
    if quote == "`":
        end = query.find("`", position)
        if end < 0:
            raise ParseError("unterminated raw string", query, start, len(query))
        return Token(Kind.STRING, query[position:end], start, end + 1)
    plain: list[str] = []
    raw = bytearray()

    def flush() -> None:
        # \x and octal escapes write bytes, which together must be UTF-8; what is not stays a surrogate.
        if raw:
            plain.append(raw.decode("utf-8", "surrogateescape"))
            raw.clear()

    while True:
        char = query[position : position + 1]
        if char in ("", "\n"):
            raise ParseError("unterminated quoted string", query, start, position)
        if char == quote:
            flush()
            return Token(Kind.STRING, "".join(plain), start, position + 1)
        if char != "\\":
            flush()
            plain.append(char)
            position += 1
            continue
        escape = query[position + 1 : position + 2]
        if escape in _ESCAPES or escape == quote:
            flush()
            plain.append(_ESCAPES.get(escape, escape))
            position += 2
            continue
        length, base, skip = {"x": (2, 16, 2), "u": (4, 16, 2), "U": (8, 16, 2)}.get(escape, (3, 8, 1))
        digits = query[position + skip : position + skip + length]
        try:
            code = int(digits, base) if len(digits) == length and digits.isalnum() else -1
            if escape in ("u", "U"):
                if 0xD800 <= code < 0xE000:
                    raise ValueError("half of a character")
                flush()
                plain.append(chr(code))
            else:
                raw.append(code)
        except (ValueError, OverflowError):
            raise ParseError("unknown or incomplete escape sequence", query, position, position + 2) from None
        position += skip + length
