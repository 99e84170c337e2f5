"""Logs as files, written while they are read from the store."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query
from starlette.responses import Response, StreamingResponse

from eldonia_ops.model.condition_fields import log_value
from eldonia_ops.model.condition_text import format_field
from eldonia_ops.model.conditions import FieldName, text_of
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import LogQuery, LogStore
from eldonia_ops.services.api import Platform
from eldonia_ops.web.access import Permission
from eldonia_ops.web.encoding import to_json
from eldonia_ops.web.heavy import BusyError
from eldonia_ops.web.native.log_schemas import log_shape
from eldonia_ops.web.native.logs import Selection, field_of
from eldonia_ops.web.native.openapi import operation

MAX_RECORDS: Final = 1_000_000
"""Records of one file."""

_FIRST_PAGE: Final = 500
_SMALLEST_PAGE: Final = 20
_LARGEST_PAGE: Final = 2_000
_CHUNK_BYTES: Final = 2 << 20
"""So large a chunk should be: some of them are in memory for each file."""

_AT_ONCE: Final = 4
_NDJSON: Final = "application/x-ndjson"
_CSV: Final = "text/csv"
_FORMULA: Final = frozenset("=+-@\t\r")
"""What a text begins with that spreadsheets would calculate."""


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations that download logs."""
    places = _Places()

    async def file(records: AsyncIterator[bytes], first: bytes, media: str, name: str) -> Response:
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(_started(first, records), media_type=media, headers=headers)

    @api.get("/logs/export.ndjson", tags=["logs"], **operation(Permission.READ, media=_NDJSON))
    async def ndjson(wanted: Selection) -> Response:
        """All records of a query, newest first, one JSON object a line; at most a million."""
        records = places.held(_ndjson(platform.telemetry.logs, wanted))
        return await file(records, await anext(records, b""), _NDJSON, "logs.ndjson")

    @api.get("/logs/export.csv", tags=["logs"], **operation(Permission.READ, media=_CSV))
    async def as_csv(
        wanted: Selection,
        column: Annotated[list[str], Query(max_length=20, description="more fields, repeatable")] = [],  # noqa: B006
    ) -> Response:
        """Time, level, service, further columns and message of all records of a query; at most a million."""
        names = [field_of(text) for text in ("level", "service", *column, "message")]
        records = places.held(_csv(platform.telemetry.logs, wanted, names))
        return await file(records, await anext(records, b""), _CSV, "logs.csv")


class _Places:
    """So many files are written at once."""

    def __init__(self) -> None:
        self._free = _AT_ONCE

    async def held(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The chunks, as long as there is a place for them.

        Raises:
            BusyError: all places are taken.
        """
        if not self._free:
            raise BusyError
        self._free -= 1
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            self._free += 1


async def _started(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The first chunk was asked for before the answer began, so that what fails at once is answered as an error."""
    yield first
    async for chunk in rest:
        yield chunk


async def _chunks(logs: LogStore, query: LogQuery, written: Callable[[list[LogRecord]], bytes]) -> AsyncIterator[bytes]:
    """The records, page by page, as they are written. Small records are asked for by thousands, large ones by few."""
    left, page = MAX_RECORDS, _FIRST_PAGE
    before = None
    while left > 0:
        found = await logs.search_logs(replace(query, before=before, limit=min(page, left)))
        if not found.records:
            return
        chunk = await asyncio.to_thread(written, found.records)  # others are answered meanwhile
        yield chunk
        if not found.more:
            return
        left -= len(found.records)
        before = (found.records[-1].timestamp_ns, found.records[-1].id)
        page = max(_SMALLEST_PAGE, min(_LARGEST_PAGE, page * _CHUNK_BYTES // max(1, len(chunk)), page * 4))


def _ndjson(logs: LogStore, query: LogQuery) -> AsyncIterator[bytes]:
    return _chunks(logs, query, lambda records: b"".join([to_json(log_shape(record)) + b"\n" for record in records]))


async def _csv(logs: LogStore, query: LogQuery, names: list[FieldName]) -> AsyncIterator[bytes]:
    def written(records: list[LogRecord]) -> bytes:
        return _rows([_time(record), *[_cell(log_value(record, name)) for name in names]] for record in records)

    yield _rows([["timestamp", *map(format_field, names)]])
    async for chunk in _chunks(logs, query, written):
        yield chunk


def _rows(rows: Iterable[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def _time(record: LogRecord) -> str:
    seconds, ns = divmod(record.timestamp_ns, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ns:09d}Z"


def _cell(value: Any) -> str:
    """A value as a text. What a spreadsheet would calculate gets an apostrophe, for anybody can write a log record."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else text_of(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in _FORMULA else text
