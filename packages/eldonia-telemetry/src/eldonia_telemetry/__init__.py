"""Logs, metrics, traces and security events for Python services.

    import eldonia_telemetry as telemetry

    telemetry.init(service="shop", log_dir="/var/log/shop", otlp_endpoint="http://127.0.0.1:9600")
    app.add_middleware(telemetry.TelemetryMiddleware)
    log = telemetry.get_logger(component="orders")

Nothing here raises into the application or holds it up for long; what could not be done is counted
(``eldonia_telemetry_lost_total``) and said once on standard error.
"""

from collections.abc import Iterable, Mapping

from eldonia_telemetry import (
    auth,
    business,
    children,
    dropped_data,
    metrics,
    payments,
    performance,
    runtime,
    security,
    traces,
)
from eldonia_telemetry.context import Binding, bind, carry
from eldonia_telemetry.integrations import automatic, stdlib
from eldonia_telemetry.integrations.asgi import TelemetryMiddleware, metrics_app
from eldonia_telemetry.integrations.wsgi import TelemetryWSGI
from eldonia_telemetry.logs import Logger, get_logger
from eldonia_telemetry.settings import Settings, resolve


def init(
    *,
    service: str | None = None,
    environment: str | None = None,
    version: str | None = None,
    log_level: str | None = None,
    log_dir: str | None = None,
    log_max_bytes: int | None = None,
    log_max_files: int | None = None,
    log_rotate_every: str | int | None = None,
    log_compress: bool | None = None,
    log_ratio: float | None = None,
    log_repeat_limit: int | None = None,
    access_log_delay: float | None = None,
    console: bool | None = None,
    redact: bool | None = None,
    redact_emails: bool | None = None,
    redact_phones: bool | None = None,
    redact_fields: Iterable[str] | str | None = None,
    capture_logging: bool | None = None,
    otlp_endpoint: str | None = None,
    otlp_logs: bool | None = None,
    otlp_metrics: bool | None = None,
    ingest_token: str | None = None,
    otlp_headers: Mapping[str, str] | str | None = None,
    trace_ratio: float | None = None,
    trace_errors: bool | None = None,
    join_opentelemetry: bool | None = None,
    instrument: bool | None = None,
    elasticsearch_url: str | None = None,
    elasticsearch_user: str | None = None,
    elasticsearch_password: str | None = None,
    elasticsearch_api_key: str | None = None,
    elasticsearch_prefix: str | None = None,
    tls_ca: str | None = None,
    spill_dir: str | None = None,
    spill_max_bytes: int | None = None,
) -> Settings:
    """Set this process up and return what was decided. A second call replaces the first. Never raises.

    Each argument may also come from the environment as ``ELDONIA_`` plus its name in capitals
    (``ELDONIA_SERVICE``, ``ELDONIA_LOG_DIR``, …); arguments win.

    Args:
        service: the name that records, spans and resources carry.
        environment: such as ``production``.
        version: the application's version, on spans.
        log_level: ``error``, ``warn``, ``info`` (default) or ``debug``.
        log_dir: write ``combined.log`` and, errors apart, ``error.log`` here.
        log_max_bytes: size at which a file is rotated (5 MiB).
        log_max_files: files kept of each, the one being written included (5).
        log_rotate_every: ``hour``, ``day`` (of UTC) or seconds; in addition to the size (never).
        log_compress: gzip rotated files (off).
        log_ratio: the share of info and debug records that is kept, 0 to 1; of a trace all or none (1).
        log_repeat_limit: records of the same level, component and message let through a minute; the others
            become one record with their count (0: no limit). Security and business records are exempt.
        access_log_delay: seconds that the record of a request in which nothing was odd may wait for others, to be
            written with them (0.05). Any other record takes along those that wait, and the first after a pause does
            not. With 0 each is written before its request ends.
        console: write to standard output; by default at a terminal, or when there is no ``log_dir``.
        redact: take secrets out of records (default on).
        redact_emails: also e-mail addresses.
        redact_phones: also telephone numbers.
        redact_fields: names of further fields to take out; separated by commas if one text.
        capture_logging: put a handler on the root logger of the standard ``logging`` (default on).
        otlp_endpoint: where spans are sent (``/v1/traces`` is added); '' exports none.
        otlp_logs: send records there too (``/v1/logs``); by default when there is no ``log_dir`` to collect.
        otlp_metrics: send metrics there too (``/v1/metrics``), every 15 seconds and at the end, each process its own:
            for several workers behind one port, which a scraper cannot separate (off).
        ingest_token: sent as a bearer token with the spans, records and metrics. Without one, a user and password in
            ``otlp_endpoint`` are used.
        otlp_headers: sent with the same, as other backends ask for (``{"x-api-key": "…"}``); as a text,
            ``name=value,name=value``, percent-encoded. An ``authorization`` here goes before ``ingest_token``.
        trace_ratio: the share of new traces that is recorded, 0 to 1 (default 1).
        trace_errors: record the others too when something in them failed in this process (default on).
        join_opentelemetry: start spans with the application's OpenTelemetry SDK where one is set up (default on).
        instrument: watch SQLAlchemy, Django's database, redis, httpx, requests and Celery where the application uses
            them (default on).
        elasticsearch_url: send records to its bulk API, as ``<prefix>-<service>-YYYY.MM.DD``.
        elasticsearch_user: for basic authentication, with ``elasticsearch_password`` (or both in the URL).
        elasticsearch_password: see above.
        elasticsearch_api_key: instead of those; encoded, or as ``id:key``.
        elasticsearch_prefix: the beginning of index and template names (``eldonia-logs``).
        tls_ca: PEM file of the authorities to trust for https, instead of the system's.
        spill_dir: where records wait while their backend is away; by default below ``log_dir``, else
            below the folder for temporary files.
        spill_max_bytes: how much may wait there, for each process and backend (64 MiB); 0 uses no disk.
    """
    given = dict(locals())
    try:
        settings = resolve(given)
        _set_up(settings)
        children.hand_on(settings)
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        dropped_data.count("setup", "init failed, what was in use stays", error)
        return runtime.current.settings
    return settings


_is_set_up = False


def _set_up(settings: Settings) -> None:
    global _is_set_up  # noqa: PLW0603
    _is_set_up = True
    before = runtime.replace(runtime.build(settings))
    before.close()
    if settings.capture_logging:
        stdlib.install()
    else:
        stdlib.uninstall()
    if settings.instrument:
        automatic.install()


def _set_up_as_parent(settings: Settings) -> None:
    if not _is_set_up:
        _set_up(settings)


children.begin(_set_up_as_parent)


def flush(timeout: float = 2.0) -> bool:
    """Deliver what is queued; False when ``timeout`` seconds were not enough."""
    return runtime.current.flush(timeout)


def shutdown(timeout: float = 2.0) -> None:
    """Deliver what is queued within ``timeout`` seconds and close files. Done by itself at exit."""
    runtime.current.close(timeout)


__all__ = [
    "Binding",
    "Logger",
    "Settings",
    "TelemetryMiddleware",
    "TelemetryWSGI",
    "auth",
    "bind",
    "business",
    "carry",
    "flush",
    "get_logger",
    "init",
    "metrics",
    "metrics_app",
    "payments",
    "performance",
    "security",
    "shutdown",
    "traces",
]
