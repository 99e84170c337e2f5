"""Values as a ``fluent.conf`` has them: plain, in quotation marks, JSON over several lines.

https://docs.fluentd.org/configuration/config-file#supported-data-types-for-values
"""

import json
import re
from typing import Final

from eldonia_ops.protocols.fluentd_config.cursor import BLANK, NEWLINE, Cursor
from eldonia_ops.protocols.fluentd_config.embedded import USE_DEFAULT, UseDefault, Value, code_end, evaluate
from eldonia_ops.protocols.fluentd_config.faults import ConfigSyntaxError
from eldonia_ops.protocols.fluentd_config.surroundings import Surroundings

_ESCAPES: Final = {"r": "\r", "n": "\n", "t": "\t", "f": "\f", "b": "\b", "0": "\0"}
_MOST_JSON: Final = 1 << 20


class Literals:
    """Reads values at a cursor."""

    def __init__(self, cursor: Cursor, surroundings: Surroundings) -> None:
        self._cursor = cursor
        self._surroundings = surroundings

    def value(self) -> Value:
        """The value of a parameter: JSON, in quotation marks, or plain up to the end of the line or a comment.

        Raises:
            ConfigSyntaxError: it cannot be read. The cursor is somewhere in it.
        """
        if self._cursor.peek() and self._cursor.peek() in "[{":
            return self._json()
        quoted = self._quoted()
        return self._plain() if quoted is None else quoted[0]

    def name(self) -> str:
        """The name of a parameter: in quotation marks, or up to white space."""
        quoted = self._quoted()
        if quoted is not None:
            return quoted[0] if isinstance(quoted[0], str) else ""
        return self._cursor.take_while(lambda char: char not in BLANK and char not in NEWLINE)

    def argument(self) -> Value:
        """What is written behind the name of a section, up to its ``>``."""
        quoted = self._quoted()
        if quoted is not None:
            return quoted[0]
        start = self._cursor.at
        text = self._cursor.take_while(lambda char: char != ">" and char not in NEWLINE)
        comment = re.search(r"[ \t]#", text)
        if comment is not None:
            self._cursor.at = start + comment.start()
            text = text[: comment.start()]
        return text.rstrip(BLANK)

    # --- parts

    def _quoted(self) -> tuple[Value] | None:
        if self._cursor.take('"'):
            return (self._double(),)
        if self._cursor.take("'"):
            return (self._single(),)
        return None

    def _plain(self) -> str:
        cursor, start = self._cursor, self._cursor.at
        while not cursor.ended and cursor.peek() not in NEWLINE:
            if cursor.peek() in BLANK and cursor.ends_line():
                break
            if cursor.peek() in BLANK:
                cursor.skip_blank()
            else:
                cursor.at += 1
        return cursor.text[start : cursor.at]

    def _single(self) -> str:
        cursor, begin = self._cursor, self._cursor.at - 1
        found: list[str] = []
        while True:
            char = cursor.peek()
            if not char or char in NEWLINE:
                raise ConfigSyntaxError("the text that begins with ' has no ' at its end", cursor.place_of(begin))
            if cursor.take("'"):
                return "".join(found)
            if cursor.take("\\'"):
                found.append("'")
            elif cursor.take("\\\\"):
                found.append("\\")
            else:
                found.append(char)
                cursor.at += 1

    def _double(self) -> Value:
        cursor, begin = self._cursor, self._cursor.at - 1
        found: list[str] = []
        special: list[UseDefault | None] = []
        unset = 0
        while True:
            char = cursor.peek()
            if not char:
                cursor.at = begin + 1
                raise ConfigSyntaxError('the text that begins with " has no " at its end', cursor.place_of(begin))
            if cursor.take('"'):
                if special:
                    return None if None in special else USE_DEFAULT
                return None if unset and not found else "".join(found)
            if char == "\\":
                found.append(self._escape())
            elif cursor.take("#{"):
                start = cursor.at
                value = self._code()
                if isinstance(value, str):
                    found.append(value)
                elif value is None and "use_nil" not in cursor.text[start : cursor.at]:
                    unset += 1  # within a text it is nothing, as in Ruby
                else:
                    special.append(value)
            else:
                found.append(char)
                cursor.at += 1

    def _escape(self) -> str:
        cursor = self._cursor
        place, following = cursor.place, cursor.text[cursor.at + 1 : cursor.at + 2]
        cursor.at += 1 + len(following)
        if following in NEWLINE:
            if following == "\r":
                cursor.take("\n")
            return ""  # the text goes on in the next line
        if following in _ESCAPES:
            return _ESCAPES[following]
        if following.isascii() and following.isalnum():
            hint = f"write \\\\{following} for a backslash, or the text between ' and '"
            raise ConfigSyntaxError(f'"…" has no escape \\{following}', place, hint)
        return following

    def _code(self) -> Value:
        cursor = self._cursor
        end = code_end(cursor.text, cursor.at)
        if end < 0:
            raise ConfigSyntaxError("a #{ has no }", cursor.place)
        code, place = cursor.text[cursor.at : end], cursor.place
        cursor.at = end + 1
        return evaluate(code, self._surroundings, place)

    def _json(self) -> str:
        """JSON, with comments between its parts and ``#{…}`` in its texts, as one line of JSON."""
        cursor, begin = self._cursor, self._cursor.at
        found: list[str] = []
        depth, quoted = 0, False
        fault: ConfigSyntaxError | None = None
        while cursor.at - begin <= _MOST_JSON:
            char = cursor.peek()
            if not char:
                break
            cursor.at += 1
            if quoted:
                if char == "\\":
                    char += cursor.peek()
                    cursor.at += 1
                elif char == '"':
                    quoted = False
                elif char == "#" and cursor.take("{"):
                    try:
                        value = self._code()
                    except ConfigSyntaxError as error:
                        # That the JSON has no end counts for more: then this is no part of it.
                        value, fault = "", fault or error
                    char = json.dumps(value if isinstance(value, str) else "", ensure_ascii=False)[1:-1]
                elif char in NEWLINE:
                    char = "\\n" if char == "\n" else ""
            elif char == "#":
                cursor.take_while(lambda one: one not in NEWLINE)
                continue
            elif char == '"':
                quoted = True
            elif char in "[{":
                depth += 1
            elif char in "]}":
                depth -= 1
            found.append(char)
            if not depth:
                if fault is not None:
                    raise fault
                return self._checked("".join(found), begin)
        cursor.at = begin + 1
        what = "array" if cursor.text[begin] == "[" else "hash"
        raise ConfigSyntaxError(f"the JSON {what} that begins here has no end", cursor.place_of(begin))

    def _checked(self, text: str, begin: int) -> str:
        try:
            return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            hint = "put a text that begins with [ or { between quotation marks"
            raise ConfigSyntaxError(f"not valid JSON: {reason}", self._cursor.place_of(begin), hint) from None
