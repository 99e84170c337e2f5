"""``@type haproxy``: HAProxy's log of HTTP requests (``option httplog``) and connections (``option tcplog``).

What syslog puts in front is left out. https://docs.haproxy.org/3.0/configuration.html#8.2
"""

from typing import Any, ClassVar, Final

from eldonia_ops.pipeline.parsers.fields import Fields
from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.ruby_regexp import RubyRegexp
from eldonia_ops.pipeline.section import SectionReader

_START: Final = (
    r"(?:^|\s)(?<client>[0-9A-Fa-f.:]+|unix):(?<client_port>[0-9]+) "
    r"\[(?<time>[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8}\.[0-9]{3})\] "
    r"(?<frontend>[^ ]+) (?<backend>[^ /]+)/(?<server>[^ ]+) "
)
_LOAD: Final = (
    "(?<actconn>[0-9]+)/(?<feconn>[0-9]+)/(?<beconn>[0-9]+)/(?<srv_conn>[0-9]+)/(?<retries>[+]?[0-9]+) "
    "(?<srv_queue>[0-9]+)/(?<backend_queue>[0-9]+)"
)
_HTTP: Final = RubyRegexp(
    _START + r"(?<tr>-?[0-9]+)/(?<tw>-?[0-9]+)/(?<tc>-?[0-9]+)/(?<t_response>-?[0-9]+)/(?<ta>[+]?-?[0-9]+) "
    r"(?<status_code>-?[0-9]+) (?<bytes_read>[+]?[0-9]+) (?<captured_request_cookie>[^ ]+) "
    r"(?<captured_response_cookie>[^ ]+) (?<termination_state>[^ ]{2,4}) " + _LOAD + "(?: "
    r"\{(?<captured_request_headers>[^}]*)\})?(?: \{(?<captured_response_headers>[^}]*)\})? "
    r'"(?:<BADREQ>|(?<method>[A-Z-]+) (?<path>[^ "]*)(?: (?<protocol>HTTP/[0-9.]+))?)[^"]*"?'
)
_TCP: Final = RubyRegexp(
    _START + r"(?<tw>-?[0-9]+)/(?<tc>-?[0-9]+)/(?<tt>[+]?-?[0-9]+) (?<bytes_read>[+]?[0-9]+) "
    r"(?<termination_state>[^ ]{2}) " + _LOAD
)
_NUMBERS: Final = (
    "client_port", "tr", "tw", "tc", "t_response", "ta", "tt", "status_code", "bytes_read", "actconn", "feconn",
    "beconn", "srv_conn", "retries", "srv_queue", "backend_queue",
)  # fmt: skip


class HaproxyParser(Parser):
    """Fields have HAProxy's names; times are in ms, -1 for what did not happen. ``t_response`` is Tr of HAProxy, and
    ``tr`` TR. ``-`` is left out. The time has no zone: it is that of ``timezone``."""

    type: ClassVar[str] = "haproxy"

    def __init__(self, reader: SectionReader) -> None:
        types: dict[str, str] = dict.fromkeys(_NUMBERS, "integer")
        self._fields = Fields(reader, time_key="time", time_format="%d/%b/%Y:%H:%M:%S.%L", types=types)

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """One record of a request or a connection."""
        found = _HTTP.fields(text) or _TCP.fields(text)
        if found is None:
            raise ParseError("the line does not have the form of httplog or tcplog")
        record: dict[str, Any] = {
            name: value.removeprefix("+") if name in _NUMBERS else value
            for name, value in found.items()
            if value not in ("-", "")
        }
        return [self._fields.finish(record, now_ns)]
