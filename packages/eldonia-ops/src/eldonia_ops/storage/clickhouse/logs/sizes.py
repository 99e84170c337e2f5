"""How much room records take that a search finds, hour by hour."""

from eldonia_ops.ports import LogSize
from eldonia_ops.storage.clickhouse.engines.engine import Engine, Parameter
from eldonia_ops.storage.clickhouse.schema import rows


async def log_sizes(engine: Engine, parts: str, where: str, parameters: dict[str, Parameter]) -> list[LogSize]:
    """Records for which ``where`` holds, by hours; their bytes are what a record of their day takes on average.

    ``parts`` names the system's table of parts, up to its condition.
    """
    counts = await rows(
        engine,
        "SELECT toUnixTimestamp(toStartOfHour(timestamp)) AS hour, toYYYYMMDD(timestamp) AS day, count() AS records "  # noqa: S608
        f"FROM logs WHERE {where} GROUP BY hour, day ORDER BY hour",
        parameters,
    )
    sizes = await rows(
        engine,
        "SELECT partition_id, sum(bytes_on_disk) / greatest(sum(rows), 1) AS each "  # noqa: S608
        f"FROM {parts} AND database = currentDatabase() AND active GROUP BY partition_id",
    )
    each = {str(row["partition_id"]): float(row["each"]) for row in sizes}
    return [
        LogSize(
            int(row["hour"]) * 10**9,
            int(row["records"]),
            round(int(row["records"]) * each.get(str(row["day"]), 0.0)),
        )
        for row in counts
    ]
