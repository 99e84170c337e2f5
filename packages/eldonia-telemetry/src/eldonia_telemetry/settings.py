"""Settings, from arguments and from ``ELDONIA_*`` environment variables (arguments win)."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from eldonia_telemetry import dropped_data
from eldonia_telemetry.records import INFO, LEVELS

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_PERIODS: Final = {"": 0, "hour": 3600, "hourly": 3600, "day": 86400, "daily": 86400}
_FALSE: Final = frozenset({"0", "false", "no", "off", ""})
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OWN_HEADERS: Final = frozenset(
    {"connection", "content-encoding", "content-length", "content-type", "host", "transfer-encoding"}
)
"""What the transport decides itself."""
_USERINFO: Final = re.compile(r"//.*@", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Settings:
    """What :func:`eldonia_telemetry.init` decided; it says what each means. Sizes in bytes, ratios from 0 to 1.

    ``console`` None means: when standard output is a terminal, or nothing else takes the logs.
    ``otlp_logs`` None means: when there is no ``log_dir``. ``log_rotate_every`` is in seconds, 0 for never;
    so is ``access_log_delay``.
    """

    service: str = "unknown"
    environment: str = ""
    version: str = ""
    level: int = INFO
    log_dir: str = ""
    log_max_bytes: int = 5 * 1024 * 1024
    log_max_files: int = 5
    log_rotate_every: int = 0
    log_compress: bool = False
    log_ratio: float = 1.0
    log_repeat_limit: int = 0
    access_log_delay: float = 0.05
    console: bool | None = None
    redact: bool = True
    redact_emails: bool = False
    redact_phones: bool = False
    redact_fields: tuple[str, ...] = ()
    capture_logging: bool = True
    otlp_endpoint: str = ""
    otlp_logs: bool | None = None
    otlp_metrics: bool = False
    ingest_token: str = ""
    otlp_headers: tuple[tuple[str, str], ...] = ()
    trace_ratio: float = 1.0
    elasticsearch_url: str = ""
    elasticsearch_user: str = ""
    elasticsearch_password: str = ""
    elasticsearch_api_key: str = ""
    elasticsearch_prefix: str = "eldonia-logs"
    tls_ca: str = ""
    spill_dir: str = ""
    spill_max_bytes: int = 64 * 1024 * 1024
    trace_errors: bool = True
    join_opentelemetry: bool = True
    instrument: bool = True

    def __repr__(self) -> str:
        endpoint = _USERINFO.sub("//", self.otlp_endpoint)
        return f"Settings(service={self.service!r}, log_dir={self.log_dir!r}, otlp_endpoint={endpoint!r})"


def resolve(given: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Settings:
    """Merge arguments (None counts as not given), environment and defaults.

    Values that make no sense are reported once on standard error and replaced by the default.
    """
    default = Settings()

    def pick(name: str) -> Any:
        value = given.get(name)
        return environ.get(f"ELDONIA_{name.upper()}") if value is None else value

    def text(name: str) -> str:
        value = pick(name)
        return getattr(default, name) if value is None else str(value).strip()

    def number(name: str, kind: type[int] | type[float], low: float, high: float) -> Any:
        value = pick(name)
        if value is None:
            return getattr(default, name)
        try:
            result = kind(value)
            if not low <= result <= high:
                raise ValueError(f"{value} is not between {low} and {high}")
        except (TypeError, ValueError) as error:
            dropped_data.count("setup", f"{name} is not usable, the default applies", error)
            return getattr(default, name)
        return result

    def flag(name: str) -> Any:
        value = pick(name)
        if value is None or isinstance(value, bool):
            return getattr(default, name) if value is None else value
        lowered = str(value).strip().lower()
        if lowered not in _TRUE and lowered not in _FALSE:
            dropped_data.count("setup", f"{name} is neither true nor false, the default applies")
            return getattr(default, name)
        return lowered in _TRUE

    def period(name: str) -> int:
        value = pick(name)
        named = _PERIODS.get(str(value).strip().lower())
        return number(name, int, 0, 366 * 86400) if named is None else named

    def names(name: str) -> tuple[str, ...]:
        value = pick(name)
        if value is None:
            return ()
        parts = value.split(",") if isinstance(value, str) else value
        return tuple(stripped for part in parts if (stripped := str(part).strip()))

    def headers(name: str) -> tuple[tuple[str, str], ...]:
        value = pick(name)
        if value is None:
            return ()
        if isinstance(value, str):  # as OTEL_EXPORTER_OTLP_HEADERS: name=value,name=value, percent-encoded
            parts = (part.partition("=") for part in value.split(",") if part.strip())
            pairs = [(unquote(key), unquote(said.strip())) for key, _, said in parts]
        elif isinstance(value, Mapping):
            pairs = [(str(key), str(said)) for key, said in value.items()]
        else:
            dropped_data.count("setup", f"{name} is neither a mapping nor name=value,name=value: none are sent")
            return ()
        kept: dict[str, str] = {}
        for key, said in pairs:
            lowered = key.strip().lower()
            if not _HEADER_NAME.fullmatch(lowered) or lowered in _OWN_HEADERS:
                dropped_data.count("setup", f"{name}: {lowered[:64]!r} cannot be set, it is left out")
            elif not (said and said.isascii() and said.isprintable()):
                dropped_data.count("setup", f"{name}: the value of {lowered[:64]!r} cannot be sent, it is left out")
            else:
                kept[lowered] = said
        return tuple(kept.items())

    level_name = str(pick("log_level") or "info").strip().lower()
    if level_name not in LEVELS:
        dropped_data.count("setup", "log_level is not one of error, warn, info, debug; info applies")
    return Settings(
        service=text("service") or default.service,
        environment=text("environment"),
        version=text("version"),
        level=LEVELS.get(level_name, INFO),
        log_dir=text("log_dir"),
        log_max_bytes=number("log_max_bytes", int, 4096, 2**40),
        log_max_files=number("log_max_files", int, 1, 10_000),
        log_rotate_every=period("log_rotate_every"),
        log_compress=flag("log_compress"),
        log_ratio=number("log_ratio", float, 0.0, 1.0),
        log_repeat_limit=number("log_repeat_limit", int, 0, 2**31),
        access_log_delay=number("access_log_delay", float, 0.0, 10.0),
        console=flag("console"),
        redact=flag("redact"),
        redact_emails=flag("redact_emails"),
        redact_phones=flag("redact_phones"),
        redact_fields=names("redact_fields"),
        capture_logging=flag("capture_logging"),
        otlp_endpoint=text("otlp_endpoint"),
        otlp_logs=flag("otlp_logs"),
        otlp_metrics=flag("otlp_metrics"),
        ingest_token=text("ingest_token"),
        otlp_headers=headers("otlp_headers"),
        trace_ratio=number("trace_ratio", float, 0.0, 1.0),
        elasticsearch_url=text("elasticsearch_url"),
        elasticsearch_user=text("elasticsearch_user"),
        elasticsearch_password=text("elasticsearch_password"),
        elasticsearch_api_key=text("elasticsearch_api_key"),
        elasticsearch_prefix=text("elasticsearch_prefix") or default.elasticsearch_prefix,
        tls_ca=text("tls_ca"),
        spill_dir=text("spill_dir"),
        spill_max_bytes=number("spill_max_bytes", int, 0, 2**40),
        trace_errors=flag("trace_errors"),
        join_opentelemetry=flag("join_opentelemetry"),
        instrument=flag("instrument"),
    )
