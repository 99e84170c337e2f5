"""Endpoints looked at from outside, under blackbox_exporter's names.

Every series has ``job="probe"``, ``instance`` (the URL), ``probe`` (its name) and, where given, ``service``.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from eldonia_ops.collectors.collector import Collector, CollectorContext, LoopPlan
from eldonia_ops.collectors.poll_loop import poll_plan
from eldonia_ops.collectors.probe.config import SECTION, ProbeSettings
from eldonia_ops.collectors.probe.http import HttpCheck, HttpProber
from eldonia_ops.collectors.probe.loop import METADATA, ProbeSource
from eldonia_ops.collectors.probe.tcp import TcpCheck, TcpProber
from eldonia_ops.collectors.tls_contexts import TlsContexts
from eldonia_ops.collectors.urls import shown_url
from eldonia_ops.model.labels import Labels
from eldonia_ops.ports import Prober
from eldonia_ops.settings import Settings


class ProbeCollector:
    """Implements :class:`~eldonia_ops.collectors.collector.OpenCollector`."""

    def __init__(self, context: CollectorContext) -> None:
        self._context = context
        self._tls = TlsContexts()

    def plans(self, settings: Settings) -> Iterator[LoopPlan]:
        """A loop for each probe."""
        return map(self._plan, settings.collectors.get("probes", ()))

    async def close(self) -> None:
        """Every look makes its own connection."""

    def _plan(self, probe: ProbeSettings) -> LoopPlan:
        shown = shown_url(probe.url)

        def source() -> ProbeSource:
            http = urlsplit(probe.url).scheme in ("http", "https")
            found, on_result = prober(probe, self._tls), self._context.on_probe
            return ProbeSource(probe.name, found, self._context.clock, http=http, on_result=on_result)

        return poll_plan(
            kind="probe",
            name=probe.name,
            specification=probe,
            labels=Labels(
                {"job": "probe", "instance": shown, "probe": probe.name, "service": probe.service, **probe.labels}
            ),
            source=source,
            interval_ms=probe.interval,
            metadata=METADATA,
            url=shown,
        )


def prober(probe: ProbeSettings, contexts: TlsContexts | None = None) -> Prober:
    """What looks at the endpoint of a probe, by the scheme of its URL."""
    parts = urlsplit(probe.url)
    if parts.scheme in ("tcp", "tls"):
        return TcpProber(
            TcpCheck(
                parts.hostname or "",
                parts.port or 0,
                tls=parts.scheme == "tls",
                verify_certificate=probe.verify_certificate,
                send=probe.send.encode(),
                expect=probe.expect_text.encode(),
                timeout_ms=probe.timeout,
            ),
            contexts,
        )
    return HttpProber(
        HttpCheck(
            probe.url,
            method=probe.method,
            timeout_ms=probe.timeout,
            statuses=probe.expect_status,
            contains=probe.expect_text,
            headers=probe.headers,
            verify_certificate=probe.verify_certificate,
        ),
        contexts,
    )


COLLECTOR = Collector("probe", ProbeCollector, SECTION, titles={"en": "probe", "ja": "外形監視"})
