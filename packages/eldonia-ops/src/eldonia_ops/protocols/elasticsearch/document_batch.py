"""Many documents at once: those with the same keys become columns, as lines of a file do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Any, Final

import msgspec

from eldonia_ops.model.log_batch import LogBatch, LogBlock, LogPart, joined_parts
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.protocols.elasticsearch.document_check import MAX_DOCUMENT, read_document
from eldonia_ops.protocols.elasticsearch.documents import (
    DAY_NS,
    FORBIDDEN,
    ID,
    INDEX,
    RECIPE,
    TIMESTAMP,
    can_be_named,
    recipe_entry,
    record_of_document,
)
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, document_error
from eldonia_ops.protocols.elasticsearch.identity import SOURCE
from eldonia_ops.protocols.elasticsearch.instants import spelling_of_all
from eldonia_ops.protocols.logs.fields import known_shape
from eldonia_ops.protocols.logs.lines import MIN_BLOCK, unusual_lines
from eldonia_ops.protocols.logs.shapes import Shape

_AT_ONCE: Final = 256
"""So few that what is built of them stays in the processor's cache."""

_SHARED: Final = {"source": SOURCE}
_decode_lines: Final = msgspec.json.Decoder().decode_lines
_decode: Final = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Documents:
    """``records`` are those that can be kept, in their order; ``rows[i]`` is the place of the i-th among the lines.
    ``faults`` are the others, by their place. ``samples`` has a document of each index for each tuple of keys, by which
    the fields of the index are known."""

    records: LogBatch
    rows: Sequence[int]
    faults: Mapping[int, ElasticsearchError]
    samples: Mapping[tuple[str, ...], Mapping[str, Any]] = field(default_factory=dict)


def read_documents(
    lines: Sequence[bytes],
    indices: str | Sequence[str],
    first_number: int,
    received_ns: int,
    streams: frozenset[str] = frozenset(),
    ids: Sequence[str] = (),
) -> Documents:
    """The records of documents, each of an index; ``indices`` is one name if it is the same for all, and ``ids`` are
    empty if the documents came without.

    The line at a place has the number ``first_number`` and its place. In ``streams`` are the indices whose documents
    need a time.
    """
    parts: dict[tuple[Any, ...], list[LogPart]] = {}
    singles: dict[int, LogRecord] = {}
    faults: dict[int, ElasticsearchError] = {}
    samples: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for start in range(0, len(lines), _AT_ONCE):
        some = lines[start : start + _AT_ONCE]
        values = _decoded(some)
        groups: dict[tuple[Any, ...], list[int]] = {}
        for row, value in enumerate(values):
            if value is None:
                key: tuple[Any, ...] = ()
            else:
                key = (indices if type(indices) is str else indices[start + row], *value)
            groups.setdefault(key, []).append(row)
        for key, rows in groups.items():
            careful = rows
            shape = known_shape(dict.fromkeys(key[1:])) if len(rows) >= MIN_BLOCK and key else None
            if (
                shape is not None
                and FORBIDDEN.isdisjoint(key[1:])
                and _time_is_read(shape, key[1:])
                and (key[0] not in streams or TIMESTAMP in key[1:])
            ):
                own_ids = [ids[start + row] for row in rows] if ids else ()
                group = _Group(shape, key[0], own_ids, [some[row] for row in rows], [values[row] for row in rows])
                places = [start + row for row in rows]
                found, more = group.parts(places, first_number, received_ns)
                samples.setdefault(key, group.values[0])
                for part in found:
                    name = (key, part.block.metadata[RECIPE][0], *part.block.metadata)
                    parts.setdefault(name, []).append(part)
                careful = [rows[row] for row in more]
            for row in careful:
                place = start + row
                index = indices if type(indices) is str else indices[place]
                try:
                    document = read_document(some[row])
                    check_time(document, index, streams)
                    samples.setdefault((index, *document), document)
                    singles[place] = record_of_document(
                        document,
                        index=index,
                        number=first_number + place,
                        received_ns=received_ns,
                        id=ids[place] if ids else "",
                    )
                except ElasticsearchError as error:
                    faults[place] = error
    joined = [joined_parts(same) for same in parts.values()]
    kept = range(len(lines)) if not faults else [row for row in range(len(lines)) if row not in faults]
    if faults:
        place_of = {row: place for place, row in enumerate(kept)}
        joined = [LogPart([place_of[row] for row in part.places], part.block) for part in joined]
        singles = {place_of[row]: record for row, record in singles.items()}
    return Documents(LogBatch(joined, singles), kept, faults, samples)


def check_time(document: Mapping[str, Any], index: str, streams: frozenset[str]) -> None:
    """Refuse a document of a data stream that has no time.

    Raises:
        ElasticsearchError: it has none.
    """
    if index in streams and document.get(TIMESTAMP) is None:
        raise document_error(
            f"data stream timestamp field [{TIMESTAMP}] is missing", f"add [{TIMESTAMP}] to each document"
        )


def _time_is_read(shape: Shape, keys: Sequence[str]) -> bool:
    """Whether the time is ``@timestamp`` if there is one: a document in which that cannot be read is refused."""
    return TIMESTAMP not in keys or shape.columns.get(TIMESTAMP) == "timestamp_ns"


def _decoded(lines: Sequence[bytes]) -> list[dict[str, Any] | None]:
    """The object in each line; None for one that has to be read with care: all that are no flat objects, too."""
    joined = b"\n".join(lines)
    if (
        joined.startswith(b"{")
        and joined.endswith(b"}")
        # No value goes over the end of a line, as in protocols/logs/lines.py.
        and joined.count(b"}\n{") == joined.count(b"\n") == len(lines) - 1
        and max(map(len, lines)) <= MAX_DOCUMENT
        and b'" :' not in joined
    ):
        try:
            values: list[Any] = _decode_lines(joined)
        except (ValueError, RecursionError):
            values = []
        # As many colons as keys: nothing is nested, and no key is there twice.
        if len(values) == len(lines) and joined.count(b'":') == sum(map(len, values)):
            return values
    return [_decoded_one(line) for line in lines]


def _decoded_one(line: bytes) -> dict[str, Any] | None:
    if line[:1] != b"{" or len(line) > MAX_DOCUMENT or b'" :' in line or line.count(b"{") > 64:
        return None
    try:
        value = _decode(line)
    except (ValueError, RecursionError):
        return None
    return value if type(value) is dict and line.count(b'":') == len(value) else None


@dataclass(frozen=True, slots=True)
class _Group:
    """Documents of one index with the same keys."""

    shape: Shape
    index: str
    ids: Sequence[str]
    lines: Sequence[bytes]
    values: Sequence[Any]

    def parts(self, places: Sequence[int], first_number: int, received_ns: int) -> tuple[list[LogPart], list[int]]:
        """The parts, whose places are those given, and the rows that have to be read with care."""
        found, careful = self.shape.parts(
            self.values,
            range(len(self.values)),
            unusual_lines(self.lines),
            [first_number + place for place in places],
            shared=_SHARED,
        )
        parts: list[LogPart] = []
        for part in found:
            if max(part.block.timestamps_ns) > received_ns + DAY_NS:
                careful += part.places
                continue
            parts.append(LogPart([places[row] for row in part.places], self._with_recipe(part)))
        return parts, sorted(careful)

    def _with_recipe(self, part: LogPart) -> LogBlock:
        block = part.block
        recipe: list[str] = []
        kept: dict[str, Sequence[Any]] = {}
        for key, name in self.shape.columns.items():
            if not can_be_named(key):
                kept[key] = [self.values[row][key] for row in part.places]
            elif name == "timestamp_ns":
                stated = [self.values[row][key] for row in part.places]
                if spelling := spelling_of_all(stated, block.timestamps_ns):
                    recipe.append(recipe_entry(key, name, spelling))
                else:
                    kept[key] = stated
            elif name == "level":
                if "level" in block.metadata and "level" not in self.values[part.places[0]]:
                    kept[key] = block.metadata["level"]
                elif "level" not in block.metadata:
                    recipe.append(recipe_entry(key, name))
            elif name == "message" or all(block.texts[name]):
                recipe.append(recipe_entry(key, name))
            else:
                kept[key] = block.texts[name]
        others = {key: column for key, column in block.metadata.items() if key != "level" or "level" in self.values[0]}
        rows = len(block)
        own: dict[str, Sequence[Any]] = {
            INDEX: list(repeat(self.index, rows)),
            **({ID: [self.ids[row] for row in part.places]} if self.ids else {}),
            RECIPE: list(repeat(",".join(recipe), rows)),
        }
        return replace(block, metadata={**own, **kept, **others})
