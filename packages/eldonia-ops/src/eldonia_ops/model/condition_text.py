"""How people write conditions: ``user.id=42``, ``duration>=500``, ``path=~^/a``, ``!exists(session)``.

Several conditions are written one after another, with ``and`` between them or nothing but space; all of them have to
hold. A name of which a part is quoted is exact, and always one of an attribute: ``"user.id"`` is the key with the dot,
``labels."app.kubernetes.io/name"`` a key in an object.

::

    conditions = condition { [ "and" ] condition }
    condition  = field operator value | [ "!" ] "exists" "(" field ")"
    operator   = "=" | "!=" | "=~" | "!~" | "*=" | ">" | ">=" | "<" | "<="
    field      = part { "." part }
    part       = characters but space, dot and = ! < > ~ * " ' ( ) | quoted
    value      = characters up to the next space | quoted
    quoted     = in '"' or "'", with a backslash before a quote, a backslash, n, r or t
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

from eldonia_ops.model.conditions import (
    MAX_CONDITIONS,
    MAX_FIELD,
    MAX_SEGMENTS,
    MAX_VALUE,
    PRESENCE,
    Condition,
    ConditionOp,
    FieldName,
)

MAX_TEXT: Final = 4_000
"""Characters of one text with conditions."""

_Match = Callable[[str, int], re.Match[str] | None]
_SPACE: Final = re.compile(r"\s*+")
_AND: Final = re.compile(r"and(?=\s)", re.IGNORECASE)
_PRESENCE: Final = re.compile(r"(!?)exists\s*+\(\s*+", re.IGNORECASE)
_BARE: Final = re.compile(r"[^\s=!<>~*\"'().]++")
_OPERATOR: Final = re.compile(r"=~|!~|!=|\*=|>=|<=|=|>|<")
_VALUE: Final = re.compile(r"\S++")
QUOTED: Final = re.compile(r"\"((?:[^\"\\]|\\.)*+)\"|'((?:[^'\\]|\\.)*+)'", re.DOTALL)
"""A text in quotes, which :func:`unescaped` reads."""

_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t"}
_WRITTEN: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


class ConditionError(ValueError):
    """A text that is no condition. ``position`` counts characters from 0; ``text`` is what was read."""

    def __init__(self, message: str, position: int, text: str) -> None:
        super().__init__(f"{message} (at character {position + 1} of {text[:200]!r})")
        self.reason = message
        self.position = position
        self.text = text


def parse_conditions(texts: str | Iterable[str]) -> tuple[Condition, ...]:
    """The conditions of one text, or of several; blank texts have none.

    Raises:
        ConditionError: one of them cannot be read, or there are more than :data:`MAX_CONDITIONS`.
    """
    found: list[Condition] = []
    for text in [texts] if isinstance(texts, str) else texts:
        if len(text) > MAX_TEXT:
            raise ConditionError(f"longer than {MAX_TEXT} characters", MAX_TEXT, text)
        reader = _Reader(text)
        while not reader.at_end(after_condition=bool(found)):
            if len(found) >= MAX_CONDITIONS:
                raise ConditionError(f"more than {MAX_CONDITIONS} conditions", reader.at, text)
            found.append(reader.condition())
    return tuple(found)


def format_condition(condition: Condition) -> str:
    """The text of a condition; :func:`parse_conditions` reads it again."""
    name = format_field(condition.name)
    if condition.op in PRESENCE:
        return f"{condition.op.value}({name})"
    plain = not condition.quoted and _VALUE.fullmatch(condition.value) and condition.value[0] not in "\"'"
    value = condition.value if plain else quoted(condition.value)
    # The space keeps `=` and a value that begins with a tilde from being `=~`.
    return f"{name}{condition.op.value}{' ' if value[0] == '~' else ''}{value}"


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def at_end(self, *, after_condition: bool) -> bool:
        self._skip(_SPACE.match)
        if after_condition and self._skip(_AND.match):
            self._skip(_SPACE.match)
        return self.at == len(self.text)

    def condition(self) -> Condition:
        if presence := self._take(_PRESENCE.match):
            name = self._field()
            self._skip(_SPACE.match)
            if self.text[self.at : self.at + 1] != ")":
                raise self._error("a closing parenthesis is missing")
            self.at += 1
            return Condition(name, ConditionOp.NOT_EXISTS if presence[1] else ConditionOp.EXISTS)
        name = self._field()
        self._skip(_SPACE.match)
        operator = self._take(_OPERATOR.match)
        if operator is None:
            raise self._error("an operator is missing: one of =, !=, =~, !~, *=, >, >=, <, <=")
        self._skip(_SPACE.match)
        begin = self.at
        value, quoted = self._value()
        try:
            return Condition(name, ConditionOp(operator[0]), value, quoted)
        except ValueError as error:
            self.at = begin
            raise self._error(str(error)) from None

    def _field(self) -> FieldName:
        begin = self.at
        segments: list[str] = []
        exact = False
        while True:
            if quoted := self._quoted():
                segments.append(quoted[0])
                exact = True
            elif bare := self._take(_BARE.match):
                segments.append(bare[0])
            else:
                missing = "the name goes on after its dot" if segments else "the name of a field is missing"
                raise self._error(f"{missing}; a name with other characters is written in quotes")
            if self.text[self.at : self.at + 1] != ".":
                break
            self.at += 1
        if len(segments) > MAX_SEGMENTS or sum(map(len, segments)) > MAX_FIELD:
            raise self._error(f"the name is longer than {MAX_FIELD} characters or {MAX_SEGMENTS} parts", begin)
        return FieldName(tuple(segments), exact)

    def _value(self) -> tuple[str, bool]:
        begin = self.at
        if quoted := self._quoted():
            value, is_quoted = quoted[0], True
        elif bare := self._take(_VALUE.match):
            value, is_quoted = bare[0], False
        else:
            raise self._error("a value is missing")
        if len(value) > MAX_VALUE:
            raise self._error(f"the value is longer than {MAX_VALUE} characters", begin)
        return value, is_quoted

    def _quoted(self) -> tuple[str] | None:
        if self.text[self.at : self.at + 1] not in ("'", '"'):
            return None
        found = self._take(QUOTED.match)
        if found is None:
            raise self._error("a quote is not closed")
        return (unescaped(found),)

    def _take(self, match: _Match) -> re.Match[str] | None:
        found = match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def _skip(self, match: _Match) -> bool:
        found = self._take(match)
        return found is not None and found.end() > found.start()

    def _error(self, message: str, position: int | None = None) -> ConditionError:
        return ConditionError(message, self.at if position is None else position, self.text)


def unescaped(found: re.Match[str]) -> str:
    """The text that a match of :data:`QUOTED` means."""
    inner = found[1] if found[1] is not None else found[2]
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), inner)


def quoted(text: str) -> str:
    """A text in quotes."""
    return f'"{text.translate(_WRITTEN)}"'


def format_field(name: FieldName) -> str:
    """The name of a field as it is written."""
    return ".".join(map(quoted, name.segments)) if name.exact else name.name
