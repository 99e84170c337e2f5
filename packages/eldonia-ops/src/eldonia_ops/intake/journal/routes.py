"""The address, and what is answered: the client reads a status and a line of text."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from eldonia_ops.intake import (
    Fault,
    HttpListener,
    Intake,
    IntakeAnswer,
    IntakeError,
    IntakePlatform,
    IntakeRequest,
    IntakeRoute,
    UnsupportedError,
)
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.protocols.journal_export import JournalEntries, JournalEntry, JournalError, encode_entry, size_of
from eldonia_ops.protocols.journal_records import journal_records

_MEDIA: Final = "application/vnd.fdo.journal"
_AT_ONCE: Final = 500
"""Entries of one batch, counted from the beginning of a request: a request that is sent again has the same batches."""

_ENOUGH: Final = 4 << 20
"""Characters that make a batch, too: an entry may have as many, and those of a batch are in memory at once."""


def fault(_headers: Mapping[str, str], problem: Fault) -> IntakeAnswer:
    """A line of text, which the client writes to its log."""
    return IntakeAnswer(problem.status, f"{problem.message}\n".encode(), "text/plain; charset=utf-8")


async def accept(platform: IntakePlatform, request: IntakeRequest, chunks: AsyncIterator[bytes]) -> IntakeAnswer:
    """Store the entries of a request while they come."""
    if request.content_type.partition(";")[0].strip().lower() != _MEDIA:
        raise UnsupportedError(f"send Content-Type: {_MEDIA}")
    if request.encoding != "identity":
        raise UnsupportedError("send the entries as they are, without Content-Encoding")
    entries, waiting, size = JournalEntries(), list[JournalEntry](), 0
    async for chunk in chunks:
        try:
            complete = await platform.aside(lambda some=chunk: list(entries.feed(some)))
        except JournalError as error:
            raise IntakeError(f"the body is not the export format: {error}") from None
        for entry in complete:
            waiting.append(entry)
            size += size_of(entry)
            if len(waiting) >= _AT_ONCE or size >= _ENOUGH:
                await _store(platform, request.sender, waiting)
                waiting, size = [], 0
    if last := entries.end():
        waiting.append(last)
    if waiting:
        await _store(platform, request.sender, waiting)
    return IntakeAnswer(202, b"OK.\n", "text/plain; charset=utf-8")


async def _store(platform: IntakePlatform, sender: str, entries: Sequence[JournalEntry]) -> None:
    def read() -> tuple[Sequence[LogRecord], str]:
        key = hashlib.blake2b(b"".join(map(encode_entry, entries)), digest_size=20).hexdigest()
        return journal_records(entries, platform.now_ns(), f"journal {sender}"), f"journal {key}"

    records, key = await platform.aside(read)
    receipt = await platform.logs.logs(records, batch_key=key)
    platform.refused("logs", sender, receipt.by_reason)


INTAKE: Final = Intake(
    "journal",
    (IntakeRoute("/upload", "logs", None, apart=True, accept_chunks=accept),),
    fault,
    listeners=(HttpListener("journal", 19532),),
)
"""The intake."""
