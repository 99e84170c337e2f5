"""The options of a processor: each is read once, and what nothing read is refused by its name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from eldonia_ops.protocols.elasticsearch.ingest.errors import ProcessorError, bad_processor
from eldonia_ops.protocols.elasticsearch.ingest.fields import MISSING, IngestDocument, java_name

Template = Callable[[IngestDocument], str]
_ENCODE: Final = msgspec.json.Encoder(enc_hook=str).encode
_MOST_TEXT: Final = 1 << 20


class Options:
    """The options of one processor."""

    def __init__(self, kind: str, stated: Mapping[str, Any]) -> None:
        self.kind = kind
        self._stated = dict(stated)
        self.tag = self.text("tag", "")
        self._stated.pop("description", None)

    def has(self, name: str) -> bool:
        """Whether an option is stated."""
        return self._stated.get(name) is not None

    def value(self, name: str, default: Any = None) -> Any:
        """An option of any type."""
        return self._stated.pop(name, default)

    def need(self, name: str) -> Any:
        """An option that must be there.

        Raises:
            ElasticsearchError: it is not.
        """
        if self._stated.get(name) is None:
            raise self.bad("required property is missing", name)
        return self._stated.pop(name)

    def text(self, name: str, default: str | None = None) -> str:
        """A text; without a default it must be there.

        Raises:
            ElasticsearchError: it is none.
        """
        found = self.need(name) if default is None else self.value(name)
        if found is None:
            return default or ""
        if not isinstance(found, str | int | float) or isinstance(found, bool):
            raise self.bad(f"property isn't a string, but of type [{java_name(found)}]", name)
        return str(found)

    def flag(self, name: str, default: bool = False) -> bool:
        """True or false.

        Raises:
            ElasticsearchError: it is neither.
        """
        found = self.value(name, default)
        if found not in (True, False, "true", "false"):
            raise self.bad(f"property isn't a boolean, but of type [{java_name(found)}]", name)
        return found in (True, "true")

    def texts(self, name: str) -> list[str]:
        """One text or a list of them.

        Raises:
            ElasticsearchError: it is neither, or missing.
        """
        found = self.need(name)
        some = found if isinstance(found, list) else [found]
        if not some or not all(isinstance(one, str) for one in some):
            raise self.bad(f"property isn't a list, but of type [{java_name(found)}]", name)
        return some

    def bad(self, reason: str, name: str = "") -> Exception:
        """An option that cannot be used."""
        return bad_processor(self.kind, reason, name, self.tag)

    def done(self) -> None:
        """Refuse what was not read.

        Raises:
            ElasticsearchError: something was not.
        """
        if self._stated:
            names = ", ".join(sorted(self._stated)[:5])
            raise bad_processor(
                self.kind,
                f"processor [{self.kind}] doesn't support one or more provided configuration parameters [{names}]",
            )


def templated(value: Any) -> Callable[[IngestDocument], Any]:
    """A value with ``{{field}}`` in it, also inside of lists and objects."""
    if isinstance(value, str):
        return _text_template(value) if "{{" in value else lambda _document: value
    if isinstance(value, list):
        parts = [templated(one) for one in value]
        return lambda document: [part(document) for part in parts]
    if isinstance(value, dict):
        named = {key: templated(one) for key, one in value.items()}
        return lambda document: {key: part(document) for key, part in named.items()}
    return lambda _document: value


def _text_template(text: str) -> Template:
    parts: Sequence[tuple[str, str]] = _parts(text)

    def expanded(document: IngestDocument) -> str:
        found = "".join(before + (_shown(document.get(path)) if path else "") for before, path in parts)
        if len(found) > _MOST_TEXT:
            raise ProcessorError("a text made of a template is too long")
        return found

    return expanded


def _parts(text: str) -> list[tuple[str, str]]:
    """Each text with the path behind it; the last has none."""
    found: list[tuple[str, str]] = []
    at = 0
    while (start := text.find("{{", at)) >= 0:
        close = "}}}" if text.startswith("{{{", start) else "}}"
        begin = start + len(close)
        if (end := text.find(close, begin)) < 0:
            break
        found.append((text[at:start], text[begin:end].strip(" &")))
        at = end + len(close)
    return [*found, (text[at:], "")]


def _shown(value: Any) -> str:
    if value is MISSING or value is None:
        return ""
    return value if isinstance(value, str) else _ENCODE(value).decode()
