"""What is collected: logs, metrics, probes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from eldonia_ops.model.errors import Level
from eldonia_ops.model.labels import EMPTY, Labels
from eldonia_ops.model.secret import Secret
from eldonia_ops.protocols.log_lines import LineFormat
from eldonia_ops.settings.containers import Headers, LabelSet, Texts
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import Choice, Clean, Flag, Period
from eldonia_ops.settings.reader import SettingsReader
from eldonia_ops.settings.texts import Glob, SecretText, Text, Url, UrlPath
from eldonia_ops.settings.units import SECOND

_TARGET: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})")
_NO_SECRET: Final = Secret("")
_PORTS: Final = ("tcp", "tls")
_HTTP_KEYS: Final = ("method", "expect_status", "headers")
_PORT_KEYS: Final = ("send",)
_PROBE_LABELS: Final = ("job", "instance", "probe", "service")


@dataclass(frozen=True, slots=True)
class LogFile:
    """Log files to follow. ``path`` is absolute once loaded."""

    path: Annotated[str, Setting(Glob(), "The files to follow.")]
    service: Annotated[str, Setting(Text(), "The service of lines that do not name theirs.")] = ""
    format: Annotated[
        str,
        Setting(
            Choice(tuple(item.value for item in LineFormat)),
            "`json`: one object a line, in our form or one of those below. `raw`: a line is its own message. `auto`: "
            "lines that begin with a brace are JSON. A line that cannot be read is kept as text, with a mark.",
        ),
    ] = "json"


@dataclass(frozen=True, slots=True)
class Targets(Texts):
    """Addresses to scrape, each once."""

    what: str = "list of `host:port`"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The addresses."""
        targets = reader.strings(key, default, required=required)
        for target in targets:
            match = _TARGET.fullmatch(target)
            if match is None or not 0 < int(match[2]) < 65_536:
                reader.fault(key, f"{target!r} is not a target", "write host:port, without http:// or a path")
        for target in sorted({target for target in targets if targets.count(target) > 1}):
            reader.fault(key, f"the target {target!r} occurs twice", "its samples would be stored twice")
        return targets

    def schema(self) -> dict[str, Any]:
        """A text or an array of them."""
        one = {"type": "string", "pattern": rf"^{_TARGET.pattern}$|\$\{{"}
        return {"anyOf": [one, {"type": "array", "items": one, "uniqueItems": True}, {"type": "null"}]}


@dataclass(frozen=True, slots=True)
class ScrapeJob:
    """Targets whose metrics are fetched over HTTP."""

    job: Annotated[str, Setting(Text(), "The label `job` of every series.")]
    targets: Annotated[tuple[str, ...], Setting(Targets(), "The addresses to fetch from.")]
    path: Annotated[str, Setting(UrlPath(), "Where the metrics are.")] = "/metrics"
    scheme: Annotated[str, Setting(Choice(("http", "https")))] = "http"
    interval: Annotated[int, Setting(Period(), "Time from one scrape to the next.")] = 15 * SECOND
    timeout: Annotated[
        int,
        Setting(
            Period(at_most="interval", because="the next scrape would wait for this one"),
            "The longest time of a scrape.",
        ),
    ] = 10 * SECOND
    labels: Annotated[
        Labels, Setting(LabelSet(), "Put on every series; an exposed label of the same name becomes `exported_…`.")
    ] = EMPTY
    bearer_token: Annotated[Secret, Setting(SecretText(), "Sent with every scrape.")] = _NO_SECRET
    username: Annotated[
        str,
        Setting(
            Text(),
            "For HTTP's basic authentication.",
            under="basic_auth",
            required=True,
            applies=lambda job: job.username,
        ),
    ] = ""
    password: Annotated[
        Secret, Setting(SecretText(), "Belongs to `username`.", under="basic_auth", applies=lambda job: job.username)
    ] = _NO_SECRET
    honor_labels: Annotated[
        bool, Setting(Flag(), "Whether an exposed label wins over the target's own of the same name.")
    ] = False
    honor_timestamps: Annotated[bool, Setting(Flag(), "Whether samples keep the times that they come with.")] = True


def check_scrape(reader: SettingsReader, job: ScrapeJob) -> None:
    """Note two kinds of credentials, and the name of this machine's own readings."""
    if job.username and job.bearer_token:
        reader.fault("basic_auth", "basic_auth and bearer_token are both given", "keep one of them")
    if job.job == "node" and reader.around.read["host"].enabled:
        hint = "give the job another name, or write host: {enabled: false}"
        message = "the job node is also that of this machine's own readings, which run beside it"
        reader.problems.add(reader.get("job"), message, hint, Level.WARNING)


@dataclass(frozen=True, slots=True)
class HostSettings:
    """Whether, and how often, this machine's own CPU, memory, disks and network are read."""

    enabled: Annotated[bool, Setting(Flag(), 'Reads this machine, under node_exporter\'s names, as `job="node"`.')] = (
        True
    )
    interval: Annotated[int, Setting(Period(minimum=SECOND), "Time from one reading to the next.")] = 15 * SECOND


@dataclass(frozen=True, slots=True)
class PostgresqlSettings:
    """A PostgreSQL whose activity is read."""

    dsn: Annotated[Secret, Setting(SecretText("DSN, a secret"), "How to connect.")]
    instance: Annotated[str, Setting(Text(), "Its label; without it host and port of the DSN.")] = ""
    interval: Annotated[int, Setting(Period(minimum=SECOND), "Time from one reading to the next.")] = 15 * SECOND


def check_postgresql(readers: list[SettingsReader], found: tuple[PostgresqlSettings, ...]) -> None:
    """Note DSNs of other databases, and servers that would be read twice."""
    for reader, one in zip(readers, found, strict=True):
        dsn = one.dsn.reveal()
        if "://" in dsn and not dsn.startswith(("postgresql://", "postgres://")):
            reader.fault("dsn", "dsn is not one of a PostgreSQL", "write postgresql://user:password@host/database")
    servers = [(reader, one.dsn.reveal()) for reader, one in zip(readers, found, strict=True) if not one.instance]
    for index, (reader, dsn) in enumerate(servers):
        if dsn and _server(dsn) in [_server(other) for _, other in servers[:index]]:
            # One entry sees every database of a server; two would write the same series in turns.
            reader.fault("dsn", "this server stands here already", "one entry is enough for all of its databases")


def _server(dsn: str) -> str:
    """What tells servers apart in a DSN, without its password: host and port of a URL, else the whole."""
    if not dsn.startswith(("postgresql://", "postgres://")):
        return dsn
    host = dsn.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2]
    return host if ":" in host.rpartition("]")[2] else f"{host}:5432"


@dataclass(frozen=True, slots=True)
class Statuses(Texts):
    """HTTP statuses, as numbers."""

    what: str = "list of HTTP statuses"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The numbers; the default where one is wrong."""
        texts = reader.strings(key, tuple(map(str, default)))
        wrong = [text for text in texts if not (text.isascii() and text.isdigit() and 100 <= int(text) <= 599)]
        for text in wrong:
            reader.fault(key, f"{text!r} is not an HTTP status", "a number from 100 to 599")
        return default if wrong or not texts else tuple(int(text) for text in texts)

    def schema(self) -> dict[str, Any]:
        """A number from 100 to 599, or an array of them."""
        number = {"type": "integer", "minimum": 100, "maximum": 599}
        one = {"anyOf": [number, {"type": "string", "pattern": r"^0*[1-5]\d\d$|\$\{"}]}
        return {"anyOf": [one, {"type": "array", "items": one}, {"type": "null"}]}

    def plain(self, value: Any, clean: Clean) -> Any:
        """The numbers."""
        return list(value)


def _is_http(probe: "ProbeSettings") -> bool:
    return urlsplit(probe.url).scheme not in _PORTS


def _is_port(probe: "ProbeSettings") -> bool:
    return not _is_http(probe)


def _has_certificate(probe: "ProbeSettings") -> bool:
    return urlsplit(probe.url).scheme != "tcp"


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """An endpoint looked at from outside, by the scheme of ``url``: http, https, tcp or tls.

    An HTTP look succeeds when the status is in ``expect_status`` and the body contains ``expect_text``. A look
    at a port succeeds when the connection (and TLS) comes about and, after ``send`` went out, ``expect_text``
    comes back; ``method``, ``expect_status`` and ``headers`` mean nothing there, nor ``send`` to HTTP.
    """

    name: Annotated[str, Setting(Text(), "Recovery and objectives refer to it.")]
    url: Annotated[str, Setting(Url(sensitive=True, schemes=("http", "https", *_PORTS)), "What is looked at.")]
    service: Annotated[str, Setting(Text(), "The label `service` of its results.")] = ""
    method: Annotated[
        str, Setting(Choice(("GET", "HEAD", "POST", "PUT", "OPTIONS")), "HTTP only.", applies=_is_http)
    ] = "GET"
    interval: Annotated[int, Setting(Period(), "Time from one look to the next.")] = 15 * SECOND
    timeout: Annotated[
        int,
        Setting(
            Period(at_most="interval", because="the next look would wait for this one"), "The longest time of a look."
        ),
    ] = 5 * SECOND
    expect_status: Annotated[
        tuple[int, ...],
        Setting(Statuses(), "HTTP only. A redirect is followed unless its status is in this list.", applies=_is_http),
    ] = (200,)
    expect_text: Annotated[
        str, Setting(Text(sensitive=True), "What the body must contain, or what the port must answer.")
    ] = ""
    labels: Annotated[
        Labels, Setting(LabelSet(reserved=_PROBE_LABELS), "Any but `job`, `instance`, `probe` and `service`.")
    ] = EMPTY
    headers: Annotated[
        Mapping[str, Secret], Setting(Headers(), "HTTP only. Values are never shown.", applies=_is_http)
    ] = field(default_factory=dict)
    send: Annotated[
        str,
        Setting(
            Text(sensitive=True), r'Ports only. What goes out first, in double quotes: `"QUIT\r\n"`.', applies=_is_port
        ),
    ] = ""
    verify_certificate: Annotated[
        bool,
        Setting(
            Flag(), "`false` trusts any certificate, and then does not know when it ends.", applies=_has_certificate
        ),
    ] = True


def check_probe(reader: SettingsReader, probe: ProbeSettings) -> None:
    """Note what the scheme of a probe's URL has no use for."""
    parts = urlsplit(probe.url)
    is_port = parts.scheme in _PORTS
    if is_port and (not parts.port or "@" in parts.netloc or parts.path or parts.query or parts.fragment):
        reader.fault("url", f"url is not {parts.scheme}://host:port", "a port has no path, user or query")
    useless = _HTTP_KEYS if is_port else _PORT_KEYS if probe.url else ()
    for key in (*useless, *(("verify_certificate",) if parts.scheme == "tcp" else ())):
        if reader.has(key):
            reader.fault(key, f"{key} means nothing to a probe of {parts.scheme}://")
