"""Looks at outside services again and again, under blackbox_exporter's metric names.

Names: https://github.com/prometheus/blackbox_exporter. Every series has ``job="probe"``, ``instance`` (the
URL), ``probe`` (its name) and, where given, ``service``.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from eldonia_ops.collectors.poll_loop import Reading, ReadingsLoop
from eldonia_ops.collectors.status import TargetStatus
from eldonia_ops.collectors.urls import shown_url
from eldonia_ops.model.labels import EMPTY, Labels
from eldonia_ops.model.samples import MetricMetadata, MetricType
from eldonia_ops.ports import Clock, Prober, ProbeResult
from eldonia_ops.protocols.scrape_rows import CollectedSink, Readings

log = logging.getLogger("eldonia_ops.collectors.probe")

OnResult: TypeAlias = Callable[[str, ProbeResult, int], Awaitable[None]]
"""Is told each result: the probe's name, the result, Unix ms."""

METADATA: Final = (
    MetricMetadata("probe_success", MetricType.GAUGE, "1 when the last look succeeded."),
    MetricMetadata("probe_duration_seconds", MetricType.GAUGE, "How long the last look took."),
    MetricMetadata("probe_http_status_code", MetricType.GAUGE, "Status of the last answer, 0 for none."),
    MetricMetadata("probe_http_duration_seconds", MetricType.GAUGE, "Time spent in each phase of the last look."),
    MetricMetadata("probe_http_ssl", MetricType.GAUGE, "1 when the last answer came over TLS."),
    MetricMetadata("probe_tcp_duration_seconds", MetricType.GAUGE, "Time spent in each phase of the last look."),
    MetricMetadata("probe_ssl_earliest_cert_expiry", MetricType.GAUGE, "When the certificate ends, Unix time."),
)


def probe_loop(
    name: str,
    prober: Prober,
    sink: CollectedSink,
    clock: Clock,
    *,
    url: str,
    service: str = "",
    http: bool = True,
    labels: Labels = EMPTY,
    interval_ms: int = 15_000,
    on_result: OnResult | None = None,
) -> ReadingsLoop:
    """The loop that looks at one endpoint. ``http`` says whether HTTP's own metrics make sense."""
    shown = shown_url(url)
    base = Labels({"job": "probe", "instance": shown, "probe": name, "service": service, **labels})

    async def measure() -> tuple[list[Reading], str]:
        result = await prober.probe()
        if on_result is not None:
            try:
                await on_result(name, result, clock.now())
            except Exception:
                # Whoever listens must not keep the result from being stored.
                log.exception("the listener to probe %s failed", name)
        return probe_readings(result, http=http), "" if result.success else result.detail or "failed"

    return ReadingsLoop(
        measure=measure,
        readings=Readings(f"probe/{name}", base),
        status=TargetStatus("probe", name, shown, base),
        sink=sink,
        clock=clock,
        interval_ms=interval_ms,
        metadata=METADATA,
    )


def probe_readings(result: ProbeResult, *, http: bool = True) -> list[Reading]:
    """A result as blackbox_exporter would expose it."""
    found: list[Reading] = [
        ("up", {}, 1.0),
        ("probe_success", {}, float(result.success)),
        ("probe_duration_seconds", {}, result.duration_seconds),
    ]
    prefix = "probe_http" if http else "probe_tcp"
    if http:
        found.append(("probe_http_status_code", {}, float(result.status_code)))
        found.append(("probe_http_ssl", {}, float(bool(result.certificate_expires_at))))
    found += [(f"{prefix}_duration_seconds", {"phase": phase}, seconds) for phase, seconds in result.phases.items()]
    if result.certificate_expires_at:
        found.append(("probe_ssl_earliest_cert_expiry", {}, result.certificate_expires_at / 1000))
    return found
