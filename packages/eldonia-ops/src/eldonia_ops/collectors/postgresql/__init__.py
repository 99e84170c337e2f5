"""Servers of PostgreSQL, under postgres_exporter's names: ``job="postgresql"``."""

from collections.abc import Iterable, Iterator
from functools import partial

from eldonia_ops.collectors.collector import Collector, Independent, LoopPlan
from eldonia_ops.collectors.poll_loop import poll_plan
from eldonia_ops.collectors.postgresql.config import SECTION, PostgresqlSettings
from eldonia_ops.collectors.postgresql.source import METADATA, PostgresqlSource, address
from eldonia_ops.collectors.service_label import server_labels
from eldonia_ops.settings import Settings
from eldonia_ops.settings.services import ServiceSettings


def postgresql_plans(settings: Settings) -> Iterator[LoopPlan]:
    """A loop for each server."""
    return (postgresql_plan(one, settings.services) for one in settings.collectors.get("postgresql", ()))


def postgresql_plan(database: PostgresqlSettings, services: Iterable[ServiceSettings] = ()) -> LoopPlan:
    """The loop for one server. ``instance`` is ``host:port`` unless the settings name another."""
    found = address(database.dsn)
    instance = database.instance or found.partition("/")[0] or "postgresql"
    labels = server_labels(services, "postgresql", instance, database.service, database.labels)
    return poll_plan(
        kind="postgresql",
        name=instance,
        specification=(database, labels),
        labels=labels,
        source=partial(PostgresqlSource, database.dsn),
        interval_ms=database.interval,
        metadata=METADATA,
        url=f"postgresql://{found}" if found else "",
    )


COLLECTOR = Collector(
    "postgresql", lambda _: Independent(postgresql_plans), SECTION, titles={"en": "database", "ja": "データベース"}
)
