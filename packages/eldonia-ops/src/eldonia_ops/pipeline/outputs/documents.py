"""Events as documents for Elasticsearch: index, id, and what is added to a record."""

import hashlib
from collections.abc import Callable
from datetime import UTC
from typing import Any, Final, NamedTuple

from eldonia_ops.pipeline.buffer_settings import BufferSettings
from eldonia_ops.pipeline.chunk_keys import ChunkKey, Placeholders
from eldonia_ops.pipeline.event import Event
from eldonia_ops.pipeline.formatters.json import json_bytes
from eldonia_ops.pipeline.formatters.texts import text_of
from eldonia_ops.pipeline.outputs.elasticsearch import ElasticsearchOutput
from eldonia_ops.pipeline.parsers.time_of import format_reader
from eldonia_ops.pipeline.record_fields import field_of
from eldonia_ops.pipeline.times.strftime import Strftime

_DEEPEST: Final = 16
_LONGEST_ID: Final = 512
"""Bytes. Elasticsearch refuses the whole request in which one is longer."""


class Document(NamedTuple):
    """One document: the lines of a bulk request."""

    action: bytes
    source: bytes

    @property
    def size(self) -> int:
        """Bytes with both newlines."""
        return len(self.action) + len(self.source) + 2


class Documents:
    """Makes the documents of one output."""

    def __init__(self, output: ElasticsearchOutput, settings: BufferSettings) -> None:
        self._output = output
        zone = UTC if output.utc_index else None
        self._date = Strftime(output.logstash_dateformat, zone)
        digits = output.time_precision
        fraction = f".%{digits}N" if digits else ""
        self._timestamp = Strftime(f"%Y-%m-%dT%H:%M:%S{fraction}%:z", zone)
        self._read_time: Callable[[Any, int], int | None] = format_reader(output.time_key_format, UTC)
        text = output.logstash_prefix if output.logstash_format else output.index
        self._index = Placeholders(text, settings)

    def document(self, key: ChunkKey, chunk_id: str, number: int, tag: str, event: Event) -> Document:
        """The document of an event. Without ``id_key`` its id follows from the chunk and its place in it, so that one
        that is sent twice is one document."""
        output = self._output
        record = dict(event.record)
        time_ns = self._time(record, event.time_ns) if output.with_timestamp or output.time_key else event.time_ns
        if output.include_tag_key:
            record[output.tag_key] = tag
        index = self._index.expand(key, chunk_id, tag=tag)
        if output.target_index_key and (wanted := record.pop(output.target_index_key, None)):
            index = text_of(wanted)
        elif output.logstash_format:
            index = f"{index}{output.logstash_separator}{self._date.format(time_ns)}"
        header: dict[str, Any] = {"_index": index.lower()}
        stated = field_of(record, output.id_key) if output.id_key else None
        header["_id"] = f"{chunk_id}-{number}" if stated in (None, "") else _id(text_of(stated))
        if output.routing_key and (routing := field_of(record, output.routing_key)) is not None:
            header["routing"] = text_of(routing)
        for name in output.remove_keys:
            record.pop(name, None)
        if output.flatten_separator:
            record = _flat(record, output.flatten_separator)
        return self._lines(header, record)

    def _lines(self, header: dict[str, Any], record: dict[str, Any]) -> Document:
        match self._output.write_operation:
            case "update":
                return Document(json_bytes({"update": header}), json_bytes({"doc": record}))
            case "upsert":
                return Document(json_bytes({"update": header}), json_bytes({"doc": record, "doc_as_upsert": True}))
            case operation:
                return Document(json_bytes({operation: header}), json_bytes(record))

    def _time(self, record: dict[str, Any], time_ns: int) -> int:
        """The time of the event by which its index is chosen; sets ``@timestamp``."""
        output = self._output
        stated = record.get("@timestamp")
        if stated is None and output.time_key:
            stated = record.get(output.time_key)
            if stated is not None and not output.exclude_timestamp:
                record["@timestamp"] = stated
        if stated is None:
            if output.with_timestamp and not output.exclude_timestamp:
                record["@timestamp"] = self._timestamp.format(time_ns)
            return time_ns
        try:
            return self._read_time(text_of(stated), time_ns) or time_ns
        except ValueError:
            return time_ns


def _id(text: str) -> str:
    """An id that Elasticsearch takes; of one that is too long a digest, which is the same each time."""
    content = text.encode("utf-8", "replace")
    return text if len(content) <= _LONGEST_ID else hashlib.blake2b(content, digest_size=20).hexdigest()


def _flat(record: dict[str, Any], separator: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def put(prefix: str, value: dict[str, Any], depth: int) -> None:
        for name, item in value.items():
            if isinstance(item, dict) and depth:
                put(f"{prefix}{name}{separator}", item, depth - 1)
            else:
                found[f"{prefix}{name}"] = item

    put("", record, _DEEPEST)
    return found
