"""What comes out of queries with pipes, as files that are written while records are read."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import msgspec

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.ports import LogQuery, LogStore
from eldonia_ops.search.aggregates import MAX_ROWS
from eldonia_ops.search.pipes.items import Item
from eldonia_ops.search.pipes.pipeline import Fields, Pipeline
from eldonia_ops.search.pipes.plan import Width, columns_of
from eldonia_ops.services.logs.pipelines import pages, run_pipeline, streams
from eldonia_ops.web.encoding import to_json
from eldonia_ops.web.native.csv_text import csv_cell, csv_rows, csv_time
from eldonia_ops.web.native.log_schemas import log_shape

MAX_RECORDS: Final = 1_000_000


async def piped_ndjson(logs: LogStore, query: LogQuery, pipeline: Pipeline, width: Width) -> AsyncIterator[bytes]:
    """A JSON object for each row, or for each record with what was made of it in ``made``."""
    columns = columns_of(pipeline)
    whole = pipeline.split()[1] is None and not any(isinstance(stage, Fields) for stage in pipeline.stages)

    def written(items: list[Item]) -> bytes:
        return b"".join([to_json(_object(item, columns, whole=whole)) + b"\n" for item in items])

    async for chunk in _chunks(logs, query, pipeline, width, written):
        yield chunk


async def piped_csv(logs: LogStore, query: LogQuery, pipeline: Pipeline, width: Width) -> AsyncIterator[bytes]:
    """The columns of a pipeline as CSV, times as RFC 3339."""
    columns = columns_of(pipeline)

    def written(items: list[Item]) -> bytes:
        return csv_rows([_text(item, column) for column in columns] for item in items)

    yield csv_rows([[column.name for column in columns]])
    async for chunk in _chunks(logs, query, pipeline, width, written):
        yield chunk


def _text(item: Item, column: FieldName) -> str:
    if item.record is not None and column.name == "timestamp" and "timestamp" not in item.values:
        return csv_time(item.record.timestamp_ns)
    value = item.value(column)
    if item.record is None and column.name == "time" and isinstance(value, int):
        return csv_time(value * 1_000_000)
    return csv_cell(value)


async def _chunks(
    logs: LogStore, query: LogQuery, pipeline: Pipeline, width: Width, written: Callable[[list[Item]], bytes]
) -> AsyncIterator[bytes]:
    if streams(pipeline):
        async for items in pages(logs, query, pipeline, MAX_RECORDS):
            yield await asyncio.to_thread(written, items)  # others are answered meanwhile
        return
    found = await run_pipeline(logs, query, pipeline, width, MAX_ROWS)
    yield await asyncio.to_thread(written, found.items)


def _object(item: Item, columns: tuple[FieldName, ...], *, whole: bool) -> dict[str, Any]:
    if whole and item.record is not None:
        record = msgspec.to_builtins(log_shape(item.record))
        return {**record, "made": dict(item.values)} if item.values else record
    return {column.name: item.value(column) for column in columns}
