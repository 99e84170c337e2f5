"""Which chunk of a buffer an event belongs to, and what texts with placeholders mean for a chunk.

https://docs.fluentd.org/configuration/buffer-section#chunk-keys
"""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta, tzinfo
from functools import lru_cache
from typing import Any, Final, NamedTuple

from eldonia_ops.pipeline.buffer_settings import BufferSettings
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.formatters.texts import text_of
from eldonia_ops.pipeline.record_fields import field_of, steps_of
from eldonia_ops.pipeline.times.strftime import DIRECTIVE, Strftime
from eldonia_ops.pipeline.times.zones import local_time, zone_of

NS: Final = 1_000_000_000
_PLACEHOLDER: Final = re.compile(r"\$\{([^}]{1,256})\}")
_TAG_PART: Final = re.compile(r"tag\[(-?[0-9]+)\]", re.ASCII)
_LONGEST_VALUE: Final = 256


class ChunkKey(NamedTuple):
    """What the events of a chunk have in common. ``timekey`` is the Unix time (s) at which its span begins, -1 for
    none; ``tag`` is '' and ``values`` empty when they are no chunk keys."""

    timekey: int = -1
    tag: str = ""
    values: tuple[str, ...] = ()


class ChunkKeys:
    """The chunk keys of a buffer.

    Raises:
        ValueError: a key is no path of fields, or the zone is not known.
    """

    def __init__(self, settings: BufferSettings) -> None:
        self._by_tag = settings.by_tag
        self._timekey = settings.timekey_ms // 1_000
        self._zone = zone_of(settings.timekey_zone)
        self.fields = settings.fields
        for name in self.fields:
            steps_of(name)

    def group(self, batch: Batch) -> dict[ChunkKey, list[Event]]:
        """The events of a batch by chunk, each in their order."""
        tag = batch.tag if self._by_tag else ""
        if not self._timekey and not self.fields:
            return {ChunkKey(tag=tag): list(batch.events)}
        found: dict[ChunkKey, list[Event]] = {}
        for event in batch.events:
            found.setdefault(self._key(tag, event), []).append(event)
        return found

    def _key(self, tag: str, event: Event) -> ChunkKey:
        values = tuple(text_of(field_of(event.record, name))[:_LONGEST_VALUE] for name in self.fields)
        return ChunkKey(self._span(event.time_ns // NS) if self._timekey else -1, tag, values)

    def _span(self, second: int) -> int:
        shift = _offset(second // 900 * 900, self._zone)
        return (second + shift) // self._timekey * self._timekey - shift


@lru_cache(maxsize=1_024)
def _offset(second: int, zone: tzinfo | None) -> int:
    return (local_time(second, zone).utcoffset() or timedelta()) // timedelta(seconds=1)


class Placeholders:
    """A text with ``${tag}``, ``${tag[1]}``, ``${field}``, ``${chunk_id}`` and, of a time key, ``%Y%m%d``."""

    def __init__(self, text: str, settings: BufferSettings) -> None:
        self._text = text
        self._fields = settings.fields
        self._time = (
            Strftime(text, zone_of(settings.timekey_zone)) if settings.timekey_ms and DIRECTIVE.search(text) else None
        )

    def expand(self, key: ChunkKey, chunk_id: str = "", *, tag: str = "", written: Callable[[str], str] = str) -> str:
        """The text for a chunk. What no chunk key gives stays as it is written.

        Tags and fields are whatever a sender wrote there: ``written`` makes of each what may be in such a text.
        """
        text = self._text
        if self._time is not None and key.timekey >= 0:
            text = self._time.format(key.timekey * NS)
        if "${" not in text:
            return text
        tag = key.tag or tag

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name == "chunk_id":
                return chunk_id
            if name == "tag" and tag:
                return written(tag)
            if (part := _TAG_PART.fullmatch(name)) and tag:
                parts = tag.split(".")
                at = int(part[1])
                return written(parts[at]) if -len(parts) <= at < len(parts) else ""
            if name in self._fields:
                return written(key.values[self._fields.index(name)])
            return match[0]

        return _PLACEHOLDER.sub(value, text)


def unknown_placeholders(text: str, settings: BufferSettings) -> list[str]:
    """What is wrong with the placeholders of a text under a buffer's chunk keys, in sentences."""
    found: list[str] = []
    for name in _PLACEHOLDER.findall(text):
        if name == "chunk_id" or name in settings.fields:
            continue
        wanted = "tag" if name == "tag" or _TAG_PART.fullmatch(name) else name
        if wanted not in settings.chunk_keys:
            found.append(
                f"${{{name}}} needs {wanted} as a chunk key: <buffer {','.join((*settings.chunk_keys, wanted))}>"
            )
    if not settings.timekey_ms and (time := DIRECTIVE.search(text)):
        found.append(
            f"{time[0]} needs time as a chunk key: <buffer {','.join((*settings.chunk_keys, 'time'))}> and timekey"
        )
    return found


def pieces_of(sizes: Sequence[int], most: int) -> list[tuple[int, int]]:
    """``(first, behind the last)`` of runs that are at most so large together; one that is larger is a run itself."""
    found: list[tuple[int, int]] = []
    start = total = 0
    for at, size in enumerate(sizes):
        if at > start and total + size > most:
            found.append((start, at))
            start, total = at, 0
        total += size
    if start < len(sizes):
        found.append((start, len(sizes)))
    return found


def key_document(key: ChunkKey) -> list[Any]:
    """A chunk key as plain JSON."""
    return [key.timekey, key.tag, list(key.values)]


def key_of_document(value: Any) -> ChunkKey:
    """The chunk key of :func:`key_document`.

    Raises:
        ValueError, TypeError: it is none.
    """
    timekey, tag, values = value
    if not isinstance(timekey, int) or not isinstance(tag, str) or not all(isinstance(one, str) for one in values):
        raise ValueError("no chunk key")
    return ChunkKey(timekey, tag, tuple(values))
