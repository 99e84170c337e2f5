"""Reading what is collected: logs, metrics, probes."""

import re
from urllib.parse import urlsplit

from eldonia_ops.model.errors import Level
from eldonia_ops.model.secret import Secret
from eldonia_ops.protocols.log_lines import LineFormat
from eldonia_ops.settings.reader import SettingsReader, unique
from eldonia_ops.settings.sections import SECOND, HostSettings, LogFile, PostgresqlSettings, ProbeSettings, ScrapeJob

_TARGET = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})")
_METHODS = ("GET", "HEAD", "POST", "PUT", "OPTIONS")
_PROBE_LABELS = ("job", "instance", "probe", "service")
_HTTP_KEYS = ("method", "expect_status", "headers")
_PORT_KEYS = ("send",)
_FORMATS = tuple(item.value for item in LineFormat)


def read_logs(root: SettingsReader) -> tuple[LogFile, ...]:
    """``logs``: the files to follow."""
    found: list[LogFile] = []
    readers = root.list_of("logs")
    for reader in readers:
        found.append(
            LogFile(
                reader.glob("path", required=True),
                reader.string("service"),
                reader.choice("format", _FORMATS, "json"),
            )
        )
        reader.done()
    unique([(reader, file.path) for reader, file in zip(readers, found, strict=True)], "path", "logs")
    return tuple(found)


def read_scrape(root: SettingsReader, host: HostSettings) -> tuple[ScrapeJob, ...]:
    """``scrape``: the targets whose metrics are fetched. ``host`` says whether this machine is read beside them."""
    found: list[ScrapeJob] = []
    readers = root.list_of("scrape")
    for reader in readers:
        targets = reader.strings("targets", required=True)
        for target in targets:
            match = _TARGET.fullmatch(target)
            if match is None or not 0 < int(match[2]) < 65_536:
                reader.fault("targets", f"{target!r} is not a target", "write host:port, without http:// or a path")
        for target in sorted({target for target in targets if targets.count(target) > 1}):
            reader.fault("targets", f"the target {target!r} occurs twice", "its samples would be stored twice")
        interval = reader.period("interval", 15 * SECOND)
        timeout = reader.period("timeout", min(10 * SECOND, interval))
        if timeout > interval:
            reader.fault("timeout", "timeout is longer than interval", "the next scrape would wait for this one")
        path = reader.string("path", "/metrics")
        if not path.startswith("/"):
            reader.fault("path", f"path must start with a slash, not {path!r}")
        username, password = _basic_auth(reader)
        bearer_token = reader.secret("bearer_token")
        if username and bearer_token:
            reader.fault("basic_auth", "basic_auth stands beside bearer_token", "keep one of them")
        if reader.string("job") == "node" and host.enabled:
            hint = "give the job another name, or write host: {enabled: false}"
            message = "the job node is also that of this machine's own readings, which run beside it"
            reader.problems.add(reader.get("job"), message, hint, Level.WARNING)
        found.append(
            ScrapeJob(
                job=reader.string("job", required=True),
                targets=targets,
                path=path,
                scheme=reader.choice("scheme", ("http", "https"), "http"),
                interval=interval,
                timeout=timeout,
                labels=reader.labels(),
                bearer_token=bearer_token,
                username=username,
                password=password,
                honor_labels=reader.boolean("honor_labels", False),
                honor_timestamps=reader.boolean("honor_timestamps", True),
            )
        )
        reader.done()
    unique([(reader, job.job) for reader, job in zip(readers, found, strict=True)], "job", "scrape jobs")
    return tuple(found)


def _basic_auth(root: SettingsReader) -> tuple[str, Secret]:
    reader = root.section("basic_auth")
    if reader is None:
        return "", Secret("")
    found = reader.string("username", required=True), reader.secret("password")
    reader.done()
    return found


def read_host(root: SettingsReader) -> HostSettings:
    """``host``: this machine itself."""
    reader = root.section("host")
    if reader is None:
        return HostSettings()
    found = HostSettings(reader.boolean("enabled", True), reader.period("interval", 15 * SECOND, minimum=SECOND))
    reader.done()
    return found


def read_postgresql(root: SettingsReader) -> tuple[PostgresqlSettings, ...]:
    """``postgresql``: databases whose activity is read."""
    found: list[PostgresqlSettings] = []
    readers = root.list_of("postgresql")
    for reader in readers:
        found.append(
            PostgresqlSettings(
                reader.secret("dsn", required=True),
                reader.string("instance"),
                reader.period("interval", 15 * SECOND, minimum=SECOND),
            )
        )
        reader.done()
    unique([(reader, one.instance) for reader, one in zip(readers, found, strict=True)], "instance", "databases")
    for reader, one in zip(readers, found, strict=True):
        dsn = one.dsn.reveal()
        if "://" in dsn and not dsn.startswith(("postgresql://", "postgres://")):
            reader.fault("dsn", "dsn is not one of a PostgreSQL", "write postgresql://user:password@host/database")
    servers = [(reader, one.dsn.reveal()) for reader, one in zip(readers, found, strict=True) if not one.instance]
    for index, (reader, dsn) in enumerate(servers):
        if dsn and _server(dsn) in [_server(other) for _, other in servers[:index]]:
            # One entry sees every database of a server; two would write the same series in turns.
            reader.fault("dsn", "this server stands here already", "one entry is enough for all of its databases")
    return tuple(found)


def _server(dsn: str) -> str:
    """What tells servers apart in a DSN, without its password: host and port of a URL, else the whole."""
    if not dsn.startswith(("postgresql://", "postgres://")):
        return dsn
    host = dsn.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2]
    return host if ":" in host.rpartition("]")[2] else f"{host}:5432"


def read_probes(root: SettingsReader) -> tuple[ProbeSettings, ...]:
    """``probes``: endpoints looked at from outside."""
    found: list[ProbeSettings] = []
    readers = root.list_of("probes")
    for reader in readers:
        interval = reader.period("interval", 15 * SECOND)
        timeout = reader.period("timeout", min(5 * SECOND, interval))
        if timeout > interval:
            reader.fault("timeout", "timeout is longer than interval", "the next look would wait for this one")
        url = reader.url("url", required=True, schemes=("http", "https", "tcp", "tls"))
        _check_scheme(reader, url)
        found.append(
            ProbeSettings(
                name=reader.string("name", required=True),
                url=url,
                service=reader.string("service"),
                method=reader.choice("method", _METHODS, "GET"),
                interval=interval,
                timeout=timeout,
                expect_status=_statuses(reader),
                expect_text=reader.string("expect_text"),
                labels=reader.labels(reserved=_PROBE_LABELS),
                headers=reader.headers(),
                send=reader.string("send"),
                verify_certificate=reader.boolean("verify_certificate", True),
            )
        )
        reader.done()
    unique([(reader, probe.name) for reader, probe in zip(readers, found, strict=True)], "name", "probes")
    return tuple(found)


def _check_scheme(reader: SettingsReader, url: str) -> None:
    """Note what the scheme of a probe's URL has no use for."""
    parts = urlsplit(url)
    is_port = parts.scheme in ("tcp", "tls")
    if is_port and (not parts.port or "@" in parts.netloc or parts.path or parts.query or parts.fragment):
        reader.fault("url", f"url is not {parts.scheme}://host:port", "a port has no path, user or query")
    useless = _HTTP_KEYS if is_port else _PORT_KEYS if url else ()
    for key in (*useless, *(("verify_certificate",) if parts.scheme == "tcp" else ())):
        if reader.has(key):
            reader.fault(key, f"{key} means nothing to a probe of {parts.scheme}://")


def _statuses(reader: SettingsReader) -> tuple[int, ...]:
    texts = reader.strings("expect_status", ("200",))
    wrong = [text for text in texts if not (text.isascii() and text.isdigit() and 100 <= int(text) <= 599)]
    for text in wrong:
        reader.fault("expect_status", f"{text!r} is not an HTTP status", "a number from 100 to 599")
    return (200,) if wrong or not texts else tuple(int(text) for text in texts)
