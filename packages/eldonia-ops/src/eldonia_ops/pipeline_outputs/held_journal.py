"""What filters hold back, in a file: a kill loses none of it, and what went on once does not go on again.

A batch is a step from one state of the filters to the next. Before anything that was held back goes to the outputs, the
step is noted (:meth:`HeldJournal.intend`); when all outputs have taken their part, its key and what changed are written
in one frame (:meth:`HeldJournal.commit`). So after a kill the state is the one before the step, and the step comes
again under its key, or the one behind it, and the key is known.

A frame is ``length (u32) | CRC-32 (u32) | MessagePack``, little-endian. What is torn at the end was never acknowledged.
"""

import asyncio
import contextlib
import logging
import os
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec

from eldonia_ops.pipeline.event import Event
from eldonia_ops.pipeline.filters.held_lines import HeldLines, Name
from eldonia_ops.pipeline_outputs.chunk_frames import plain
from eldonia_ops.pipeline_outputs.running import OutputError
from eldonia_ops.pipeline_outputs.taken_keys import TakenKeys, digest_of

log = logging.getLogger("eldonia_ops.pipeline")

VERSION: Final = 1
_HEAD: Final = struct.Struct("<II")
_DEPTH: Final = 64
_MODE: Final = 0o600
_GROWTH: Final = 1 << 20
_MOST_PENDING: Final = 1_000
_ENCODER: Final = msgspec.msgpack.Encoder(enc_hook=str)
_DECODER: Final = msgspec.msgpack.Decoder()
_BEGIN, _INTENT, _COMMIT = 0, 1, 2


class StepKind(StrEnum):
    """What makes lines go on: a batch, the time, or the end of the pipeline."""

    BATCH = "batch"
    EXPIRED = "expired"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Step:
    """A step whose end is not known: the lines ``names`` go on with it, under its key."""

    key: str
    kind: StepKind
    names: frozenset[Name]


@dataclass(slots=True)
class Kept:
    """What a file holds. ``pipeline`` is that of which it speaks."""

    pipeline: str = ""
    lines: dict[Name, HeldLines] = field(default_factory=dict)
    pending: dict[str, Step] = field(default_factory=dict)
    keys: list[bytes] = field(default_factory=list)


class HeldJournal:
    """The file of one pipeline, which ``pipeline`` describes: a digest of what is written of it.

    Raises:
        OSError: it cannot be read or written.
    """

    def __init__(self, path: Path, pipeline: str) -> None:
        self._path = path
        self._pipeline = pipeline
        self._taken = TakenKeys()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            data = b""
        self._kept = kept_of(data)
        self._taken.add(self._kept.keys)
        self._serial = 0
        self._file = -1
        self._size = self._least = 0
        self._changed = False
        self._fault = False
        self.fits = self._kept.pipeline in ("", pipeline)
        if self.fits:
            self._rewrite()

    @property
    def owner(self) -> str:
        """The pipeline of which it speaks."""
        return self._kept.pipeline

    @property
    def lines(self) -> Mapping[Name, HeldLines]:
        """What is held back."""
        return self._kept.lines

    @property
    def pending(self) -> Iterable[Step]:
        """Steps whose end is not known."""
        return self._kept.pending.values()

    def knows(self, key: str) -> bool:
        """Whether a step was done, of the last 10,000."""
        return digest_of(key) in self._taken

    def intend(self, step: Step) -> None:
        """Note a step before its lines go to the outputs.

        Raises:
            OutputError: it cannot be noted.
        """
        kept = self._kept.pending
        before = kept.pop(step.key, None)
        kept[step.key] = step if before is None else Step(step.key, step.kind, before.names | step.names)
        while len(kept) > _MOST_PENDING:
            del kept[next(iter(kept))]
        # Without waiting for the disk: it outlives a kill; a power cut may lose it.
        self._write(_intent(step))

    async def commit(self, key: str, changes: Mapping[Name, HeldLines | None]) -> None:
        """Keep what has changed with a step that is done; None: is held back no more.

        Raises:
            OutputError: it is not kept, and has not changed.
        """
        if not key and not changes:
            return
        self._write(_commit(key, changes))
        if any(changes.values()):
            try:
                await asyncio.to_thread(os.fdatasync, self._file)
            except OSError as error:
                raise OutputError(f"what filters hold back is not on disk: {error.strerror or error}") from error
        _changed(self._kept, key, changes)
        self._changed = True
        if key:
            self._taken.add([digest_of(key)])
        if self._size > 2 * self._least + _GROWTH:
            self.tidy()

    def next_key(self) -> str:
        """A key for a step that no batch makes."""
        self._serial += 1
        return f"let go on {os.urandom(8).hex()} {self._serial}"

    def tidy(self) -> None:
        """Forget the bytes of what is held back no more."""
        if not self._changed:
            return
        try:
            self._rewrite()
        except OSError as error:
            log.warning("%s cannot be written anew: %s", self._path, error.strerror or error)

    def begin_anew(self, lines: Mapping[Name, HeldLines]) -> None:
        """Replace everything that another pipeline has left.

        Raises:
            OutputError: it cannot be written.
        """
        before = self._kept
        self._kept = Kept(self._pipeline, dict(lines))
        try:
            self._rewrite()
        except OSError as error:
            self._kept = before
            raise OutputError(f"what filters hold back cannot be written: {error.strerror or error}") from error
        self.fits = True

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _rewrite(self) -> None:
        kept = self._kept
        parts = [_frame((_BEGIN, VERSION, self._pipeline, list(self._taken)))]
        parts += [_intent(step) for step in kept.pending.values()]
        parts += [_commit("", {name: held}) for name, held in kept.lines.items()]
        content = b"".join(parts)
        beside = self._path.with_name(self._path.name + ".new")
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, _MODE)
        try:
            _write_all(file, content)
            os.fdatasync(file)
            beside.rename(self._path)
        except OSError:
            os.close(file)
            raise
        self.close()
        self._file, self._size, self._least = file, len(content), len(content)
        self._changed = self._fault = False

    def _write(self, data: bytes) -> None:
        try:
            if self._fault or self._file < 0:
                self._rewrite()
            _write_all(self._file, data)
        except OSError as error:
            # A part of it may be there. What follows a torn frame would not be read.
            self._fault = True
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
                self._fault = False
            raise OutputError(f"what filters hold back cannot be written: {error.strerror or error}") from error
        self._size += len(data)


def kept_of(data: bytes) -> Kept:
    """What a file holds, up to what is torn or broken."""
    kept = Kept()
    at = 0
    while at + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, at)
        payload = data[at + _HEAD.size : at + _HEAD.size + length]
        if len(payload) < length or zlib.crc32(payload) != checksum:
            break
        try:
            _take(kept, _DECODER.decode(payload))
        except (ValueError, TypeError, KeyError, IndexError) as error:
            log.warning("what filters hold back cannot be read to its end: %s", error)
            break
        at += _HEAD.size + length
    return kept


def _take(kept: Kept, frame: list[Any]) -> None:
    match frame:
        case [kind, version, pipeline, keys] if kind == _BEGIN:
            if version != VERSION:
                raise ValueError(f"it has version {version}, and {VERSION} is read")
            kept.pipeline, kept.keys = pipeline, list(keys)
        case [kind, key, what, names] if kind == _INTENT:
            step = Step(key, StepKind(what), frozenset((number, name) for number, name in names))
            before = kept.pending.pop(key, None)
            kept.pending[key] = step if before is None else Step(key, step.kind, before.names | step.names)
        case [kind, key, changes] if kind == _COMMIT:
            _changed(kept, key, {(number, name): _held(held) for number, name, held in changes})
            if key:
                kept.keys.append(digest_of(key))
        case _:
            raise ValueError("a frame is none of ours")


def _changed(kept: Kept, key: str, changes: Mapping[Name, HeldLines | None]) -> None:
    kept.pending.pop(key, None)
    for name, held in changes.items():
        kept.lines.pop(name, None)  # what has changed goes to the end, as it does in a filter: the order is the same
        if held is not None:
            kept.lines[name] = held


def _intent(step: Step) -> bytes:
    return _frame((_INTENT, step.key, step.kind.value, sorted(step.names)))


def _commit(key: str, changes: Mapping[Name, HeldLines | None]) -> bytes:
    return _frame((_COMMIT, key, [(number, name, _values(held)) for (number, name), held in changes.items()]))


def _values(held: HeldLines | None) -> Any:
    if held is None:
        return None
    events = [(event.time_ns, event.record) for event in held.events]
    return (held.tag, events, held.texts, held.size, held.changed_ms, held.mark)


def _held(values: Any) -> HeldLines | None:
    if values is None:
        return None
    tag, events, texts, size, changed_ms, mark = values
    return HeldLines(
        tag, tuple(Event(time_ns, record) for time_ns, record in events), tuple(texts), size, changed_ms, mark
    )


def _frame(values: Any) -> bytes:
    try:
        payload = _ENCODER.encode(values)
    except (TypeError, ValueError, OverflowError, RecursionError):
        payload = _ENCODER.encode(plain(values, _DEPTH))
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
