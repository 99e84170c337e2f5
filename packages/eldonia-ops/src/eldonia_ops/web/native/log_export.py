"""Logs as files, written while they are read from the store."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Annotated, Final

from fastapi import FastAPI, Query, Request
from starlette.responses import Response, StreamingResponse

from eldonia_ops.model.condition_fields import log_value
from eldonia_ops.model.condition_text import format_field
from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import LogQuery, LogStore
from eldonia_ops.services.api import Platform
from eldonia_ops.services.logs.pipelines import width_of
from eldonia_ops.web.access import Permission
from eldonia_ops.web.encoding import to_json
from eldonia_ops.web.heavy import BusyError
from eldonia_ops.web.native.csv_text import csv_cell, csv_rows, csv_time
from eldonia_ops.web.native.log_schemas import log_shape
from eldonia_ops.web.native.log_table_export import piped_csv, piped_ndjson
from eldonia_ops.web.native.logs import Frame, PipedQuery, field_of
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.parameters import Zone
from eldonia_ops.web.problems import Problem, problem_of
from eldonia_ops.web.times import reader_zone

_FIRST_PAGE: Final = 500
_SMALLEST_PAGE: Final = 20
_LARGEST_PAGE: Final = 2_000
_CHUNK_BYTES: Final = 2 << 20
"""So large a chunk should be: some of them are in memory for each file."""

_AT_ONCE: Final = 4
_NDJSON: Final = "application/x-ndjson"
_CSV: Final = "text/csv"


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations that download logs."""
    places = _Places()
    logs = platform.telemetry.logs

    async def file(chunks: AsyncIterator[bytes], media: str, name: str, last: Callable[[Problem], bytes]) -> Response:
        records = places.held(chunks)
        first = await anext(records, b"")
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(_started(first, records, last), media_type=media, headers=headers)

    @api.get("/logs/export.ndjson", tags=["logs"], **operation(Permission.READ, media=_NDJSON))
    async def ndjson(request: Request, within: Frame, piped: PipedQuery, tz: Zone = "") -> Response:
        """All records of a query, newest first, one JSON object a line. Of a query with pipes, one object for each
        row; what a command makes of a record is in ``made``. When reading fails on the way, the last line has nothing
        but ``error``, and the connection ends before the end of the answer: the file is not whole."""
        if piped.stages:
            chunks = piped_ndjson(logs, within, piped, width_of(within, reader_zone(request, tz)))
        else:
            chunks = _ndjson(logs, replace(within, search=piped.search))
        return await file(chunks, _NDJSON, "logs.ndjson", _error_line)

    @api.get("/logs/export.csv", tags=["logs"], **operation(Permission.READ, media=_CSV))
    async def as_csv(
        request: Request,
        within: Frame,
        piped: PipedQuery,
        column: Annotated[list[str], Query(max_length=20, description="more fields, repeatable")] = [],  # noqa: B006
        tz: Zone = "",
    ) -> Response:
        """Time, level, service, further columns and message of all records of a query. Of a query with pipes, its
        columns. When reading fails on the way, the connection ends before the end of the answer: the file is not
        whole."""
        names = [field_of(text) for text in ("level", "service", *column, "message")]
        if piped.stages:
            chunks = piped_csv(logs, within, piped, width_of(within, reader_zone(request, tz)))
        else:
            chunks = _csv(logs, replace(within, search=piped.search), names)
        return await file(chunks, _CSV, "logs.csv", lambda _: b"")


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


class BrokenOffError(RuntimeError):
    """An answer that has begun cannot be ended: the connection is closed, so that it cannot be taken for whole."""


async def _started(first: bytes, rest: AsyncIterator[bytes], last: Callable[[Problem], bytes]) -> AsyncIterator[bytes]:
    """The first chunk was asked for before the answer began, so that what fails at once is answered as an error. What
    fails later ends the connection, after what ``last`` makes of the problem."""
    yield first
    try:
        async for chunk in rest:
            yield chunk
    except Exception as error:
        problem = problem_of(error)
        if words := last(problem):
            yield words
        raise BrokenOffError(f"a download of logs is not whole: {problem.message}") from error


def _error_line(problem: Problem) -> bytes:
    found = {"code": problem.code, "message": problem.message, "hint": problem.hint}
    return to_json({"error": {**found, "complete": False}}) + b"\n"


async def _chunks(logs: LogStore, query: LogQuery, written: Callable[[list[LogRecord]], bytes]) -> AsyncIterator[bytes]:
    """The records, page by page, as they are written. Small records are asked for by thousands, large ones by few."""
    page, before = _FIRST_PAGE, None
    while True:
        found = await logs.search_logs(replace(query, before=before, limit=page))
        if not found.records:
            return
        chunk = await asyncio.to_thread(written, found.records)  # others are answered meanwhile
        yield chunk
        if not found.more:
            return
        before = (found.records[-1].timestamp_ns, found.records[-1].id)
        page = max(_SMALLEST_PAGE, min(_LARGEST_PAGE, page * _CHUNK_BYTES // max(1, len(chunk)), page * 4))


def _ndjson(logs: LogStore, query: LogQuery) -> AsyncIterator[bytes]:
    return _chunks(logs, query, lambda records: b"".join([to_json(log_shape(record)) + b"\n" for record in records]))


async def _csv(logs: LogStore, query: LogQuery, names: list[FieldName]) -> AsyncIterator[bytes]:
    def written(records: list[LogRecord]) -> bytes:
        return csv_rows(
            [csv_time(record.timestamp_ns), *[csv_cell(log_value(record, name)) for name in names]]
            for record in records
        )

    yield csv_rows([["timestamp", *map(format_field, names)]])
    async for chunk in _chunks(logs, query, written):
        yield chunk
