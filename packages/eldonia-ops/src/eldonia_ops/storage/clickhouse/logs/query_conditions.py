"""SQL for a query: which rows of the table of logs it means, and those before or behind a place."""

from eldonia_ops.ports import LogQuery
from eldonia_ops.search.tree import conjunction
from eldonia_ops.storage.clickhouse.attributes.conditions import LOG_COLUMNS, conditions_sql
from eldonia_ops.storage.clickhouse.engines.engine import Parameter
from eldonia_ops.storage.clickhouse.logs.rows import bounded_ns
from eldonia_ops.storage.clickhouse.logs.search import SearchSql, plain_text


def query_conditions(query: LogQuery) -> tuple[str, dict[str, Parameter]]:
    """What follows WHERE, with its parameters."""
    parameters: dict[str, Parameter] = {"since": bounded_ns(query.since_ns), "until": bounded_ns(query.until_ns)}
    parts = [
        "timestamp >= fromUnixTimestamp64Nano({since:Int64})",
        "timestamp < fromUnixTimestamp64Nano({until:Int64})",
    ]
    if query.levels:
        parts.append("level IN {levels:Array(String)}")
        parameters["levels"] = [level.value for level in query.levels]
    if query.services:
        parts.append("service IN {services:Array(String)}")
        parameters["services"] = list(query.services)
    for name in ("trace_id", "request_id", "user_id", "component"):
        if value := getattr(query, name):
            parts.append(f"{name} = {{{name}:String}}")
            parameters[name] = value
    if query.parse_errors_only:
        parts.append("parse_error != ''")
    parts += conditions_sql(query.where, LOG_COLUMNS, parameters)
    found = SearchSql(parameters).conjuncts(conjunction([plain_text(query.text), query.search]))
    return " AND ".join([*found, *parts]), parameters


def before(place: tuple[int, int], parameters: dict[str, Parameter]) -> str:
    """SQL that goes on before a place. The bare bound on the first column of the key lets the engine skip granules."""
    parameters |= {"before": bounded_ns(place[0]), "before_id": max(0, place[1])}
    return (
        " AND timestamp <= fromUnixTimestamp64Nano({before:Int64}) "
        "AND (timestamp < fromUnixTimestamp64Nano({before:Int64}) OR id < {before_id:UInt64})"
    )


def behind(place: tuple[int, int], parameters: dict[str, Parameter]) -> str:
    """SQL that goes on behind a place."""
    parameters |= {"after": bounded_ns(place[0]), "after_id": max(0, place[1])}
    return (
        " AND timestamp >= fromUnixTimestamp64Nano({after:Int64}) "
        "AND (timestamp > fromUnixTimestamp64Nano({after:Int64}) OR id > {after_id:UInt64})"
    )
