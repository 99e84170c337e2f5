"""The option ``if`` of a processor: comparisons of fields, a small part of what Painless has.

``ctx.a?.b == 'x'``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, ``&&``, ``||``, ``!``, parentheses, ``instanceof``, and the
methods ``contains``, ``startsWith``, ``endsWith``, ``equals``, ``isEmpty``, ``containsKey``, ``length``, ``size``,
``toLowerCase``. A field that is not there is null, with ``?.`` and without.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from eldonia_ops.protocols.elasticsearch.ingest.errors import ProcessorError
from eldonia_ops.protocols.elasticsearch.ingest.fields import METADATA, IngestDocument, java_name

Value = Callable[[IngestDocument], Any]
_LONGEST: Final = 4_096
_DEEPEST: Final = 50
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>[0-9]{1,18}(?:\.[0-9]{1,18})?)[LFDlfd]?|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<name>[A-Za-z_@][A-Za-z0-9_@]{0,255})|(?P<sign>\|\||&&|[=!]==?|[<>]=?|\?\.|[!().,\[\]-]))",
    re.ASCII,
)
_TYPES: Final = {
    "String": (str,), "Number": (int, float), "Integer": (int,), "Long": (int,), "Double": (float,),
    "Float": (float,), "Boolean": (bool,), "List": (list,), "ArrayList": (list,), "Map": (dict,), "HashMap": (dict,),
    "Collection": (list,),
}  # fmt: skip
_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_METHODS: Final[dict[str, tuple[int, Callable[..., Any]]]] = {
    "contains": (1, lambda one, other: other in one),
    "containsKey": (1, lambda one, other: other in one),
    "startsWith": (1, str.startswith),
    "endsWith": (1, str.endswith),
    "equals": (1, lambda one, other: one == other),
    "equalsIgnoreCase": (1, lambda one, other: one.lower() == other.lower()),
    "isEmpty": (0, lambda one: not one),
    "length": (0, len),
    "size": (0, len),
    "toLowerCase": (0, str.lower),
    "toUpperCase": (0, str.upper),
    "trim": (0, str.strip),
    "toString": (0, str),
}


def condition(text: str) -> Callable[[IngestDocument], bool]:
    """Whether a document meets a condition.

    Raises:
        ValueError: it has something that we do not have; the message says what.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"a condition may have {_LONGEST} characters")
    reader = _Reader(text)
    value = reader.either(0)
    reader.end()

    def run(document: IngestDocument) -> bool:
        try:
            return value(document) is True
        except (TypeError, AttributeError) as error:
            raise ProcessorError(
                f"the condition [{text[:200]}] cannot be computed: {error}", "script_exception"
            ) from None

    return run


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at, text = 0, text.rstrip().removesuffix(";").removeprefix("return ")
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                raise ValueError(f"[{text[at : at + 20]}] is not known in a condition")
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        self._at = 0

    def either(self, depth: int) -> Value:
        parts = [self._both(depth)]
        while self._takes("||"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else lambda document: any(_truth(part(document)) for part in parts)

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise ValueError(f"[{self._tokens[self._at][1][:40]}] was not expected in a condition")

    def _both(self, depth: int) -> Value:
        parts = [self._negated(depth)]
        while self._takes("&&"):
            parts.append(self._negated(depth))
        return parts[0] if len(parts) == 1 else lambda document: all(_truth(part(document)) for part in parts)

    def _negated(self, depth: int) -> Value:
        if depth > _DEEPEST:
            raise ValueError("a condition is nested too deeply")
        if self._takes("!"):
            inner = self._negated(depth + 1)
            return lambda document: not _truth(inner(document))
        return self._compared(depth)

    def _compared(self, depth: int) -> Value:
        left = self._operand(depth)
        for sign in ("==", "===", "!=", "!=="):
            if self._takes(sign):
                right = self._operand(depth)
                same = sign.startswith("=")
                return lambda document: _equal(left(document), right(document)) is same
        for sign, holds in _ORDER.items():
            if self._takes(sign):
                right = self._operand(depth)
                return lambda document: holds(_ordered(left(document)), _ordered(right(document)))
        if self._takes("instanceof"):
            name = self._name()
            if name not in _TYPES:
                raise ValueError(f"the type [{name}] is not known in a condition")
            types = _TYPES[name]
            return lambda document: type(left(document)) in types
        return left

    def _operand(self, depth: int) -> Value:
        if self._takes("("):
            found = self.either(depth + 1)
            self._need(")")
        elif self._takes("-"):
            number = self._operand(depth + 1)
            return lambda document: -number(document)
        else:
            found = self._single()
        while self._at < len(self._tokens):
            if self._takes(".") or self._takes("?."):
                name = self._name()
                found = self._called(found, name, depth) if self._takes("(") else _child(found, name)
            elif self._takes("["):
                key = self._operand(depth + 1)
                self._need("]")
                found = _item(found, key)
            else:
                break
        return found

    def _single(self) -> Value:
        kind, text = self._next()
        if kind == "number":
            number = float(text) if "." in text else int(text)
            return lambda _document: number
        if kind == "text":
            plain = re.sub(r"\\(.)", r"\1", text[1:-1])
            return lambda _document: plain
        constants = {"null": None, "true": True, "false": False}
        if text in constants:
            value = constants[text]
            return lambda _document: value
        if text == "ctx":
            return lambda document: document
        raise ValueError(f"[{text[:40]}] is not known in a condition: write ctx.{text[:40]}")

    def _called(self, found: Value, name: str, depth: int) -> Value:
        arguments: list[Value] = []
        while not self._takes(")"):
            arguments.append(self.either(depth + 1))
            if not self._takes(","):
                self._need(")")
                break
        known = _METHODS.get(name)
        if known is None or known[0] != len(arguments):
            raise ValueError(f"the method [{name[:40]}] with {len(arguments)} arguments is not known in a condition")
        call = known[1]

        def run(document: IngestDocument) -> Any:
            value = found(document)
            if isinstance(value, IngestDocument):
                value = {**value.metadata, **value.source}
            return None if value is None else call(value, *(one(document) for one in arguments))

        return run

    def _takes(self, text: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] in (("sign", text), ("name", text)):
            self._at += 1
            return True
        return False

    def _need(self, text: str) -> None:
        if not self._takes(text):
            raise ValueError(f"[{text}] is missing in a condition")

    def _name(self) -> str:
        kind, text = self._next()
        if kind != "name":
            raise ValueError(f"a name was expected in a condition, not [{text[:40]}]")
        return text

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise ValueError("a condition ends too early")
        self._at += 1
        return self._tokens[self._at - 1]


def _child(found: Value, name: str) -> Value:
    def run(document: IngestDocument) -> Any:
        return _of(found(document), name)

    return run


def _item(found: Value, key: Value) -> Value:
    def run(document: IngestDocument) -> Any:
        value, place = found(document), key(document)
        if isinstance(value, list):
            return value[place] if type(place) is int and 0 <= place < len(value) else None
        return _of(value, place)

    return run


def _of(value: Any, name: Any) -> Any:
    if isinstance(value, IngestDocument):
        return value.metadata.get(name) if name in METADATA else value.source.get(name)
    return value.get(name) if isinstance(value, dict) else None


def _truth(value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return value is True
    raise TypeError(f"Cannot cast from [{java_name(value)}] to [boolean].")


def _equal(one: Any, other: Any) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _ordered(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(f"[{java_name(value)}] has no order")
    return value
