"""Documents of Elasticsearch's API with ids of their own, as a request changes them one after another.

Pure: what is stored is given, and what is to be stored and deleted comes out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.protocols.elasticsearch.bulk import Action
from eldonia_ops.protocols.elasticsearch.document_batch import check_time
from eldonia_ops.protocols.elasticsearch.document_check import read_document
from eldonia_ops.protocols.elasticsearch.documents import record_of_document, source_of, version_of
from eldonia_ops.protocols.elasticsearch.errors import (
    ElasticsearchError,
    document_error,
    illegal_argument,
    unsupported,
    version_conflict,
)
from eldonia_ops.protocols.elasticsearch.templates import merged

Key = tuple[str, str]
SHARDS: Final = {"total": 1, "successful": 1, "failed": 0}


@dataclass(slots=True)
class _Now:
    """What a document is: its record, None when it is not there."""

    record: LogRecord | None
    version: int
    seq_no: int


@dataclass(slots=True)
class Writes:
    """The changes of one request. ``stored`` are all records that the store has of the documents concerned."""

    stored: Mapping[Key, list[LogRecord]]
    received_ns: int
    streams: frozenset[str] = frozenset()
    samples: dict[tuple[str, ...], Mapping[str, Any]] = field(default_factory=dict)
    _now: dict[Key, _Now] = field(default_factory=dict)

    def apply(self, action: Action, line: bytes, index: str, number: int) -> dict[str, Any]:
        """What one action is answered; it is seen by those behind it.

        Raises:
            ElasticsearchError: it cannot be done.
        """
        key = (index, action.id)
        now = self._state(key)
        if action.if_seq_no >= 0 and (now.record is None or now.seq_no != action.if_seq_no):
            there = f"current document has seqNo [{now.seq_no}]" if now.record is not None else "document is missing"
            raise version_conflict(action.id, f"required seqNo [{action.if_seq_no}], {there}", index)
        if action.version >= 0 and now.record is not None and action.version < now.version + (not action.or_same):
            reason = f"current version [{now.version}] is higher or equal to the one provided [{action.version}]"
            raise version_conflict(action.id, reason, index)
        match action.operation:
            case "delete":
                return self._delete(key, now, number, action.version)
            case "create" if now.record is not None:
                reason = f"document already exists (current version [{now.version}])"
                raise version_conflict(action.id, reason, index)
            case "update":
                return self._update(key, now, line, number)
            case _:
                return self._put(key, now, read_document(line), number, action.version)

    def stored_records(self) -> dict[Key, LogRecord]:
        """What has to be stored."""
        return {key: now.record for key, now in self._now.items() if now.record is not None and self._changed(key)}

    def replaced_places(self) -> list[tuple[int, tuple[int, int]]]:
        """The number of each new record that takes the place of others, with the time and id of one of those."""
        return [
            (new.offset, (record.timestamp_ns, record.id))
            for key, new in self.stored_records().items()
            for record in self.stored.get(key, ())
        ]

    def deleted_places(self, but: Iterable[Key] = ()) -> list[tuple[int, int]]:
        """The times and ids of records that do not count any more, but for those of some documents."""
        left = set(but)
        return [
            (record.timestamp_ns, record.id)
            for key in self._now
            if key not in left and self._changed(key)
            for record in self.stored.get(key, ())
        ]

    def _changed(self, key: Key) -> bool:
        found = self.stored.get(key, ())
        return self._now[key].record is not (max(found, key=_id) if found else None)

    def _state(self, key: Key) -> _Now:
        if key not in self._now:
            found = self.stored.get(key, ())
            newest = max(found, key=_id) if found else None
            self._now[key] = _Now(
                newest,
                version_of(newest) if newest is not None else 0,
                newest.offset if newest is not None else -2,
            )
        return self._now[key]

    def _put(self, key: Key, now: _Now, document: dict[str, Any], number: int, external: int = -1) -> dict[str, Any]:
        check_time(document, key[0], self.streams)
        there = now.record is not None
        version = external if external >= 0 else now.version + 1 if there else 1
        record = record_of_document(
            document, index=key[0], number=number, received_ns=self.received_ns, id=key[1], version=version
        )
        self._now[key] = _Now(record, version, number)
        self.samples.setdefault((key[0], *document), document)
        return outcome(key, version, "updated" if there else "created", number, 200 if there else 201)

    def _delete(self, key: Key, now: _Now, number: int, external: int = -1) -> dict[str, Any]:
        if now.record is None:
            return outcome(key, max(1, external), "not_found", number, 404)
        self._now[key] = _Now(None, 0, -2)
        return outcome(key, external if external >= 0 else now.version + 1, "deleted", number, 200)

    def _update(self, key: Key, now: _Now, line: bytes, number: int) -> dict[str, Any]:
        body = read_document(line)
        if "script" in body or "scripted_upsert" in body:
            raise unsupported("an update by a [script]", "send the new fields as [doc]")
        if unknown := set(body) - {"doc", "upsert", "doc_as_upsert", "detect_noop", "_source"}:
            raise illegal_argument(f"[UpdateRequest] unknown field [{sorted(unknown)[0][:100]}]")
        doc, upsert = body.get("doc"), body.get("upsert")
        if not isinstance(doc, dict) and not isinstance(upsert, dict):
            raise ElasticsearchError(
                400, "action_request_validation_exception", "Validation Failed: 1: script or doc is missing;"
            )
        if now.record is None:
            new = doc if body.get("doc_as_upsert") is True else upsert
            if not isinstance(new, dict):
                extra = {"index": key[0], "shard": "0", "index_uuid": "_na_"}
                reason = f"[{key[1]}]: document missing"
                raise ElasticsearchError(404, "document_missing_exception", reason, extra)
            return self._put(key, now, dict(new), number)
        if not isinstance(doc, dict):
            raise document_error("failed to parse: [doc] is not an object")
        old = source_of(now.record)
        new = merged(old, doc)
        if new == old and body.get("detect_noop", True) is not False:
            return outcome(key, now.version, "noop", now.seq_no, 200)
        return self._put(key, now, new, number)


def _id(record: LogRecord) -> int:
    return record.id


def outcome(key: Key, version: int, result: str, number: int, status: int) -> dict[str, Any]:
    """What a client is answered of one document."""
    return {
        "_index": key[0],
        "_id": key[1],
        "_version": version,
        "result": result,
        "_shards": SHARDS,
        "_seq_no": max(0, number),
        "_primary_term": 1,
        "status": status,
    }
