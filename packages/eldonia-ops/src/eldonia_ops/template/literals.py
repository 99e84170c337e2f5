"""Go's literals: quoted strings, character constants, numbers (https://go.dev/ref/spec#Lexical_elements)."""

import re

_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"'}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
_MAX_INT = 2**63 - 1


def unquote(literal: str) -> str:
    """The value of a ``"..."``, `` `...` `` or ``'...'`` literal.

    Bytes written as ``\\xNN`` or octal are joined and read as UTF-8.

    Raises:
        ValueError: an escape is not one of Go's, or a character constant holds other than one character.
    """
    quote, body = literal[0], literal[1:-1]
    if quote == "`":
        return body.replace("\r", "")
    if "\\" not in body:
        return body
    out = bytearray()
    at = 0
    for match in _ESCAPE.finditer(body):
        out += body[at : match.start()].encode("utf-8", "surrogatepass")
        at = match.end()
        byte, short, long, octal, simple = match.groups()
        if byte:
            out.append(int(byte, 16))
        elif octal:
            if int(octal, 8) > 255:
                raise ValueError(f"invalid escape \\{octal}")
            out.append(int(octal, 8))
        elif short or long:
            code = int(short or long, 16)
            if code > 0x10FFFF or 0xD800 <= code < 0xE000:
                raise ValueError(f"invalid Unicode escape {match.group()}")
            out += chr(code).encode()
        elif simple in _SIMPLE and not (simple in "'\"" and simple != quote):
            out += _SIMPLE[simple].encode()
        else:
            raise ValueError(f"unknown escape {match.group()}")
    out += body[at:].encode("utf-8", "surrogatepass")
    return out.decode("utf-8", "replace")


def place(literal: str, position: int) -> int:
    """The offset in a literal at which the character at a position of its value is written."""
    quote, body = literal[0], literal[1:-1]
    spans = [(match.start(), match.end()) for match in _ESCAPE.finditer(body)] if quote != "`" else []
    ends = dict(spans)
    at = 0
    for _ in range(position):
        if quote == "`" and body[at : at + 1] == "\r":
            at += 1
        at = ends.get(at, at + 1)
    return 1 + min(at, len(body))


def character(literal: str) -> int:
    """The code point that a ``'x'`` literal names.

    Raises:
        ValueError: it is malformed.
    """
    text = unquote(literal)
    if len(text) != 1:
        raise ValueError(f"malformed character constant {literal}")
    return ord(text)


def number(literal: str) -> int | float:
    """The value of a number literal: an int where it is written as one, else a float.

    Raises:
        ValueError: it is malformed, complex, or out of range.
    """
    text = literal.lower()
    if text.endswith("i") and not text.lstrip("+-").startswith("0x"):
        raise ValueError("complex numbers are not supported")
    if "__" in text or text.endswith("_"):
        raise ValueError(f"bad number syntax: {literal!r}")
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-").replace("_", "")
    try:
        if digits.startswith("0x") and ("." in digits or "p" in digits):
            return sign * float.fromhex(digits)
        if digits[:2] in ("0x", "0b", "0o"):
            value = int(digits, 0)
        elif digits.isdigit():
            value = int(digits, 8) if len(digits) > 1 and digits[0] == "0" else int(digits)
        else:
            return sign * float(digits)
    except (ValueError, OverflowError):
        raise ValueError(f"bad number syntax: {literal!r}") from None
    value *= sign
    if not -_MAX_INT - 1 <= value <= _MAX_INT:
        raise ValueError(f"integer overflow: {literal!r}")
    return value
