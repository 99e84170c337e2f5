"""From the text of ``INFO ALL`` to readings. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from eldonia_ops.collectors.poll_loop import Reading
from eldonia_ops.collectors.redis.names import (
    COMMANDS,
    COUNTERS,
    DATABASES,
    GAUGES,
    INSTANCE_INFO,
    OF_MASTER,
    SCALES,
)

_MAX_ITEMS: Final = 1_000
"""How many commands, kinds of errors, replicas or databases are read: what a client can make up has a bound."""

_WORDS: Final = {"ok": 1.0, "up": 1.0, "err": 0.0, "fail": 0.0, "down": 0.0}
_SCALARS: Final = {field: f"redis_{name}" for field, name in (GAUGES | COUNTERS).items()}


def parse_info(text: str) -> dict[str, str]:
    """The fields of an answer to ``INFO``, without its headings; the first of a name counts."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and not line.startswith("#"):
            found.setdefault(name, value)
    return found


def info_readings(fields: Mapping[str, str], now_seconds: float, databases: int = 0) -> list[Reading]:
    """All readings that the fields hold; a value that is no number is left out.

    ``now_seconds`` is the time for a server that does not say its own. Of ``databases`` that have no keys ``INFO``
    says nothing; their numbers are 0.
    """
    return [
        *_scalars(fields, now_seconds),
        *_replication(fields),
        *_commands(_with_prefix(fields, "cmdstat_")),
        *_percentiles(fields),
        *_errors(_with_prefix(fields, "errorstat_")),
        *_databases(fields, databases),
    ]


def _scalars(fields: Mapping[str, str], now: float) -> Iterator[Reading]:
    for field, name in _SCALARS.items():
        value = _number(fields.get(field))
        if value is not None:
            yield name, {}, value * SCALES.get(field, 1.0)
    info = {label: fields[field] for field, label in INSTANCE_INFO.items() if field in fields}
    if info:
        yield "redis_instance_info", info, 1.0
    uptime = _number(fields.get("uptime_in_seconds"))
    if uptime is not None:
        server_time = _number(fields.get("server_time_usec"))
        # Whole seconds, as the uptime has: with their parts the start would move at each look.
        yield "redis_start_time_seconds", {}, float(int(now if server_time is None else server_time / 1e6) - uptime)


def _replication(fields: Mapping[str, str]) -> Iterator[Reading]:
    if "master_host" in fields:
        master = {"master_host": fields["master_host"], "master_port": fields.get("master_port", "")}
        for field, name in OF_MASTER.items():
            value = _number(fields.get(field))
            if value is not None:
                yield f"redis_{name}", master, value
        yield "redis_slave_info", {**master, "read_only": fields.get("slave_read_only", "")}, 1.0
    for name, replica in _with_prefix(fields, "slave"):
        if not name.isdigit():
            continue
        pairs = _pairs(replica)
        labels = {f"slave_{key}": pairs.get(key, "") for key in ("ip", "port", "state")}
        for key, metric in (("offset", "connected_slave_offset_bytes"), ("lag", "connected_slave_lag_seconds")):
            value = _number(pairs.get(key))
            if value is not None:
                yield f"redis_{metric}", labels, value


def _commands(stats: Iterable[tuple[str, str]]) -> Iterator[Reading]:
    for command, text in stats:
        pairs = _pairs(text)
        for field, name in COMMANDS.items():
            value = _number(pairs.get(field))
            if value is not None:
                yield f"redis_{name}", {"cmd": command}, value * SCALES.get(field, 1.0)


def _percentiles(fields: Mapping[str, str]) -> Iterator[Reading]:
    for command, text in _with_prefix(fields, "latency_percentiles_usec_"):
        for key, found in _pairs(text).items():
            value = _number(found)
            if value is not None and key.startswith("p"):
                yield "redis_latency_percentiles_usec", {"cmd": command, "quantile": key[1:]}, value
        totals = _pairs(fields.get(f"cmdstat_{command}", ""))
        for field, name in (("usec", "sum"), ("calls", "count")):
            value = _number(totals.get(field))
            if value is not None:
                yield f"redis_latency_percentiles_usec_{name}", {"cmd": command}, value


def _errors(stats: Iterable[tuple[str, str]]) -> Iterator[Reading]:
    for kind, text in stats:
        value = _number(_pairs(text).get("count"))
        if value is not None:
            yield "redis_errors_total", {"err": kind}, value


def _databases(fields: Mapping[str, str], count: int) -> Iterator[Reading]:
    empty = dict.fromkeys(map(str, range(min(count, _MAX_ITEMS))), "keys=0,expires=0")
    for number, text in (empty | dict(_with_prefix(fields, "db"))).items():
        if not number.isdigit():
            continue
        pairs = _pairs(text)
        for field, name in DATABASES.items():
            value = _number(pairs.get(field))
            if value is not None:
                yield f"redis_{name}", {"db": f"db{number}"}, value * SCALES.get(field, 1.0)


def _with_prefix(fields: Mapping[str, str], prefix: str) -> list[tuple[str, str]]:
    found = [(name.removeprefix(prefix), value) for name, value in fields.items() if name.startswith(prefix)]
    return found[:_MAX_ITEMS]


def _pairs(text: str) -> dict[str, str]:
    """``keys=2,expires=1`` as a mapping."""
    return {key: value for key, equals, value in (part.partition("=") for part in text.split(",")) if equals}


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return _WORDS.get(text, None) if text in _WORDS else float(text)
    except ValueError:
        return None
