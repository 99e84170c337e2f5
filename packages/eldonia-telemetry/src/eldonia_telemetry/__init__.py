"""Logs, metrics, traces and security events for Python services.

    import eldonia_telemetry as telemetry

    telemetry.init(service="shop", log_dir="/var/log/shop", otlp_endpoint="http://127.0.0.1:9600")
    app.add_middleware(telemetry.TelemetryMiddleware)
    log = telemetry.get_logger(component="orders")

Nothing here raises into the application or holds it up for long; what could not be done is counted
(``eldonia_telemetry_lost_total``) and said once on standard error.
"""

from eldonia_telemetry import auth, business, losses, metrics, payments, runtime, security, traces
from eldonia_telemetry.context import Binding, bind, carry
from eldonia_telemetry.integrations import stdlib
from eldonia_telemetry.integrations.asgi import TelemetryMiddleware, metrics_app
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
    console: bool | None = None,
    redact: bool | None = None,
    capture_logging: bool | None = None,
    otlp_endpoint: str | None = None,
    ingest_token: str | None = None,
    trace_ratio: float | None = None,
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
        console: write to standard output; by default at a terminal, or when there is no ``log_dir``.
        redact: take secrets out of records (default on).
        capture_logging: put a handler on the root logger of the standard ``logging`` (default on).
        otlp_endpoint: where spans are sent (``/v1/traces`` is added); '' exports none.
        ingest_token: sent as a bearer token with the spans.
        trace_ratio: the share of new traces that is recorded, 0 to 1 (default 1).
    """
    given = dict(locals())
    try:
        settings = resolve(given)
        before = runtime.replace(runtime.build(settings))
        before.close()
        if settings.capture_logging:
            stdlib.install()
        else:
            stdlib.uninstall()
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        losses.count("setup", "init failed, what was in use stays", error)
        return runtime.current.settings
    return settings


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
    "security",
    "shutdown",
    "traces",
]
