"""Go's formatted printing (https://pkg.go.dev/fmt): ``printf``, ``print``, ``println``.

Wrong verbs and missing operands do not fail: they print Go's ``%!d(string=x)`` and its kin.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eldonia_ops.template.text_limit import TextParts
from eldonia_ops.template.values import NO_VALUE, Struct, format_float, format_value, is_sequence, kind

MAX_WIDTH: Final = 10_000
_VERB = re.compile(
    r"(?P<flags>[-+# 0]*)(?:\[(?P<i1>\d+)\])?(?P<width>\*|\d+)?"
    r"(?:\.(?:\[(?P<i2>\d+)\])?(?P<precision>\*|\d+)?(?P<dot>))?(?:\[(?P<i3>\d+)\])?(?P<verb>.)?",
    re.DOTALL,
)


@dataclass(slots=True)
class _Spec:
    flags: str
    width: int
    precision: int
    verb: str

    def pad(self, text: str, *, zero: bool = False) -> str:
        if len(text) >= self.width:
            return text
        if "-" in self.flags:
            return text.ljust(self.width)
        if zero and "0" in self.flags:
            sign = text[:1] if text[:1] in ("+", "-", " ") else ""
            return sign + text[len(sign) :].rjust(self.width - len(sign), "0")
        return text.rjust(self.width)


def sprint(arguments: Sequence[Any]) -> str:
    """Go's Sprint: a space between operands when neither is a string."""
    out: list[str] = []
    for index, argument in enumerate(arguments):
        if index and not isinstance(argument, str) and not isinstance(arguments[index - 1], str):
            out.append(" ")
        out.append(format_value(_plain(argument)))
    return "".join(out)


def sprintln(arguments: Sequence[Any]) -> str:
    """Go's Sprintln: always a space between, and a newline after."""
    return " ".join(format_value(_plain(argument)) for argument in arguments) + "\n"


def quote(text: str, mark: str = '"') -> str:
    """A text as a Go literal in quotation marks."""
    out: list[str] = []
    for character in text:
        code = ord(character)
        if character in (mark, "\\"):
            out.append("\\" + character)
        elif character in _NAMED:
            out.append(_NAMED[character])
        elif code < 0x20 or code == 0x7F:
            out.append(f"\\x{code:02x}")
        elif not character.isprintable() and character != " ":
            out.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
        else:
            out.append(character)
    return f"{mark}{''.join(out)}{mark}"


_NAMED = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}


def sprintf(pattern: str, arguments: Sequence[Any]) -> str:
    """Go's Sprintf.

    Raises:
        ValueError: a width or precision above :data:`MAX_WIDTH`, or the text would be too long.
    """
    out = TextParts()
    at = 0  # in the pattern
    used = 0  # operands
    reordered = False
    while True:
        percent = pattern.find("%", at)
        if percent < 0:
            out.append(pattern[at:])
            break
        out.append(pattern[at:percent])
        match = _VERB.match(pattern, percent + 1)
        if match is None or not match["verb"]:
            out.append("%!(NOVERB)")
            break
        at = match.end()
        for index in (match["i1"], match["i2"], match["i3"]):
            if index is not None:
                reordered = True
                used = int(index) - 1
        numbers: list[int] = []
        for group in ("width", "precision"):
            text = match[group]
            if text == "*":
                star = arguments[used] if 0 <= used < len(arguments) else None
                used += 1
                numbers.append(star if isinstance(star, int) and not isinstance(star, bool) else 0)
            else:
                numbers.append(int(text) if text else (0 if group == "width" or match["dot"] is not None else -1))
        if any(abs(number) > MAX_WIDTH for number in numbers):
            raise ValueError(f"printf: width or precision above {MAX_WIDTH}")
        spec = _Spec(match["flags"], abs(numbers[0]), numbers[1], match["verb"])
        if numbers[0] < 0:
            spec.flags += "-"
        if spec.verb == "%":
            out.append("%")
        elif reordered and not 0 <= used < len(arguments):
            out.append(f"%!{spec.verb}(BADINDEX)")
        elif used >= len(arguments):
            out.append(f"%!{spec.verb}(MISSING)")
        else:
            out.append(_operand(spec, _plain(arguments[used])))
            used += 1
    if not reordered and used < len(arguments):
        extra = ", ".join(
            "<nil>" if _plain(item) is None else f"{kind(item)}={format_value(item)}" for item in arguments[used:]
        )
        out.append(f"%!(EXTRA {extra})")
    return str(out)


def _plain(value: Any) -> Any:
    return None if value is NO_VALUE else value


def _bad(spec: _Spec, value: Any) -> str:
    return f"%!{spec.verb}(<nil>)" if value is None else f"%!{spec.verb}({kind(value)}={format_value(value)})"


def _operand(spec: _Spec, value: Any) -> str:
    verb = spec.verb
    if verb == "T":
        return spec.pad("<nil>" if value is None else kind(value))
    if value is None:
        return spec.pad("<nil>") if verb == "v" else _bad(spec, value)
    if isinstance(value, bool):
        return spec.pad(format_value(value)) if verb in "tv" else _bad(spec, value)
    if isinstance(value, int):
        return _integer(spec, value)
    if isinstance(value, float):
        return _float(spec, value)
    if isinstance(value, str):
        return _string(spec, value)
    if verb in "sv" and hasattr(value, "go_string"):
        return _string(spec, value.go_string())
    return _composite(spec, value)


def _integer(spec: _Spec, value: int) -> str:
    verb, flags = spec.verb, spec.flags
    if verb in "vd":
        text = str(abs(value))
    elif verb in "xXobO":
        text = format(abs(value), verb.replace("O", "o"))
        if "#" in flags or verb == "O":
            text = {"x": "0x", "X": "0X", "o": "0", "b": "0b", "O": "0o"}[verb] + text
    elif verb in "cqU":
        code = value if 0 <= value <= 0x10FFFF and not 0xD800 <= value < 0xE000 else 0xFFFD
        return spec.pad({"c": chr(code), "q": quote(chr(code), "'"), "U": f"U+{code:04X}"}[verb])
    else:
        return _bad(spec, value)
    if spec.precision >= 0:
        text = "" if value == 0 and spec.precision == 0 else text.rjust(spec.precision, "0")
    return spec.pad(_sign(flags, value < 0) + text, zero=spec.precision < 0)


def _float(spec: _Spec, value: float) -> str:
    if spec.verb not in "veEfFgGxX":
        return _bad(spec, value)
    if spec.verb in "xX":
        mantissa, _, exponent = abs(value).hex().partition("p")
        mantissa = mantissa.rstrip("0").removesuffix(".") if "." in mantissa else mantissa
        text = f"{mantissa}p{exponent[:1]}{exponent[1:].rjust(2, '0')}"
        text = text.upper() if spec.verb == "X" else text
    elif spec.verb == "v":
        text = format_float(abs(value), "g", spec.precision)
    else:
        precision = spec.precision if spec.precision >= 0 or spec.verb in "gG" else 6
        text = format_float(abs(value), spec.verb, precision)
    if text in ("+Inf", "NaN"):
        text = text.removeprefix("+")
        sign = "+" if text == "Inf" and value > 0 else ("-" if value < 0 else "")
        return spec.pad(sign + text)
    return spec.pad(_sign(spec.flags, str(value).startswith("-")) + text, zero=True)


def _sign(flags: str, negative: bool) -> str:
    if negative:
        return "-"
    return "+" if "+" in flags else (" " if " " in flags else "")


def _string(spec: _Spec, value: str) -> str:
    if spec.precision >= 0 and spec.verb in "svqxX":
        value = value[: spec.precision]
    match spec.verb:
        case "s" | "v":
            plain = "#" in spec.flags and spec.verb == "v"
            return spec.pad(quote(value) if plain else value)
        case "q":
            raw = "#" in spec.flags and "`" not in value and value.isprintable()
            return spec.pad(f"`{value}`" if raw else quote(value))
        case "x" | "X":
            digits = value.encode("utf-8", "surrogatepass").hex()
            return spec.pad(digits.upper() if spec.verb == "X" else digits)
        case _:
            return _bad(spec, value)


def _composite(spec: _Spec, value: Any) -> str:
    inner = _Spec(spec.flags, spec.width, spec.precision, spec.verb)
    if isinstance(value, Mapping):
        pairs = sorted(value.items(), key=lambda pair: format_value(pair[0]))
        return f"map[{_spaced(f'{_operand(inner, k)}:{_operand(inner, _plain(v))}' for k, v in pairs)}]"
    if is_sequence(value):
        return f"[{_spaced(_operand(inner, _plain(item)) for item in value)}]"
    if isinstance(value, Struct):
        return spec.pad(value.go_string())
    return _bad(spec, value)


def _spaced(texts: Iterable[str]) -> str:
    out = TextParts()
    for number, text in enumerate(texts):
        out.append(f" {text}" if number else text)
    return str(out)
