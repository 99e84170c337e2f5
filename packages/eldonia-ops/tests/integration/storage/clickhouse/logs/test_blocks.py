"""The engine stores of a block what it stores of the same records in JSON."""

import json
import random
from typing import Any

import msgspec

from eldonia_ops.model.logs import LogError, LogRecord
from eldonia_ops.protocols.logs.lines import parse_lines
from eldonia_ops.storage.clickhouse import Retention
from eldonia_ops.storage.clickhouse.engines.engine import Engine
from eldonia_ops.storage.clickhouse.logs.blocks import block_batch
from eldonia_ops.storage.clickhouse.logs.rows import COLUMNS, lines_of
from eldonia_ops.storage.clickhouse.schema import migrate, rows

_VALUES: list[Any] = [
    *("", "x", "注文", "2026-11-28", "2026-11-28T00:00:00Z", "12", "true", '"\\/', "y" * 300),
    *(0, -1, 7, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63)),
    *(0.0, -0.0, 1.0, 1.5, 1e22, 1e-7, 1e308, True, False, None),
]
_KEYS = ("status", "latency.ms", "a.b", "a.c", "Zähler", "with space", "x-y", "a%2Eb", "50%", "key", "_", "n1", "n2")


def _documents(chance: random.Random) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for kind in range(20):
        keys = chance.sample(_KEYS, chance.randrange(len(_KEYS)))
        same = kind % 3 == 0
        fixed = {key: chance.choice(_VALUES) for key in keys}
        for n in range(20):
            extra = fixed if same else {key: chance.choice(_VALUES) for key in keys}
            level = chance.choice(["info", "INFO"])
            found.append({"ts": f"2026-11-28T00:00:{n:02d}.25Z", "level": level, "message": f"m {kind} {n}", **extra})
    return found


async def test_blocks_hold_what_lines_hold(engine: Engine) -> None:
    await migrate(engine, Retention())
    chance = random.Random(7)
    lines = [json.dumps(document, ensure_ascii=False).encode() for document in _documents(chance)]
    batch = parse_lines(lines, [n * 10 for n in range(len(lines))], 1, source="f#1")
    assert len(batch.parts) > 10
    error = LogError(name="E", stack="at x")
    singles = [
        LogRecord(timestamp_ns=1_795_824_000 * 10**9, message="nested", metadata={"a": {"b": [1, "x"]}, "c.d": 1}),
        LogRecord(timestamp_ns=1_795_824_001 * 10**9, message="bare", error=error, tag="app.x", parse_error="no"),
        LogRecord(timestamp_ns=1_795_824_002 * 10**9, message="many", metadata={f"k{n}": n for n in range(100)}),
    ]
    both = [(batch, range(0, len(batch))), (singles, range(len(batch), len(batch) + len(singles)))]
    for records, ids in both:
        blocks = block_batch(records, ids)
        await engine.insert("logs", COLUMNS, "Native", b"".join(blocks.blocks))
        body = b"\n".join(lines_of(list(records), [id + 10**6 for id in ids]))
        await engine.insert("logs", COLUMNS, "JSONEachRow", body)
    found = await rows(
        engine,
        "SELECT * EXCEPT (metadata), toString(metadata) AS document, "
        "toString(mapSort(JSONAllPathsWithTypes(metadata))) AS types FROM logs ORDER BY id",
    )
    count = len(batch) + len(singles)
    assert len(found) == 2 * count
    for block_row, line_row in zip(found[:count], found[count:], strict=True):
        assert block_row.pop("id") == line_row.pop("id") - 10**6
        assert block_row == line_row
    parts = await rows(
        engine,
        "SELECT count() AS parts FROM system.parts WHERE database = currentDatabase() AND table = 'logs' AND active",
    )
    assert parts[0]["parts"] <= 4  # many blocks in one body become one part
    assert msgspec.json.decode(found[0]["details"] or "{}") is not None
