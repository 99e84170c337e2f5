"""Has the bytes of deleted rows leave the disk: those of log records, and of patterns of their messages.

A deletion is a small patch part that says which rows do not count. Here the patches become masks of the parts
(``APPLY PATCHES``), and parts with a mask are written anew without those rows (``APPLY DELETED MASK``), partition by
partition, so that only one day needs its room twice. Neither statement names a value: ClickHouse keeps the text of a
mutation in a file. Other parts are linked, not copied. See https://clickhouse.com/docs/sql-reference/statements/alter/apply-patches
and https://clickhouse.com/docs/sql-reference/statements/alter/apply-deleted-mask
"""

import asyncio
from typing import Any, Final

from eldonia_ops.ports import TelemetryError
from eldonia_ops.storage.clickhouse.deployment import Deployment
from eldonia_ops.storage.clickhouse.engines.engine import Engine
from eldonia_ops.storage.clickhouse.schema import rows

PAUSE_SECONDS: Final = 0.5
MUTATION_SECONDS: Final = 1_800.0
"""How long one statement may take: a day of records that is written anew."""

FAILED_LOOKS: Final = 10
"""How often in a row a statement may be seen to have failed: the engine tries again, for a part may be in use."""

GONE_SECONDS: Final = 300.0
"""How long old parts may stay: the engine lets go of them after ten seconds, a reader may hold them for longer."""


class Expunging:
    """Writes parts of a table anew that hold deleted rows. One at a time."""

    def __init__(self, engine: Engine, deployment: Deployment, table: str = "logs") -> None:
        self._engine = engine
        self._deployment = deployment
        self._table = deployment.stored(table)
        self._target = deployment.deletable(table)
        self._lock = asyncio.Lock()

    async def rewrite(self) -> int:
        """Write the parts anew that hold deleted rows; how many.

        Raises:
            TelemetryError: the engine could not, and does not try any more.
        """
        async with self._lock:
            if await self._parts("active AND startsWith(partition_id, 'patch-')"):
                await self._mutate("APPLY PATCHES")
            masked = await self._parts("active AND has_lightweight_delete")
            for partition in sorted({part["partition_id"] for part in masked}):
                if partition.isdigit():  # the partition of a day; what is a patch part goes by itself
                    await self._mutate(f"APPLY DELETED MASK IN PARTITION ID '{partition}'")
            return len([part for part in masked if part["partition_id"].isdigit()])

    async def delete(self, condition: str) -> None:
        """Write the parts anew without the rows for which a condition holds. Its text is kept in a file for a while.

        Raises:
            TelemetryError: the engine could not, and does not try any more.
        """
        async with self._lock:
            await self._mutate(f"DELETE WHERE {condition}")

    async def old_parts_gone(self) -> int:
        """Return once the parts that do not count any more have left the disk; how many there were.

        Raises:
            TelemetryError: some are still there.
        """
        old = {part["name"] for part in await self._parts("NOT active")}
        left, waited = set(old), 0.0
        while left:
            if waited > GONE_SECONDS:
                raise TelemetryError(
                    f"{len(left)} old parts of {self._table} are still on the disk, such as {min(left)}"
                )
            await asyncio.sleep(PAUSE_SECONDS)
            waited += PAUSE_SECONDS
            left &= {part["name"] for part in await self._parts("NOT active")}
        return len(old)

    async def put_aside(self) -> int:
        """How many broken parts of the table the engine put aside: what they hold cannot be looked into."""
        found = await rows(
            self._engine,
            f"SELECT count() AS parts FROM {self._deployment.system('detached_parts')} "  # noqa: S608
            f"WHERE database = currentDatabase() AND table = '{self._table}'",
        )
        return int(found[0]["parts"])

    async def _parts(self, condition: str) -> list[dict[str, Any]]:
        return await rows(
            self._engine,
            f"SELECT name, partition_id FROM {self._deployment.system('parts')} "  # noqa: S608
            f"WHERE database = currentDatabase() AND table = '{self._table}' AND {condition}",
        )

    async def _mutate(self, command: str) -> None:
        """Run a mutation in the background, so that no write waits for the connection, and return when it is done."""
        await self._engine.execute(f"ALTER TABLE {self._target} {command} SETTINGS mutations_sync = 0")
        waited, failing = 0.0, 0
        while unfinished := await self._unfinished():
            reasons = [one["reason"] for one in unfinished if one["reason"]]
            failing = failing + 1 if reasons else 0
            if failing > FAILED_LOOKS or waited > MUTATION_SECONDS:
                await self._engine.execute(
                    f"KILL MUTATION WHERE database = currentDatabase() AND table = '{self._table}' ASYNC"
                )
                raise TelemetryError(f"parts with deleted rows could not be written anew: {(reasons or ['time'])[0]}")
            await asyncio.sleep(PAUSE_SECONDS)
            waited += PAUSE_SECONDS

    async def _unfinished(self) -> list[dict[str, Any]]:
        return await rows(
            self._engine,
            "SELECT mutation_id, latest_fail_reason AS reason "  # noqa: S608
            f"FROM {self._deployment.system('mutations')} WHERE database = currentDatabase() "
            f"AND table = '{self._table}' AND NOT is_done AND NOT is_killed",
        )
