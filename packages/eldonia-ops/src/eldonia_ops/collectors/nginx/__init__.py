"""Servers of nginx, by their page of ``stub_status``, under nginx-prometheus-exporter's names: ``job="nginx"``."""

from collections.abc import Iterable, Iterator

from eldonia_ops.collectors.collector import Collector, CollectorContext, LoopPlan
from eldonia_ops.collectors.nginx.config import SECTION, NginxSettings
from eldonia_ops.collectors.nginx.source import METADATA, NginxSource
from eldonia_ops.collectors.poll_loop import poll_plan
from eldonia_ops.collectors.service_label import server_labels
from eldonia_ops.collectors.tls_contexts import TlsContexts
from eldonia_ops.collectors.urls import default_instance
from eldonia_ops.settings import Settings
from eldonia_ops.settings.services import ServiceSettings


class NginxCollector:
    """Implements :class:`~eldonia_ops.collectors.collector.OpenCollector`."""

    def __init__(self, _: CollectorContext) -> None:
        self._tls = TlsContexts()

    def plans(self, settings: Settings) -> Iterator[LoopPlan]:
        """A loop for each server."""
        return (self._plan(one, settings.services) for one in settings.collectors.get("nginx", ()))

    async def close(self) -> None:
        """Each loop closes its own connection."""

    def _plan(self, server: NginxSettings, services: Iterable[ServiceSettings]) -> LoopPlan:
        instance = server.instance or default_instance(server.url)
        labels = server_labels(services, "nginx", instance, server.service, server.labels)
        return poll_plan(
            kind="nginx",
            name=instance,
            specification=(server, labels),
            labels=labels,
            source=lambda: NginxSource(server, self._tls),
            interval_ms=server.interval,
            metadata=METADATA,
            url=server.url,
        )


COLLECTOR = Collector("nginx", NginxCollector, SECTION, titles={"en": "nginx", "ja": "nginx"})
