"""Fetches one target's metrics again and again."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx

from eldonia_ops.alerting.http_config import NO_CREDENTIAL, PLAIN_HTTP, HttpConfig, ProxyConfig, TlsConfig
from eldonia_ops.collectors.failure_info import FailureSamples
from eldonia_ops.collectors.network_errors import explain, lost_while_connecting, status_words
from eldonia_ops.collectors.response_body import BodyError, body_pieces
from eldonia_ops.collectors.schedule import Ticks
from eldonia_ops.collectors.status import TargetStatus, TurnWatch, Unwatched
from eldonia_ops.collectors.urls import default_instance, shown_url
from eldonia_ops.http_client.connections import HttpClient
from eldonia_ops.http_client.credentials import UnresolvedError, in_header, resolve
from eldonia_ops.model.labels import EMPTY, Labels
from eldonia_ops.model.relabelling import RelabelRule
from eldonia_ops.model.secret import Secret
from eldonia_ops.ports import Clock
from eldonia_ops.protocols.prometheus.scrape_rows import Collected, CollectedSink, ScrapeRows
from eldonia_ops.protocols.prometheus.text import ACCEPT, DEFAULT_LIMITS, ExpositionError, ExpositionLimits

log = logging.getLogger("eldonia_ops.collectors.scrape")


@dataclass(frozen=True, slots=True)
class ScrapeTarget:
    """What to fetch. ``instance`` defaults to ``host:port`` of the URL; times are milliseconds.

    ``bearer_token`` and ``basic_auth`` (user and password) are sent with every request; ``http`` has what else is
    configured: TLS, OAuth 2, a proxy, headers, redirects. ``metric_relabel`` changes or drops series.
    """

    job: str
    url: str
    instance: str = ""
    labels: Labels = EMPTY
    interval_ms: int = 15_000
    timeout_ms: int = 10_000
    honor_labels: bool = False
    honor_timestamps: bool = True
    bearer_token: Secret | None = None
    basic_auth: tuple[str, Secret] | None = None
    http: HttpConfig = PLAIN_HTTP
    limits: ExpositionLimits = DEFAULT_LIMITS
    metric_relabel: tuple[RelabelRule, ...] = ()

    @property
    def target_labels(self) -> Labels:
        """``job``, ``instance`` and the extra labels."""
        return Labels({"job": self.job, "instance": self.instance or default_instance(self.url), **self.labels})

    @property
    def key(self) -> str:
        """Names the store's block for this target: ``job/instance`` and the extra labels, if any."""
        labels = self.target_labels
        extra = labels.without(("job", "instance"))
        return f"{labels.get('job', '')}/{labels.get('instance', '')}" + (str(extra) if extra else "")


_PARSED_AT_ONCE: Final = 64 * 1024


class ScrapeError(RuntimeError):
    """A scrape that brought nothing; the message is for people."""


class ScrapeLoop:
    """Scrapes one target on its ticks and hands each row to ``sink``.

    A slow sink holds the loop back; the ticks that pass meanwhile are counted in ``status.skipped``.
    ``client`` is shared by all loops; make it with :func:`scrape_client`. ``configured``, shared as well, is for those
    with TLS, a proxy or OAuth 2 of their own. Implements
    :class:`~eldonia_ops.collectors.collector.CollectorLoop`.
    """

    def __init__(
        self,
        target: ScrapeTarget,
        sink: CollectedSink,
        client: httpx.AsyncClient,
        clock: Clock,
        watch: TurnWatch | None = None,
        *,
        configured: HttpClient | None = None,
    ) -> None:
        self._configured = configured
        self._target = target
        self._sink = sink
        self._client = client
        self._clock = clock
        self._ticks = Ticks(f"{target.key} {target.url}", target.interval_ms)
        labels = target.target_labels
        self._rows = ScrapeRows(
            target.key,
            labels,
            honor_labels=target.honor_labels,
            honor_timestamps=target.honor_timestamps,
            limits=target.limits,
            metric_relabel=target.metric_relabel,
        )
        self._watch: TurnWatch = watch or Unwatched()
        self._failures = FailureSamples(labels)
        self.status = TargetStatus("scrape", target.key, shown_url(target.url), labels)
        self.status.interval_ms, self.status.timeout_ms = target.interval_ms, target.timeout_ms

    def statuses(self) -> list[TargetStatus]:
        """The status of the one target."""
        return [self.status]

    async def close(self) -> None:
        """The client is closed by its owner."""

    async def run(self) -> None:
        """Scrape until cancelled. What the sink raises is logged and does not end the loop."""
        tick = self._ticks.after(self._clock.now())
        while True:
            await self._clock.sleep_until(tick)
            now = self._clock.now()
            try:
                await self.scrape_once(self._ticks.stamp(tick, now))
                self._watch.succeeded()
            except Exception as error:
                self._watch.failed(error)
                log.exception("scrape of %s was not stored", self.status.url)
                self.status.error = f"not stored: {error}"
            self.status.skipped += self._ticks.missed(tick, self._clock.now())
            tick = self._ticks.following(tick, self._clock.now())

    async def scrape_once(self, at_ms: int) -> Collected:
        """Fetch, parse and hand over; a failure becomes ``up`` 0, staleness markers and words in ``status``."""
        started = time.perf_counter()
        error, unexpected = "", None
        collected: Collected | None = None
        seconds = 0.0
        try:
            body, openmetrics = await self._fetch()
            seconds = time.perf_counter() - started
            collected = await self._parsed(body, at_ms, seconds, openmetrics)
        except ScrapeError as failure:
            error = str(failure)
        except ExpositionError as fault:
            error = f"the answer is not in Prometheus' text format: {fault}"
        except Exception as fault:  # noqa: BLE001 - raised again below: the target is down all the same, and rules have to see it
            error, unexpected = f"a fault of our own: {type(fault).__name__}", fault
        seconds = seconds or time.perf_counter() - started
        if collected is None:
            collected = self._rows.failed(at_ms, seconds)
        collected = replace(collected, samples=(*collected.samples, *self._failures.of(error, at_ms)))
        if error:
            self.status.failed(at_ms, seconds, error)
        else:
            self.status.succeeded(at_ms, seconds, len(collected.row.labels))
        await self._sink(collected)
        if unexpected is not None:
            raise unexpected
        return collected

    async def _parsed(self, body: bytes, at_ms: int, seconds: float, openmetrics: bool) -> Collected:
        if len(body) <= _PARSED_AT_ONCE:
            return self._rows.scraped(body, at_ms, seconds, openmetrics=openmetrics)
        # The first of 50,000 series take half a second to read: the loops of the others go on meanwhile.
        return await asyncio.to_thread(self._rows.scraped, body, at_ms, seconds, openmetrics=openmetrics)

    async def _fetch(self) -> tuple[bytes, bool]:
        """The decompressed body, and whether it is OpenMetrics."""
        target = self._target
        seconds = target.timeout_ms / 1000
        headers = {
            "Accept": ACCEPT,
            "Accept-Encoding": "gzip",
            "X-Prometheus-Scrape-Timeout-Seconds": f"{seconds:g}",
        }
        auth: httpx.Auth | None = None
        if target.bearer_token is not None:
            headers["Authorization"] = f"Bearer {target.bearer_token.reveal()}"
        elif target.basic_auth is not None:
            auth = httpx.BasicAuth(target.basic_auth[0], target.basic_auth[1].reveal())
        try:
            with lost_while_connecting():
                async with asyncio.timeout(seconds), self._answered(headers, auth) as answer:
                    if answer.status_code != 200:
                        raise ScrapeError(status_words(answer.status_code))
                    body = await _read(answer, target.limits)
        except BodyError as error:
            raise ScrapeError(str(error)) from None
        except UnresolvedError as error:
            raise ScrapeError(str(error)) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise ScrapeError(explain(error, seconds)) from None
        media = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media in ("text/html", "application/json", "application/vnd.google.protobuf"):
            raise ScrapeError(f"the answer is {media}, not metrics: is the path right?")
        return body, media == "application/openmetrics-text"

    @contextlib.asynccontextmanager
    async def _answered(self, headers: dict[str, str], auth: httpx.Auth | None) -> AsyncIterator[httpx.Response]:
        """The answer, its body not read, to a request that goes the configured way.

        Raises:
            UnresolvedError: a certificate, the proxy or a token cannot be used or had; the message has no secret.
        """
        target, http, client = self._target, self._target.http, self._client
        what = f"scrapes of {target.job}"
        extensions: dict[str, Any] = {}
        for name, value in http.headers:
            headers[name] = in_header(resolve(value, f"header {name} for {what}"), f"header {name} for {what}")
        if http.authorization != NO_CREDENTIAL:
            name = f"authorization for {what}"
            value = f"{http.authorization_type} {resolve(http.authorization, name)}"
            headers["Authorization"] = in_header(value, name)
        if self._configured is not None and (http.tls, http.proxy, http.oauth2) != (TlsConfig(), ProxyConfig(), None):
            client = self._configured
            extensions = await client.extensions(http.tls, http.proxy, what)
            if http.oauth2 is not None:
                way = await client.extensions(http.oauth2.tls, http.oauth2.proxy, what)
                headers["Authorization"] = await client.tokens.authorization(http.oauth2, client, way, what)
        async with client.stream(
            "GET",
            target.url,
            headers=headers,
            auth=auth,
            follow_redirects=http.follow_redirects,
            extensions=extensions,
        ) as answer:
            if answer.status_code == 401 and http.oauth2 is not None and self._configured is not None:
                # It may have been revoked: the next scrape asks for another.
                self._configured.tokens.forget(http.oauth2, headers["Authorization"])
            yield answer


async def _read(answer: httpx.Response, limits: ExpositionLimits) -> bytes:
    parts = [piece async for piece in body_pieces(answer, limits.body_bytes, limits.line_bytes)]
    if sum(map(len, parts)) > limits.body_bytes:
        raise ScrapeError(f"the answer is longer than {limits.body_bytes} bytes")
    return b"".join(parts)


def scrape_client(max_connections: int = 200) -> httpx.AsyncClient:
    """A client for scrape loops: follows redirects, keeps connections, ignores proxies of the environment."""
    limits = httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections)
    return httpx.AsyncClient(
        follow_redirects=True,
        max_redirects=5,
        limits=limits,
        timeout=None,  # noqa: S113 - every request runs under its own target's time limit
        trust_env=False,
        headers={"User-Agent": "eldonia-ops"},
    )
