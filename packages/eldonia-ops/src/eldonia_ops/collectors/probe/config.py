"""The section ``probes`` of the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from eldonia_ops.model.labels import EMPTY, Labels
from eldonia_ops.model.secret import Secret
from eldonia_ops.settings.containers import Headers, Items, LabelSet, Texts
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import Choice, Clean, Flag, Period
from eldonia_ops.settings.reader import SettingsReader
from eldonia_ops.settings.texts import Text, Url
from eldonia_ops.settings.units import SECOND

_PORTS: Final = ("tcp", "tls")
_HTTP_KEYS: Final = ("method", "expect_status", "headers")
_PORT_KEYS: Final = ("send",)
_PROBE_LABELS: Final = ("job", "instance", "probe", "service")


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


SECTION: Final = Setting(Items(ProbeSettings, "name", "probes", check_probe), "Endpoints looked at from outside.")
