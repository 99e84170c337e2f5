"""This host itself, under node_exporter's names: ``job="node"``, ``instance`` the host's name."""

import socket
from collections.abc import Iterator

from eldonia_ops.collectors.collector import Collector, Independent, LoopPlan
from eldonia_ops.collectors.host.config import SECTION, HostSettings
from eldonia_ops.collectors.host.readings import METADATA, HostSource
from eldonia_ops.collectors.poll_loop import poll_plan
from eldonia_ops.model.labels import Labels
from eldonia_ops.settings import Settings


def host_plans(settings: Settings) -> Iterator[LoopPlan]:
    """One loop, unless it is switched off."""
    host: HostSettings = settings.collectors.get("host", HostSettings())
    if host.enabled:
        name = socket.gethostname()
        yield poll_plan(
            kind="host",
            name=name,
            specification=host,
            labels=Labels({"job": "node", "instance": name}),
            source=HostSource,
            interval_ms=host.interval,
            metadata=METADATA,
        )


COLLECTOR = Collector("host", lambda _: Independent(host_plans), SECTION, titles={"en": "host", "ja": "ホスト"})
