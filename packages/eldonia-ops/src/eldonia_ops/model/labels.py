"""Label sets: the identity of series and alerts."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeVar, overload

from eldonia_ops.model.fnv import fnv1a, fnv1a_all

T = TypeVar("T")

METRIC_NAME: Final = "__name__"

_UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def fit(text: str) -> str:
    """A text as a label can hold it: control characters (but tab and line breaks) and lone surrogates become U+FFFD.

    No database, terminal or receiver can be relied on to take them, and a page must not be lost for one of them.
    """
    return text if text.isprintable() else _UNFIT.sub("\ufffd", text)


class Labels(Mapping[str, str]):
    """An immutable, hashable mapping from label name to value, kept in name order.

    A label with an empty value is the same as no label (Prometheus' data model), so such pairs
    are dropped on construction. Every label set in the program is made here, so what :func:`fit` takes out of
    names and values is in none of them, whatever way it came.
    """

    __slots__ = ("_fingerprint", "_hash", "_hex", "_mapping", "_text", "pairs")

    pairs: tuple[tuple[str, str], ...]

    def __init__(self, source: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        mapping = dict(source)
        if not "".join(mapping).isprintable() or not "".join(mapping.values()).isprintable():
            mapping = {fit(name): fit(value) for name, value in mapping.items()}
        self.pairs = tuple(sorted((name, value) for name, value in mapping.items() if value != ""))
        self._mapping = dict(self.pairs)
        self._hash = hash(self.pairs)
        self._fingerprint: int | None = None
        self._hex = ""
        self._text = ""

    def __getitem__(self, name: str) -> str:
        return self._mapping[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._mapping)

    def __len__(self) -> int:
        return len(self.pairs)

    def __contains__(self, name: object) -> bool:
        return name in self._mapping

    @overload
    def get(self, key: str, default: None = None, /) -> str | None: ...
    @overload
    def get(self, key: str, default: str | T, /) -> str | T: ...
    def get(self, key: str, default: object = None, /) -> object:
        """As of any mapping; the inherited one is several times slower, and queries ask tens of thousands of times."""
        return self._mapping.get(key, default)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Labels):
            return self._hash == other._hash and self.pairs == other.pairs
        return NotImplemented

    def __lt__(self, other: "Labels") -> bool:
        return self.pairs < other.pairs

    def __repr__(self) -> str:
        return f"Labels({self})"

    def __str__(self) -> str:
        """The usual notation, ``{a="b", c="d"}``, with the metric name in front when there is one."""
        if not self._text:  # the keys of an alert's groups are made of it again and again
            name = self._mapping.get(METRIC_NAME, "")
            inner = ", ".join([f"{key}={quote(value)}" for key, value in self.pairs if key != METRIC_NAME])
            self._text = f"{name}{{{inner}}}" if inner or not name else name
        return self._text

    @property
    def name(self) -> str:
        """The metric name, or an empty string."""
        return self._mapping.get(METRIC_NAME, "")

    def with_(self, **changes: str) -> "Labels":
        """A copy with some labels set; an empty value removes one."""
        return Labels({**self._mapping, **changes})

    def merged(self, other: Mapping[str, str]) -> "Labels":
        """A copy in which ``other`` wins where both name a label."""
        return Labels({**self._mapping, **other})

    def without(self, names: Iterable[str]) -> "Labels":
        """A copy that lacks the named labels."""
        dropped = set(names)
        return Labels([pair for pair in self.pairs if pair[0] not in dropped])

    def only(self, names: Iterable[str]) -> "Labels":
        """A copy that keeps nothing but the named labels."""
        kept = set(names)
        return Labels([pair for pair in self.pairs if pair[0] in kept])

    @property
    def fingerprint(self) -> int:
        """The unsigned 64-bit FNV-1a hash that Prometheus and Alertmanager give a label set.

        Each name and each value is followed by the byte 0xff (prometheus/common, model/signature.go).
        """
        if self._fingerprint is None:
            self._fingerprint = fnv1a(self._hashed)
        return self._fingerprint

    @property
    def _hashed(self) -> bytes:
        # No text that is UTF-8 has the byte 0xff in it.
        return b"".join([text.encode("utf-8", "surrogatepass") + b"\xff" for pair in self.pairs for text in pair])

    @staticmethod
    def fingerprint_all(sets: "Iterable[Labels]") -> None:
        """Find the fingerprints of many label sets together, which costs a fraction of asking each for its own."""
        unknown = [one for one in sets if one._fingerprint is None]
        for one, value in zip(unknown, fnv1a_all([one._hashed for one in unknown]), strict=True):
            one._fingerprint = value

    @property
    def fingerprint_hex(self) -> str:
        """The fingerprint as the 16 hex digits that Alertmanager's API shows."""
        if not self._hex:
            self._hex = f"{self.fingerprint:016x}"
        return self._hex


EMPTY: Final = Labels()


def quote(value: str) -> str:
    """A label value in double quotes, escaped as the text exposition format escapes it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
