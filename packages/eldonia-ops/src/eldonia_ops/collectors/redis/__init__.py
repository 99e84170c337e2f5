"""Servers of Redis, under redis_exporter's names: ``job="redis"``. Needs the ``redis`` extra."""

from collections.abc import Iterable, Iterator
from functools import partial

from eldonia_ops.collectors.collector import Collector, Independent, LoopPlan
from eldonia_ops.collectors.poll_loop import poll_plan
from eldonia_ops.collectors.redis.config import SECTION, RedisSettings
from eldonia_ops.collectors.redis.names import METADATA
from eldonia_ops.collectors.redis.source import RedisSource
from eldonia_ops.collectors.service_label import server_labels
from eldonia_ops.settings import Settings
from eldonia_ops.settings.services import ServiceSettings


def redis_plans(settings: Settings) -> Iterator[LoopPlan]:
    """A loop for each server."""
    return (redis_plan(one, settings.services) for one in settings.collectors.get("redis", ()))


def redis_plan(server: RedisSettings, services: Iterable[ServiceSettings] = ()) -> LoopPlan:
    """The loop for one server."""
    labels = server_labels(services, "redis", server.name, server.service, server.labels)
    return poll_plan(
        kind="redis",
        name=server.name,
        specification=(server, labels),
        labels=labels,
        source=partial(RedisSource, server),
        interval_ms=server.interval,
        metadata=METADATA,
        url=server.url,
    )


COLLECTOR = Collector("redis", lambda _: Independent(redis_plans), SECTION, titles={"en": "Redis", "ja": "Redis"})
