"""Patterns of log messages: what they cost at intake, in the table, and when they are asked for."""

import asyncio
import random
import tempfile
import time
from pathlib import Path

from benchmarks.harness import AsyncContender, Contender, Row, Spread, Table, alternate, alternate_async, durations
from eldonia_ops.log_patterns.miner import Miner
from eldonia_ops.model.log_batch import LogBatch, LogBlock, LogPart
from eldonia_ops.model.logs import LogLevel
from eldonia_ops.ports import LogQuery, TelemetryStores
from eldonia_ops.services.ingest import IngestService, Origin
from eldonia_ops.services.logs.patterns import pattern_changes, patterns_of
from eldonia_ops.storage.clickhouse import ClickhouseTelemetryStore, open_telemetry_store

_BATCH = 5_000
_FORMS = (
    "user {} logged in from 10.0.{}.{} in {} ms",
    "GET /api/v1/orders/{} took {}ms for {} after {} tries",
    "cache miss for key {} {} {} {}",
    "payment {} of {} failed with {} code {}",
)
_SERVICES = 20


def run(quick: bool) -> list[Table]:
    """Microseconds a record, bytes a record, milliseconds a question."""
    size = 4 if quick else 60
    with tempfile.TemporaryDirectory() as name:
        return [_mining(size, 2 if quick else 5), asyncio.run(_asking(Path(name), size, 2 if quick else 5))]


def _mining(batches: int, rounds: int) -> Table:
    rng = random.Random(1)
    services = [f"service {rng.randrange(_SERVICES)}" for _ in range(_BATCH)]
    kinds = {
        "numbers in them": lambda: _formed(rng),
        "an identifier of 32 digits in each": lambda: f"{_formed(rng)} {rng.getrandbits(128):032x}",
        "without a form: nine words at random": lambda: " ".join(
            "".join(rng.choices("abcdefgh", k=6)) for _ in range(9)
        ),
    }
    contenders: list[Contender] = []
    for name, make in kinds.items():
        texts = [[make() for _ in range(_BATCH)] for _ in range(batches)]
        miner = Miner()
        for some in texts[:10]:
            miner.assign(some, services, 0)
        miner.changed()

        def mine(texts: list[list[str]] = texts, miner: Miner = miner) -> None:
            for some in texts:
                miner.assign(some, services, 0)

        contenders.append(
            Contender(f"messages with {name}" if "form" not in name else f"messages {name}", mine, batches * _BATCH)
        )
    found = alternate(contenders, rounds=rounds)
    notes = [f"batches of {_BATCH:,}; a record of each batch is of one of {_SERVICES} services"]
    return durations("Patterns of messages, at intake", found, "µs a record", notes=notes)


def _formed(rng: random.Random) -> str:
    return rng.choice(_FORMS).format(*(rng.randint(1, 99_999) for _ in range(4)))


async def _asking(folder: Path, batches: int, rounds: int) -> Table:
    rng = random.Random(2)
    since = (int(time.time()) - 3_600) * 10**9
    store = await open_telemetry_store(folder / "telemetry")
    try:
        service = IngestService(TelemetryStores(store, store, store), Origin("bench", "here"))
        total = batches * _BATCH
        for number in range(batches):
            await service.logs(_block(rng, since, number * _BATCH, total))
        query = LogQuery(since, since + 3_600 * 10**9)
        half = since + 1_800 * 10**9
        questions = [
            AsyncContender(f"patterns of {total:,} records", lambda: patterns_of(store, query)),
            AsyncContender(
                "what is new in the second half of them",
                lambda: pattern_changes(store, LogQuery(half, query.until_ns), LogQuery(since, half)),
            ),
        ]
        notes = [f"{len(_FORMS)} forms, {_SERVICES} services, one hour"]
        table = durations(
            "Patterns of messages, asked for", await alternate_async(questions, rounds=rounds), "ms", notes=notes
        )
        size = await _column_bytes(store) / total
        table.rows.append(Row("the column of patterns, on disk", Spread(size, size, size), "bytes a record"))
    finally:
        await store.close()
    return table


def _block(rng: random.Random, since: int, first: int, total: int) -> LogBatch:
    times = [since + (first + row) * 3_600 * 10**9 // total for row in range(_BATCH)]
    block = LogBlock(
        timestamps_ns=times,
        messages=[_formed(rng) for _ in times],
        levels=[rng.choice((LogLevel.INFO, LogLevel.WARN)) for _ in times],
        offsets=range(first, first + _BATCH),
        texts={"service": [f"service {rng.randrange(_SERVICES)}" for _ in times]},
        shared={"source": "bench"},
        metadata={},
    )
    return LogBatch([LogPart(range(_BATCH), block)], {})


async def _column_bytes(store: ClickhouseTelemetryStore) -> int:
    await store.statistics()  # what waits is stored
    engine = store._engine
    # A packed part says nothing of its columns.
    await engine.execute(
        "CREATE TABLE bench ENGINE = MergeTree ORDER BY (timestamp, id) SETTINGS min_bytes_for_wide_part = 0 "
        "AS SELECT timestamp, id, pattern FROM logs"
    )
    body = await engine.query(
        "SELECT sum(column_bytes_on_disk) FROM system.parts_columns "
        "WHERE active AND table = 'bench' AND column = 'pattern'",
        format="TSV",
    )
    return int(body)
