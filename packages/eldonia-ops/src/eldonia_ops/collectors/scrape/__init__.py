"""Targets that expose metrics over HTTP."""

from collections.abc import Iterator
from functools import partial

from eldonia_ops.collectors.collector import Collector, CollectorContext, LoopContext, LoopPlan
from eldonia_ops.collectors.scrape.config import SECTION, ScrapeJob
from eldonia_ops.collectors.scrape.loop import ScrapeLoop, ScrapeTarget, scrape_client
from eldonia_ops.collectors.scrape.targets import targets_of
from eldonia_ops.http_client.configured import http_config_of
from eldonia_ops.http_client.connections import HttpClient
from eldonia_ops.protocols.prometheus.text import ExpositionLimits
from eldonia_ops.settings import LimitSettings, Settings


class ScrapeCollector:
    """Implements :class:`~eldonia_ops.collectors.collector.OpenCollector`; the loops share HTTP clients."""

    def __init__(self, _: CollectorContext) -> None:
        self._client = scrape_client()
        self._configured = HttpClient()

    def plans(self, settings: Settings) -> Iterator[LoopPlan]:
        """A loop for each address of each job."""
        for target in scrape_targets(settings, exposition_limits(settings.limits)):
            yield LoopPlan(target.key, target, partial(self._loop, target))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        await self._configured.aclose()

    def _loop(self, target: ScrapeTarget, context: LoopContext) -> ScrapeLoop:
        watch = context.watch(f"scrape {target.key}")
        return ScrapeLoop(target, context.store, self._client, context.clock, watch, configured=self._configured)


def exposition_limits(limits: LimitSettings) -> ExpositionLimits:
    """What one scrape may bring."""
    return ExpositionLimits(samples=limits.scrape_samples, labels=limits.labels, label_value_length=limits.label_value)


def scrape_targets(settings: Settings, limits: ExpositionLimits) -> list[ScrapeTarget]:
    """One target for each address of each job."""
    jobs: tuple[ScrapeJob, ...] = settings.collectors.get("scrape", ())
    return [
        ScrapeTarget(
            job=one.labels["job"],
            url=one.url,
            instance=one.labels["instance"],
            labels=one.labels.without(("job", "instance")),
            interval_ms=one.interval_ms,
            timeout_ms=one.timeout_ms,
            honor_labels=job.honor_labels,
            honor_timestamps=job.honor_timestamps,
            bearer_token=job.bearer_token or None,
            basic_auth=(job.username, job.password) if job.username else None,
            http=http_config_of(job.http),
            limits=limits,
            metric_relabel=job.metric_relabel_configs,
        )
        for job in jobs
        for one in targets_of(job)
    ]


COLLECTOR = Collector("scrape", ScrapeCollector, SECTION, titles={"en": "metrics", "ja": "メトリクス"})
