"""The processor ``dissect``: a text taken apart at the texts between its keys.

Source: ``DissectParser`` of Elasticsearch, whose treatment of delimiters that come twice is kept.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from eldonia_ops.protocols.elasticsearch.ingest.changes import Run
from eldonia_ops.protocols.elasticsearch.ingest.errors import ProcessorError
from eldonia_ops.protocols.elasticsearch.ingest.fields import MISSING, IngestDocument, java_name
from eldonia_ops.protocols.elasticsearch.ingest.options import Options

_KEY: Final = re.compile(r"%\{([^{}]{0,256})\}")
_PARTS: Final = re.compile(r"([+*&?]?)([^/>*&?+-][^/>]{0,200}?|)(?:/([0-9]{1,4}))?(->)?")
_MOST_KEYS: Final = 200
_LONGEST: Final = 4_096


@dataclass(frozen=True, slots=True)
class _Key:
    """A key, and the text behind it. ``kind`` is its modifier: ``+`` append, ``*`` and ``&`` a name and its value,
    ``?`` not kept. With ``padded`` the text behind it may come several times."""

    kind: str
    name: str
    order: int
    padded: bool
    behind: str


@dataclass(frozen=True, slots=True)
class Dissection:
    """A pattern that was read."""

    pattern: str
    before: str
    keys: Sequence[_Key]
    separator: str = ""

    def fields(self, text: str) -> dict[str, str] | None:
        """The values of a text by their names; None when the text is not of this form."""
        if not text.startswith(self.before):
            return None
        values = self._values(text)
        if len(values) < len(self.keys):
            return None
        found: dict[str, str] = {}
        appended: dict[str, list[tuple[int, int, str]]] = {}
        names: dict[str, str] = {}
        for place, (key, value) in enumerate(zip(self.keys, values, strict=True)):
            match key.kind:
                case "?":
                    pass
                case "+":
                    appended.setdefault(key.name, []).append((key.order, place, value))
                case "*":
                    names[key.name] = value
                case "&":
                    pass
                case _:
                    found[key.name] = value
        for name, parts in appended.items():
            found[name] = self.separator.join(value for _, _, value in sorted(parts))
        for key, value in zip(self.keys, values, strict=True):
            if key.kind == "&" and names.get(key.name):
                found[names[key.name]] = value
        return found

    def _values(self, text: str) -> list[str]:
        """The value of each key, as far as the text has the texts behind them."""
        found: list[str] = []
        at, end = len(self.before), len(text)
        while len(found) < len(self.keys):
            key = self.keys[len(found)]
            if not key.behind:
                found.append(text[at:])
                break
            if (place := text.find(key.behind, at)) < 0:
                break
            found.append(text[at:place])
            at = place + len(key.behind)
            # The same text again is the end of an empty value, or padding.
            while at < end and text.startswith(key.behind, at):
                if not key.padded:
                    if len(found) == len(self.keys):
                        break
                    found.append("")
                    at += len(key.behind)
                    if self.keys[len(found) - 1].padded:
                        at = _behind_all(text, at, key.behind)
                    continue
                at += len(key.behind)
        return found


def _behind_all(text: str, at: int, part: str) -> int:
    while text.startswith(part, at):
        at += len(part)
    return at


def dissection(pattern: str, separator: str = "") -> Dissection:
    """A pattern such as ``%{client} [%{@timestamp}] %{+name} %{+name} %{?skipped} %{padded->} x``.

    Raises:
        ValueError: it has no keys, too many, or a key that cannot be read.
    """
    parts = list(_KEY.finditer(pattern))
    if not parts or len(parts) > _MOST_KEYS or len(pattern) > _LONGEST:
        raise ValueError(f"a pattern has 1 to {_MOST_KEYS} keys such as %{{name}}, and {_LONGEST:,} characters at most")
    ends = [*(part.start() for part in parts[1:]), len(pattern)]
    keys = [_key(part[1], pattern[part.end() : end]) for part, end in zip(parts, ends, strict=True)]
    if any(not key.behind for key in keys[:-1]):
        raise ValueError("between two keys there has to be a text")
    appended = {key.name for key in keys if key.kind == "+"}
    keys = [_Key("+", key.name, -1, key.padded, key.behind) if _begins(key, appended) else key for key in keys]
    for kind, other in (("*", "&"), ("&", "*")):
        lonely = {key.name for key in keys if key.kind == kind} - {key.name for key in keys if key.kind == other}
        if lonely:
            raise ValueError(f"the key %{{{kind}{sorted(lonely)[0]}}} has no %{{{other}{sorted(lonely)[0]}}}")
    return Dissection(pattern, pattern[: parts[0].start()], keys, separator)


def _begins(key: _Key, appended: set[str]) -> bool:
    """Whether a plain key is the beginning of what others are appended to."""
    return not key.kind and key.name in appended


def _key(text: str, behind: str) -> _Key:
    match = _PARTS.fullmatch(text)
    if match is None or (match[1] in ("+", "*", "&") and not match[2]):
        raise ValueError(f"the key %{{{text}}} cannot be read")
    kind = match[1] if match[2] else "?"
    return _Key(kind, match[2], int(match[3] or 0), bool(match[4]), behind)


def dissect(options: Options) -> Run:
    """``dissect``: fields out of a text, by a pattern with the texts between them."""
    field, ignore = options.text("field"), options.flag("ignore_missing")
    pattern, separator = options.text("pattern"), options.text("append_separator", "")
    try:
        reader = dissection(pattern, separator)
    except ValueError as error:
        raise options.bad(f"Unable to parse pattern: [{pattern[:100]}]: {error}", "pattern") from None

    def run(document: IngestDocument) -> None:
        text: Any = document.get(field) if ignore else document.need(field)
        if text is MISSING or (text is None and ignore):
            return
        if not isinstance(text, str):
            raise ProcessorError(f"field [{field}] of type [{java_name(text)}] cannot be cast to [java.lang.String]")
        found = reader.fields(text)
        if found is None:
            raise ProcessorError(
                f"Unable to find match for dissect pattern: {pattern[:200]} against source: {text[:200]}"
            )
        for name, value in found.items():
            document.set(name, value)

    return run
