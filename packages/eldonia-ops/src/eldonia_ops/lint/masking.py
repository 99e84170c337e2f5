"""Which parts of a YAML file an excerpt must not show: by the place of each value, not by the look of the line.

Masked are values below keys that speak of secrets, texts that hold ``${...}`` unless they are nothing else, values
of a key that a diagnostic is about (it may be a misspelt one), and comments. Where the text is no YAML, all that
is not the name of a key.
"""

import re
from collections.abc import Collection
from typing import Final

from eldonia_ops.model.errors import ConfigError
from eldonia_ops.protocols.secret_keys import SECRET_KEY, hides_keys_below, is_key_name, mistaken_pair
from eldonia_ops.protocols.yaml_nodes import YamlNode, compose

_ONLY_NAME: Final = re.compile(r"\$\{\w+\}")
_KEY: Final = re.compile(r"[\s\-{\[,]*+[\w.-]{1,64}+:(?=\s|$)")
_SHOWN: Final = "<secret>"


def _may_hold_secret(text: str) -> bool:
    return "${" in text or ":-" in text


class Mask:
    """The secret parts of one file. ``places`` are (line, column) of the diagnostics about it."""

    def __init__(self, text: str, places: Collection[tuple[int, int]]) -> None:
        self._unread_from = 1_000_000_000
        """The line (from 1) from which on nothing is known about the structure."""
        self._spans: dict[int, list[tuple[int, int]]] = {}
        self._covered: dict[int, int] = {}
        try:
            root, rest = compose(text, "")
        except ConfigError:
            self._unread_from = 0
            return
        if rest:
            self._unread_from = rest[0].line
        if root is not None:
            self._walk(root, set(places))

    def _walk(self, root: YamlNode, places: set[tuple[int, int]]) -> None:
        seen: set[tuple[int, bool, bool]] = set()
        waiting: list[tuple[YamlNode, bool, bool]] = [(root, False, False)]
        while waiting:
            node, hidden, hides_keys = waiting.pop()
            if (id(node), hidden, hides_keys) in seen:
                continue
            seen.add((id(node), hidden, hides_keys))
            first = node.pairs[0][0] if node.pairs else None
            starts_as_its_key = first is not None and (first.line, first.column) == (node.line, node.column)
            if not node.is_scalar and not starts_as_its_key and (node.line, node.column) in places:
                hidden = True  # it should not be here at all, so that nothing is known of what is in it
            for key, value in node.pairs:
                self._cover(key)
                if hides_keys or not is_key_name(key):
                    self._hide(key)
                secret = hidden or bool(SECRET_KEY.search(key.text)) or (key.line, key.column) in places
                below = hides_keys_below(key, hidden=hidden or bool(SECRET_KEY.search(key.text)))
                waiting.append((value, secret, below))
            waiting.extend((item, hidden, hides_keys) for item in node.elements())
            if not node.is_scalar:
                continue
            self._cover(node)
            is_name = bool(_ONLY_NAME.fullmatch(node.text))
            if not node.is_null and not is_name and (hidden or _may_hold_secret(node.text) or mistaken_pair(node)):
                self._hide(node)

    def _cover(self, node: YamlNode) -> None:
        self._covered[node.end_line] = max(self._covered.get(node.end_line, 0), node.end_column - 1)

    def _hide(self, node: YamlNode) -> None:
        for line in range(node.line, node.end_line + 1):
            start = node.column - 1 if line == node.line else 0
            end = node.end_column - 1 if line == node.end_line else 1_000_000_000
            if end > start:
                self._spans.setdefault(line, []).append((start, end))

    def line(self, number: int, raw: str) -> str:
        """The beginning of a line (from 1), or all of it, with its secret parts replaced."""
        if number >= self._unread_from:
            match = _KEY.match(raw)
            begin = match.end() if match else 0
            rest = raw[begin:]
            return raw[:begin] + (" " + _SHOWN if begin else _SHOWN) if rest.strip(" \t{}[],-") else raw
        comment = raw.find("#", self._covered.get(number, 0))
        if comment >= 0 and not any(start <= comment < end for start, end in self._spans.get(number, ())):
            raw = raw[:comment] + "#…"
        parts: list[str] = []
        done = 0
        for start, end in sorted(self._spans.get(number, ())):
            if start >= len(raw):
                break
            if start >= done:
                parts += [raw[done:start], _SHOWN]
            done = max(done, end)
        return "".join([*parts, raw[done:]])
