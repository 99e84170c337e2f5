"""What a function of a template is, and the functions that every Go template has.

Source of the behaviour: https://pkg.go.dev/text/template#hdr-Functions. ``and`` and ``or`` are not
here: they do not evaluate all their arguments, so the executor knows them itself.
"""

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from eldonia_ops.template import printf
from eldonia_ops.template.values import NO_VALUE, is_sequence, kind, truth


@dataclass(frozen=True, slots=True)
class Function:
    """A callable with Go's parameter kinds: ``any``, ``string``, ``int``, ``float``, ``list``, ``map``.

    With ``variadic`` the last kind may repeat, or be left out. The callable raises ValueError or
    TypeError for values that it cannot use.
    """

    call: Callable[..., Any]
    parameters: tuple[str, ...] = ()
    variadic: bool = False

    def check_count(self, count: int) -> None:
        """Raise ValueError unless the function takes that many arguments."""
        wanted = len(self.parameters)
        if self.variadic and count < wanted - 1:
            raise ValueError(f"wrong number of arguments: want at least {wanted - 1}, got {count}")
        if not self.variadic and count != wanted:
            raise ValueError(f"wrong number of arguments: want {wanted}, got {count}")

    def parameter(self, index: int) -> str:
        """The kind of the argument at an index."""
        return self.parameters[min(index, len(self.parameters) - 1)]


def convert(value: Any, wanted: str) -> Any:
    """A value as an argument of the wanted kind.

    Raises:
        ValueError: Go would not accept it there.
    """
    if wanted == "any":
        return None if value is NO_VALUE else value
    if value is None or value is NO_VALUE:
        raise ValueError(f"no value where {_article(wanted)} is expected")
    fits = {
        "string": isinstance(value, str),
        "int": isinstance(value, int) and not isinstance(value, bool),
        "float": isinstance(value, (int, float)) and not isinstance(value, bool),
        "bool": isinstance(value, bool),
        "list": is_sequence(value),
        "map": isinstance(value, Mapping),
    }.get(wanted, True)
    if not fits:
        raise ValueError(f"wrong type: expected {_article(wanted)}, got {_article(kind(value))}")
    return value


def _article(word: str) -> str:
    return f"{'an' if word[:1] in 'aeiou' else 'a'} {word}"


def _basic(value: Any) -> str:
    for types, name in ((bool, "bool"), (int, "int"), (float, "float"), (str, "string")):
        if isinstance(value, types):
            return name
    return ""


def _equal_pair(left: Any, right: Any) -> bool:
    left = None if left is NO_VALUE else left
    right = None if right is NO_VALUE else right
    if left is None or right is None:
        return left is right
    one, other = _basic(left), _basic(right)
    if one != other:
        raise ValueError(f"incompatible types for comparison: {kind(left)} and {kind(right)}")
    if not one and (isinstance(left, Mapping) or is_sequence(left)):
        raise ValueError(f"a {kind(left)} cannot be compared")
    return left == right


def _eq(first: Any, *others: Any) -> bool:
    if not others:
        raise ValueError("missing argument for comparison")
    return any(_equal_pair(first, other) for other in others)


def _less(left: Any, right: Any) -> bool:
    one, other = _basic(left), _basic(right)
    if not one or one == "bool":
        raise ValueError(f"invalid type for comparison: {kind(left)}")
    if one != other:
        raise ValueError(
            f"incompatible types for comparison: {kind(left)} and {kind(right)} (write 5.0 to compare with a float)"
        )
    return left < right


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, Mapping) or is_sequence(value):
        return len(value)
    raise ValueError(f"len of {kind(value)}")


def index_step(value: Any, key: Any, *, missing: Any) -> Any:
    """One step of ``index``: an element of a slice, a byte of a string, or the value of a key."""
    if isinstance(value, Mapping):
        if not isinstance(key, (str, int, float, bool)):
            raise ValueError(f"cannot index a map with {kind(key)}")
        return value.get(key, missing)
    if isinstance(value, str) or is_sequence(value):
        if not isinstance(key, int) or isinstance(key, bool):
            raise ValueError(f"cannot index {kind(value)} with {kind(key)}")
        items = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        if not 0 <= key < len(items):
            raise ValueError(f"index out of range: {key}")
        return items[key]
    raise ValueError("index of nil" if value is None or value is NO_VALUE else f"cannot index {kind(value)}")


def _slice(value: Any, *bounds: int) -> Any:
    if len(bounds) > 3 or (isinstance(value, str) and len(bounds) > 2):
        raise ValueError("too many slice indexes")
    if not (isinstance(value, str) or is_sequence(value)):
        raise ValueError(f"cannot slice {kind(value)}")
    items = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    start = bounds[0] if bounds else 0
    end = bounds[1] if len(bounds) > 1 else len(items)
    if not 0 <= start <= end <= len(items):
        raise ValueError(f"slice index out of range: {start}:{end}")
    part = items[start:end]
    return part.decode("utf-8", "replace") if isinstance(part, bytes) else part


def _html(*values: Any) -> str:
    text = printf.sprint(values) if len(values) != 1 or not isinstance(values[0], str) else values[0]
    escaped = html.escape(text, quote=False).replace("'", "&#39;").replace('"', "&#34;")
    return escaped.replace("\0", "\ufffd")


_JS = {
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "<": "\\u003C",
    ">": "\\u003E",
    "&": "\\u0026",
    "=": "\\u003D",
}


def _js(*values: Any) -> str:
    text = printf.sprint(values)
    out: list[str] = []
    for character in text:
        if character in _JS:
            out.append(_JS[character])
        elif ord(character) < 0x20 or not character.isprintable():
            out.append(f"\\u{ord(character):04X}")
        else:
            out.append(character)
    return "".join(out)


def _call(*_: Any) -> Any:
    raise ValueError("call: no value of a template is a function")


BUILTINS: Mapping[str, Function] = {
    "and": Function(lambda *values: values[-1], ("any", "any"), variadic=True),
    "or": Function(lambda *values: values[-1], ("any", "any"), variadic=True),
    "not": Function(lambda value: not truth(value), ("any",)),
    "eq": Function(_eq, ("any", "any"), variadic=True),
    "ne": Function(lambda left, right: not _equal_pair(left, right), ("any", "any")),
    "lt": Function(_less, ("any", "any")),
    "le": Function(lambda left, right: _less(left, right) or _equal_pair(left, right), ("any", "any")),
    "gt": Function(lambda left, right: not (_less(left, right) or _equal_pair(left, right)), ("any", "any")),
    "ge": Function(lambda left, right: not _less(left, right), ("any", "any")),
    "len": Function(_length, ("any",)),
    "index": Function(lambda *_: None, ("any", "any"), variadic=True),
    "slice": Function(_slice, ("any", "int"), variadic=True),
    "print": Function(lambda *values: printf.sprint(values), ("any",), variadic=True),
    "println": Function(lambda *values: printf.sprintln(values), ("any",), variadic=True),
    "printf": Function(lambda pattern, *values: printf.sprintf(pattern, values), ("string", "any"), variadic=True),
    "html": Function(_html, ("any",), variadic=True),
    "js": Function(_js, ("any",), variadic=True),
    "urlquery": Function(lambda *values: quote_plus(printf.sprint(values), safe="~"), ("any",), variadic=True),
    "call": Function(_call, ("any", "any"), variadic=True),
}
