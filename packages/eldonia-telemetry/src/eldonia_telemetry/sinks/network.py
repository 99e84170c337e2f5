"""The sinks for the backends that the settings name."""

import os
import tempfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from eldonia_telemetry import dropped_data
from eldonia_telemetry.metrics.push import MetricsPush
from eldonia_telemetry.settings import Settings
from eldonia_telemetry.sinks import Sink, elasticsearch, otlp_logs
from eldonia_telemetry.sinks.batching import BatchingSink, Transport
from eldonia_telemetry.sinks.http_endpoint import HttpEndpoint
from eldonia_telemetry.sinks.spill import Spill


def build(settings: Settings, resource: Mapping[str, Any]) -> list[Sink]:
    """One sink a backend. What is not usable is reported and left out."""
    sinks: list[Sink] = []
    wants_otlp = not settings.log_dir if settings.otlp_logs is None else settings.otlp_logs
    if settings.otlp_endpoint and wants_otlp:
        _add(sinks, settings, "OTLP", lambda: _otlp(settings, resource))
    if settings.elasticsearch_url:
        _add(sinks, settings, "Elasticsearch", lambda: _elasticsearch(settings))
    if settings.otlp_endpoint and settings.otlp_metrics:
        try:
            sinks.append(MetricsPush(_otlp_endpoint(settings), resource))
        except ValueError as error:
            dropped_data.count("setup", "no metrics are sent to OTLP", error)
    return sinks


def _add(
    sinks: list[Sink], settings: Settings, kind: str, connect: Callable[[], tuple[Transport, HttpEndpoint]]
) -> None:
    try:
        transport, endpoint = connect()
    except ValueError as error:
        dropped_data.count("setup", f"no records are sent to {kind}", error)
        return
    spill = None
    if settings.spill_max_bytes:
        # What waits for one backend must not go to another, nor under another service's credentials.
        whose = zlib.crc32(f"{settings.service} {endpoint.address}".encode())
        folder = _spill_folder(settings, f"{transport.name}-{whose:08x}")
        spill = Spill(folder, max_bytes=settings.spill_max_bytes)
    sinks.append(BatchingSink(transport, spill=spill))


def _otlp(settings: Settings, resource: Mapping[str, Any]) -> tuple[Transport, HttpEndpoint]:
    endpoint = _otlp_endpoint(settings)
    return otlp_logs.OtlpLogTransport(endpoint, resource), endpoint


def _otlp_endpoint(settings: Settings) -> HttpEndpoint:
    address = settings.otlp_endpoint.removesuffix("/v1/traces")
    endpoint = HttpEndpoint(address, headers=dict(settings.otlp_headers), ca_file=settings.tls_ca)
    endpoint.authorize_with(settings.ingest_token)
    return endpoint


def _elasticsearch(settings: Settings) -> tuple[Transport, HttpEndpoint]:
    endpoint = HttpEndpoint(settings.elasticsearch_url, ca_file=settings.tls_ca)
    user, password = settings.elasticsearch_user, settings.elasticsearch_password
    if not user and endpoint.userinfo is not None:
        user, password = endpoint.userinfo
    header = elasticsearch.authorization(user=user, password=password, api_key=settings.elasticsearch_api_key)
    if header:
        endpoint.authorize(header)
    return elasticsearch.ElasticsearchTransport(endpoint, prefix=settings.elasticsearch_prefix), endpoint


def _spill_folder(settings: Settings, name: str) -> str:
    if settings.spill_dir:
        return os.path.join(settings.spill_dir, name)
    if settings.log_dir:
        return os.path.join(settings.log_dir, ".spill", name)
    return os.path.join(tempfile.gettempdir(), f"eldonia-telemetry-{os.geteuid()}-{name}")
