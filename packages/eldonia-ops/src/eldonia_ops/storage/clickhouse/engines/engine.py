"""What the telemetry store asks of ClickHouse, wherever it runs.

Values never enter the text of a statement: they are ``{name:Type}`` parameters, rendered here in
the form that both chDB and the HTTP interface expect.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import uuid4

from eldonia_ops.model.snapshots import SnapshotFile
from eldonia_ops.ports import QueryTooComplexError, TelemetryError, TelemetryLimitError, TelemetryUnavailableError

Parameter = str | int | float | list[str] | list[int] | list[float]
"""A value for a statement: a scalar or a homogeneous list."""

READ_SETTINGS: Final[Mapping[str, int | str]] = {
    "max_execution_time": 15,
    "max_memory_usage": 1_000_000_000,
    "max_result_bytes": 800_000_000,
    "result_overflow_mode": "throw",
    "timeout_overflow_mode": "throw",
    "output_format_json_quote_64bit_integers": 0,
    # Threads for the text of an answer cost a millisecond of each small one, and save nothing of ten thousand records.
    "output_format_parallel_formatting": 0,
    # Between Distributed tables: a subquery is asked once, and its answer goes to all shards.
    "distributed_product_mode": "global",
}
"""Bounds on every read, so that no question can take the platform down."""

WRITE_SETTINGS: Final[Mapping[str, int | str]] = {
    # Two parsing threads for one small batch cost more than they save.
    "input_format_parallel_parsing": 0,
    "json_type_escape_dots_in_keys": 1,
    "type_json_skip_duplicated_paths": 1,
    # A text that looks like an instant is a text: conditions compare what was sent.
    "input_format_try_infer_dates": 0,
    "input_format_try_infer_datetimes": 0,
    # A batch with timestamps all over the calendar is data, not a reason to refuse it.
    "throw_on_max_partitions_per_insert_block": 0,
    # One insert is one block for each partition, however wide its rows: the token names the whole.
    "max_insert_block_size": 10_000_000,
    # The parts of this many days are written before the first of them counts, so that a disk which is full
    # half-way keeps nothing. Each takes some 20 MB of the memory that the engine allows itself.
    "max_insert_delayed_streams_for_parallel_write": 16,
    "materialize_ttl_after_modify": 0,
    # An insert into a Distributed table returns when the shards have stored it.
    "distributed_foreground_insert": 1,
}

_LIMIT_CODES = frozenset({158, 159, 160, 241, 307, 394, 396})
# TOO_MANY_ROWS, TIMEOUT_EXCEEDED, TOO_SLOW, MEMORY_LIMIT_EXCEEDED, TOO_MANY_BYTES,
# QUERY_WAS_CANCELLED, TOO_MANY_ROWS_OR_BYTES
_SHAPE_CODES = frozenset({167, 168, 306})
# TOO_DEEP_AST, TOO_BIG_AST, TOO_DEEP_RECURSION: asked again it is refused again.


class EngineUnavailableError(TelemetryUnavailableError):
    """The engine could not be reached, whatever the statement was."""


class Engine(Protocol):
    """A ClickHouse that runs one statement at a time for each caller.

    Every method raises :class:`TelemetryLimitError` when a bound of :data:`READ_SETTINGS` was hit and
    :class:`TelemetryError` for any other refusal.
    """

    async def execute(self, sql: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        """Run a statement that changes something and returns nothing."""
        ...

    async def insert(self, table: str, columns: tuple[str, ...], format: str, body: bytes, *, token: str = "") -> None:
        """Insert a body encoded in an input format; stored and flushed on return.

        A ``token`` makes a repetition of the same insert a no-op. A failure while parts are written leaves
        nothing of a batch of up to 16 partitions; of a larger one, or when the engine went away, some partitions
        may be stored, and a repetition with the same token stores the others.
        """
        ...

    async def query(
        self, sql: str, parameters: Mapping[str, Parameter] | None = None, *, format: str = "JSONEachRow"
    ) -> bytes:
        """Run a SELECT and return its result in an output format."""
        ...

    async def freeze(self, data: Path) -> list[SnapshotFile]:
        """Hard links of the parts that are stored now, and the tables that they belong to; none where the files are
        a server's. ``data`` is the folder that names begin below. They stay until :meth:`thaw`."""
        ...

    async def thaw(self) -> None:
        """Remove what :meth:`freeze` made."""
        ...

    def facts(self) -> dict[str, Any]:
        """What the status page should know about the engine itself."""
        ...

    async def close(self) -> None:
        """Cancel what runs and release everything. Idempotent."""
        ...


def insert_statement(table: str, columns: tuple[str, ...], token: str, *, source: str = "") -> str:
    """The INSERT up to its format; its data follow, or are in the file ``source``.

    ``table`` and ``columns`` are names from the schema, never input.
    """
    # Without a token ClickHouse takes a second batch with equal contents for a repetition, and the setting
    # to turn that off has another name in each generation of releases: a token of its own works in all.
    names = f"insert_deduplicate=1, insert_deduplication_token={quoted(token or uuid4().hex)}"
    infile = f" FROM INFILE {quoted(source)} COMPRESSION 'none'" if source else ""
    return f"INSERT INTO {table} ({', '.join(columns)}){infile} SETTINGS {names}"


def rendered(parameters: Mapping[str, Parameter] | None) -> dict[str, str]:
    """Parameters in ClickHouse's text form: scalars as in TabSeparated, lists as array literals.

    Source: https://clickhouse.com/docs/interfaces/http#cli-queries-with-parameters
    """
    return {name: _render(value) for name, value in (parameters or {}).items()}


def _render(value: Parameter) -> str:
    if isinstance(value, list):
        return "[" + ",".join(quoted(item) if isinstance(item, str) else str(item) for item in value) + "]"
    return _escaped(value) if isinstance(value, str) else str(value)


def quoted(text: str) -> str:
    """A string literal in single quotes."""
    return "'" + _escaped(text).replace("'", "\\'") + "'"


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\b": "\\b", "\f": "\\f"})


def _escaped(text: str) -> str:
    # A lone surrogate cannot be sent at all; nothing stored can be equal to it.
    return text.encode("utf-8", "replace").decode().translate(_ESCAPES)


def failure(message: str, code: int = 0) -> TelemetryError:
    """The exception for an engine's error message; its number is read from ``Code: 159.`` when not given."""
    if not code:
        _, _, rest = message.partition("Code: ")
        digits = rest.partition(".")[0]
        code = int(digits) if digits.isdigit() else 0
    if code in _SHAPE_CODES:
        return QueryTooComplexError("the search has too many parts within each other: write it with fewer")
    text = message.split("(version ", maxsplit=1)[0].strip()[:2000]
    kind = TelemetryLimitError if code in _LIMIT_CODES else TelemetryError
    return kind(text)
