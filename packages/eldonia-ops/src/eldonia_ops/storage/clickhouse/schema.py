"""Tables of the telemetry store and how they change over time.

Migrations only ever get appended. Each is a list of statements that may run twice (a crash between
a statement and the note that it was done repeats it), and the version reached is kept in ``schema_versions``.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from eldonia_ops.ports import TelemetryError
from eldonia_ops.storage.clickhouse.deployment import SINGLE, Deployment, DeploymentKind
from eldonia_ops.storage.clickhouse.engines.engine import Engine


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days each signal is kept."""

    logs_days: int = 30
    traces_days: int = 14
    metrics_days: int = 90

    def __post_init__(self) -> None:
        for name in ("logs_days", "traces_days", "metrics_days"):
            if not 1 <= getattr(self, name) <= 36_500:
                raise ValueError(f"retention {name} must be between 1 and 36500 days")


# ClickHouse does not flush to disk by itself. These make a stored block survive a power cut, so that its records in the
# write-ahead log can be released: a part and a merged part are synced before they count. A copy of the folder, file by
# file, takes a while: the sources of a merge are kept for some seconds. A part that is broken all the same must not
# keep the whole table from loading: it is detached, and the status page says so.
_OLD_PARTS: Final = "old_parts_lifetime = 10"
_DURABLE: Final = (
    f"{_OLD_PARTS}, min_rows_to_fsync_after_merge = 1, fsync_part_directory = 1, "
    "fsync_after_insert = 1, max_suspicious_broken_parts = 1000000"
)
_BULK: Final = f"{_DURABLE}, non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1"

# A message's ASCII text and the rest are indexed apart. The tokenizer takes every byte above 127 for a
# letter, so an ASCII word inside Japanese text would not be a word of its own; and Chinese and Japanese have no
# spaces, so their words are found by pairs of characters. Messages in plain ASCII add nothing to the second index.
ASCII_TEXT: Final = r"replaceRegexpAll(lower(message), '[^\\x00-\\x7F]+', ' ')"
NON_ASCII_TEXT: Final = r"replaceRegexpAll(lowerUTF8(message), '[\\x00-\\x7F]+', ' ')"

DOCUMENT_ID: Final = "toString(getSubcolumn(metadata, '_id'))"
"""The id of a document, null where there is none; the index ``documents`` knows this expression alone."""

_LOGS = rf"""
CREATE TABLE IF NOT EXISTS logs (
    timestamp DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    id UInt64 CODEC(DoubleDelta, ZSTD(1)),
    level LowCardinality(String),
    message String CODEC(ZSTD(1)),
    service LowCardinality(String),
    component LowCardinality(String),
    operation LowCardinality(String),
    user_id String CODEC(ZSTD(1)),
    session_id String CODEC(ZSTD(1)),
    request_id String CODEC(ZSTD(1)),
    ip_address String CODEC(ZSTD(1)),
    user_agent String CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    environment LowCardinality(String),
    hostname LowCardinality(String),
    source LowCardinality(String),
    offset Int64 CODEC(DoubleDelta, ZSTD(1)),
    parse_error String CODEC(ZSTD(1)),
    details String CODEC(ZSTD(1)) COMMENT 'metadata, error and performance as they came, in JSON',
    metadata JSON(max_dynamic_paths = 64) COMMENT 'the same metadata for conditions; numbers lose their kind here',
    INDEX words {ASCII_TEXT} TYPE text(tokenizer = 'splitByNonAlpha'),
    INDEX characters {NON_ASCII_TEXT} TYPE text(tokenizer = ngrams(2)),
    INDEX traces trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX requests request_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX users user_id TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYYYYMMDD(timestamp) ORDER BY (timestamp, id) SETTINGS {_BULK}
"""

_SPANS = f"""
CREATE TABLE IF NOT EXISTS spans (
    start DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    duration_ns Int64 CODEC(T64, ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    parent_span_id String CODEC(ZSTD(1)),
    service LowCardinality(String),
    name LowCardinality(String),
    kind LowCardinality(String),
    status LowCardinality(String),
    details String CODEC(ZSTD(1)) COMMENT 'all other fields as they came, in JSON',
    attributes JSON(max_dynamic_paths = 64) COMMENT 'the attributes for conditions; numbers lose their kind here',
    INDEX traces trace_id TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYYYYMMDD(start) ORDER BY (toStartOfHour(start), service, start)
SETTINGS {_BULK}
"""

_SAMPLES = f"""
CREATE TABLE IF NOT EXISTS samples (
    metric UInt64 CODEC(ZSTD(1)),
    series UInt64 CODEC(ZSTD(1)),
    timestamp DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    value Float64 CODEC(Gorilla, ZSTD(1))
) ENGINE = MergeTree PARTITION BY toYYYYMMDD(timestamp)
ORDER BY (metric, toStartOfHour(timestamp), series, timestamp) SETTINGS {_BULK}
"""

# Rows of histograms are packed by us (histogram_codec.py): a table of arrays of doubles took twice the room, and four
# times in memory. The sample itself is a row of ``samples`` as well, with a value that marks it.
_HISTOGRAMS = f"""
CREATE TABLE IF NOT EXISTS histograms (
    metric UInt64 CODEC(ZSTD(1)),
    series UInt64 CODEC(ZSTD(1)),
    timestamp DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    count Float64 CODEC(Gorilla, ZSTD(1)),
    sum Float64 CODEC(Gorilla, ZSTD(1)),
    layout String CODEC(ZSTD(1)) COMMENT 'which buckets there are',
    counts String CODEC(ZSTD(1)) COMMENT 'what they hold'
) ENGINE = MergeTree PARTITION BY toYYYYMMDD(timestamp)
ORDER BY (metric, toStartOfHour(timestamp), series, timestamp) SETTINGS {_BULK}
"""

_SAMPLE_STARTS = f"""
CREATE TABLE IF NOT EXISTS sample_starts (
    metric UInt64 CODEC(ZSTD(1)),
    series UInt64 CODEC(ZSTD(1)),
    timestamp DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    start Int64 CODEC(DoubleDelta, ZSTD(1)) COMMENT 'Unix ms, 0 for unknown: from the timestamp on, one hour at least'
) ENGINE = MergeTree PARTITION BY toYYYYMMDD(timestamp)
ORDER BY (metric, toStartOfHour(timestamp), series, timestamp) SETTINGS {_BULK}
"""

_SERIES = f"""
CREATE TABLE IF NOT EXISTS series (
    id UInt64,
    metric UInt64,
    name LowCardinality(String),
    labels Map(LowCardinality(String), String),
    target String CODEC(ZSTD(1)),
    updated DateTime64(3, 'UTC')
) ENGINE = ReplacingMergeTree(updated) ORDER BY (name, id) SETTINGS {_DURABLE}
"""

_METADATA = f"""
CREATE TABLE IF NOT EXISTS metric_metadata (
    name String,
    type LowCardinality(String),
    help String,
    unit LowCardinality(String),
    updated DateTime64(3, 'UTC')
) ENGINE = ReplacingMergeTree(updated) ORDER BY name SETTINGS {_DURABLE}
"""

# Rows of series expire from here on, so all that are there count as renewed today. A version column cannot be
# updated in place: newer rows replace the old ones. Parts are renewed daily and expire daily, not every four hours.
_SERIES_RENEWED: Final = """
INSERT INTO series (id, metric, name, labels, target, updated)
SELECT id, metric, name, labels, target, now64(3) FROM series FINAL
"""
_SERIES_EXPIRE_DAILY: Final = "ALTER TABLE series MODIFY SETTING merge_with_ttl_timeout = 86400"
# When the days change, what each part knows of its expiry is computed anew, without writing the part again.
_RECALCULATE: Final = tuple(
    f"ALTER TABLE {table} MODIFY SETTING materialize_ttl_recalculate_only = 1"
    for table in ("logs", "spans", "samples", "series")
)
_BESIDE_RECALCULATE: Final = tuple(
    f"ALTER TABLE {table} MODIFY SETTING materialize_ttl_recalculate_only = 1"
    for table in ("histograms", "sample_starts")
)

# Ids of patterns are few in a part: a byte a record and less on the disk. Their templates are apart, one row for each
# change; the newest of an id counts.
_PATTERN_OF_A_RECORD: Final = (
    "ALTER TABLE logs ADD COLUMN IF NOT EXISTS pattern LowCardinality(String) AFTER parse_error"
)
_LOG_PATTERNS: Final = f"""
CREATE TABLE IF NOT EXISTS log_patterns (
    id String,
    template String CODEC(ZSTD(1)),
    first_seen DateTime64(3, 'UTC'),
    updated DateTime64(3, 'UTC')
) ENGINE = ReplacingMergeTree(updated) ORDER BY id SETTINGS {_DURABLE}, materialize_ttl_recalculate_only = 1
"""

# With them a row is deleted by a small part of its own, in milliseconds. To write a packed part anew takes a second.
# Reads leave such rows out; merges drop them.
_ROWS_CAN_BE_DELETED: Final = (
    "ALTER TABLE logs MODIFY SETTING enable_block_number_column = 1, enable_block_offset_column = 1"
)
# Documents of Elasticsearch's API are looked for by their ids, or by the numbers of those that came without.
_DOCUMENTS_BY_ID: Final = (
    f"ALTER TABLE logs ADD INDEX IF NOT EXISTS documents {DOCUMENT_ID} TYPE bloom_filter(0.01) GRANULARITY 1",
    "ALTER TABLE logs ADD INDEX IF NOT EXISTS offsets offset TYPE minmax GRANULARITY 1",
)

# The attributes of most records are in one column and their shape, not in two (shapes.py). What is stored already is
# read as it is, and gets the new codecs with its next merge. Times of a source have a common divisor, mostly a
# microsecond: jittered ones take 2.0 bytes a record, where differences of differences took 4.2. Higher levels of ZSTD
# cost more of the processor than they save on the disk: level 6 takes 3 % off messages, and twice the time.
_STORED_ONCE: Final = (
    "ALTER TABLE logs ADD COLUMN IF NOT EXISTS shape LowCardinality(String) CODEC(ZSTD(1)) "
    "COMMENT 'keys and kinds of the metadata that details leave out'",
    "ALTER TABLE logs MODIFY COLUMN timestamp CODEC(GCD, Delta, ZSTD(1))",
    "ALTER TABLE logs MODIFY COLUMN message CODEC(ZSTD(3)), MODIFY COLUMN metadata CODEC(ZSTD(3)), "
    "MODIFY COLUMN user_id CODEC(ZSTD(3))",
    "ALTER TABLE logs "
    + ", ".join(
        f"MODIFY COLUMN {name} CODEC(ZSTD(1))"
        for name in ("level", "service", "component", "operation", "environment", "hostname", "source")
    ),
)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (_LOGS, _SPANS, _SAMPLES, _SERIES, _METADATA),
    (_SERIES_RENEWED, _SERIES_EXPIRE_DAILY, *_RECALCULATE),
    (_HISTOGRAMS, _SAMPLE_STARTS, *_BESIDE_RECALCULATE),
    (_ROWS_CAN_BE_DELETED, *_DOCUMENTS_BY_ID),
    (_PATTERN_OF_A_RECORD, _LOG_PATTERNS),
    _STORED_ONCE,
)
"""The statements that lead from version ``i`` to version ``i + 1``, for one server.

:class:`~eldonia_ops.storage.clickhouse.deployment.Deployment` translates them: each creates a table, alters one, or
inserts.
"""

_MATERIALIZED: Final = "SETTINGS materialize_ttl_after_modify = 1"

_VERSIONS: Final = f"""
CREATE TABLE IF NOT EXISTS schema_versions (version UInt32, applied DateTime DEFAULT now())
ENGINE = MergeTree ORDER BY version SETTINGS {_DURABLE}
"""

SERIES_MARGIN_DAYS: Final = 7
"""How much longer the row of a series is kept than the last sample that it may have been renewed for.

A row is at most two days older than the last sample stored (``metrics/stored_series.py``);
the rest is for clocks.
"""


async def migrate(engine: Engine, retention: Retention, deployment: Deployment = SINGLE) -> None:
    """Create or update the tables and set how long their rows are kept.

    Raises:
        TelemetryError: the tables were written by a newer version of the platform.
    """
    await _run(engine, deployment, _VERSIONS)
    found = await rows(engine, "SELECT max(version) AS version FROM schema_versions")
    version = int(found[0]["version"])
    if version > len(MIGRATIONS):
        raise TelemetryError(
            f"the telemetry tables have version {version}, this platform knows {len(MIGRATIONS)}: upgrade the platform"
        )
    for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        for statement in statements:
            await _run(engine, deployment, statement)
        await engine.insert("schema_versions", ("version",), "JSONEachRow", b'{"version":%d}' % number)
    await _expire(engine, retention, deployment)


async def _expire(engine: Engine, retention: Retention, deployment: Deployment) -> None:
    created = {
        row["name"]: row["create_table_query"]
        for row in await rows(
            engine, "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase()"
        )
    }
    for table, query in created.items():
        # Sources of merges were kept for eight minutes when every small batch was a part.
        if "old_parts_lifetime = " in query and _OLD_PARTS not in query:
            await engine.execute(f"ALTER TABLE {table} MODIFY SETTING {_OLD_PARTS}")
    for table, column, kept in (
        ("logs", "timestamp", retention.logs_days),
        ("spans", "start", retention.traces_days),
        ("samples", "timestamp", retention.metrics_days),
        ("histograms", "timestamp", retention.metrics_days),
        ("sample_starts", "timestamp", retention.metrics_days),
        ("series", "updated", retention.metrics_days + SERIES_MARGIN_DAYS),
        ("log_patterns", "updated", retention.logs_days + SERIES_MARGIN_DAYS),
    ):
        # Not toDateTime(column): that ends in 2106, and 100 years from now would lie in the past.
        clause = f"TTL {column} + toIntervalDay({kept})"
        changed = clause not in created[deployment.stored(table)]
        if deployment.kind is not DeploymentKind.SINGLE:
            # The nodes of a cluster bring their parts up to date by themselves, also when one is away now.
            if changed:
                await _run(engine, deployment, f"ALTER TABLE {table} MODIFY {clause} {_MATERIALIZED}")
            continue
        if changed:
            await engine.execute(f"ALTER TABLE {table} MODIFY {clause}")
        # A part expires by the clause that it was written under: more days would not save what is there, and fewer
        # would not free it. Looked for at each start, so that no crash can come between.
        if await _parts_out_of_date(engine, table, kept):
            await engine.execute(f"ALTER TABLE {table} MATERIALIZE TTL")


async def _run(engine: Engine, deployment: Deployment, statement: str) -> None:
    for translated in deployment.translated(statement):
        await engine.execute(translated)


async def _parts_out_of_date(engine: Engine, table: str, kept: int) -> bool:
    """Whether a part of the table expires at another time than its rows, kept for so many days, do."""
    newest = "max_time"
    within = "system.parts"
    if table in ("series", "log_patterns"):
        # Not partitioned by time, so that its parts do not know their times.
        newest = "newest"
        within += (
            " INNER JOIN (SELECT _part AS name, toDateTime(max(updated)) AS newest "  # noqa: S608
            f"FROM {table} GROUP BY name) AS held USING name"
        )
    found = await rows(
        engine,
        f"SELECT count() AS parts FROM {within} WHERE active AND rows > 0 AND database = currentDatabase() "  # noqa: S608
        f"AND table = '{table}' AND delete_ttl_info_max != {newest} + toIntervalDay({kept})",
    )
    return found[0]["parts"] > 0


async def detached_parts(engine: Engine, deployment: Deployment = SINGLE) -> list[dict]:
    """Parts that the engine put aside as broken (``table``, ``name``, ``reason``), at most 100.

    Their rows are missing from every answer without any other sign.
    """
    return await rows(
        engine,
        f"SELECT table, name, reason FROM {deployment.system('detached_parts')} "  # noqa: S608
        "WHERE database = currentDatabase() ORDER BY table, name LIMIT 100",
    )


async def rows(engine: Engine, sql: str, parameters: dict | None = None) -> list[dict]:
    """The result of a small SELECT as dictionaries."""
    return decode_rows(await engine.query(sql, parameters))


def decode_rows(body: bytes) -> list[dict]:
    """JSONEachRow as dictionaries."""
    return [msgspec.json.decode(line) for line in body.splitlines() if line]
