"""Looks at outside services again and again, under blackbox_exporter's metric names.

Names: https://github.com/prometheus/blackbox_exporter. Every series has ``job="probe"``, ``instance`` (the
URL), ``probe`` (its name) and, where given, ``service``.
"""

import logging
from typing import Final

from eldonia_ops.collectors.collector import OnProbe
from eldonia_ops.collectors.poll_loop import Reading
from eldonia_ops.model.samples import MetricMetadata, MetricType
from eldonia_ops.ports import Clock, Prober, ProbeResult

log = logging.getLogger("eldonia_ops.collectors.probe")

METADATA: Final = (
    MetricMetadata("probe_success", MetricType.GAUGE, "1 when the last look succeeded."),
    MetricMetadata("probe_duration_seconds", MetricType.GAUGE, "How long the last look took."),
    MetricMetadata("probe_http_status_code", MetricType.GAUGE, "Status of the last answer, 0 for none."),
    MetricMetadata("probe_http_duration_seconds", MetricType.GAUGE, "Time spent in each phase of the last look."),
    MetricMetadata("probe_http_ssl", MetricType.GAUGE, "1 when the last answer came over TLS."),
    MetricMetadata("probe_tcp_duration_seconds", MetricType.GAUGE, "Time spent in each phase of the last look."),
    MetricMetadata("probe_ssl_earliest_cert_expiry", MetricType.GAUGE, "When the certificate ends, Unix time."),
)


class ProbeSource:
    """Looks at one endpoint. Implements :class:`~eldonia_ops.collectors.poll_loop.Source`.

    ``http`` says whether HTTP's own metrics make sense. ``on_result`` takes each result.
    """

    def __init__(
        self, name: str, prober: Prober, clock: Clock, *, http: bool, on_result: OnProbe | None = None
    ) -> None:
        self._name = name
        self._prober = prober
        self._clock = clock
        self._http = http
        self._on_result = on_result

    async def measure(self) -> tuple[list[Reading], str]:
        """Look once."""
        result = await self._prober.probe()
        if self._on_result is not None:
            try:
                await self._on_result(self._name, result, self._clock.now())
            except Exception:
                # A listener that fails must not keep the result from being stored.
                log.exception("the listener to probe %s failed", self._name)
        return probe_readings(result, http=self._http), "" if result.success else result.detail or "failed"

    async def close(self) -> None:
        """Every look makes its own connection."""


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
