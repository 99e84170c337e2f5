"""Servers of Redis, under redis_exporter's names: ``job="redis"``. Needs the ``redis`` extra."""

from collections.abc import Iterator
from functools import partial

from eldonia_ops.collectors.collector import Collector, Independent, LoopPlan
from eldonia_ops.collectors.poll_loop import poll_plan
from eldonia_ops.collectors.redis.config import SECTION, RedisSettings
from eldonia_ops.collectors.redis.names import METADATA
from eldonia_ops.collectors.redis.source import RedisSource
from eldonia_ops.model.labels import Labels
from eldonia_ops.settings import Settings


def redis_plans(settings: Settings) -> Iterator[LoopPlan]:
    """A loop for each server."""
    return map(redis_plan, settings.collectors.get("redis", ()))


def redis_plan(server: RedisSettings) -> LoopPlan:
    """The loop for one server."""
    return poll_plan(
        kind="redis",
        name=server.name,
        specification=server,
        labels=Labels({"job": "redis", "instance": server.name, **server.labels}),
        source=partial(RedisSource, server),
        interval_ms=server.interval,
        metadata=METADATA,
        url=server.url,
    )


COLLECTOR = Collector("redis", lambda _: Independent(redis_plans), SECTION, titles={"en": "Redis", "ja": "Redis"})
