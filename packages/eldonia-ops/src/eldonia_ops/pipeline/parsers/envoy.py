"""``@type envoy``: Envoy's access log in its default format, also with Istio's fields behind.

https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#default-format-string
"""

from typing import Any, ClassVar, Final

from eldonia_ops.pipeline.parsers.fields import Fields
from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.ruby_regexp import RubyRegexp
from eldonia_ops.pipeline.section import SectionReader

_ENVOY: Final = RubyRegexp(
    r'^\[(?<time>[^\]]+)\] "(?<method>[^ "]+) (?<path>[^ "]*) (?<protocol>[^"]+)" '
    r"(?<response_code>[0-9]+) (?<response_flags>[^ ]+) (?:(?<response_code_details>[^ \"0-9][^ \"]*|-) "
    r'(?<connection_termination_details>[^ "]+|"[^"]*") "(?<upstream_transport_failure_reason>[^"]*)" )?'
    r"(?<bytes_received>[0-9]+) (?<bytes_sent>[0-9]+) (?<duration>[0-9]+|-) (?<upstream_service_time>[0-9]+|-) "
    r'"(?<x_forwarded_for>[^"]*)" "(?<user_agent>[^"]*)" "(?<request_id>[^"]*)" "(?<authority>[^"]*)" '
    r'"(?<upstream_host>[^"]*)"(?: (?<upstream_cluster>[^ ]+) (?<upstream_local_address>[^ ]+) '
    r"(?<downstream_local_address>[^ ]+) (?<downstream_remote_address>[^ ]+) (?<requested_server_name>[^ ]+) "
    r"(?<route_name>[^ ]+))?"
)
_NUMBERS: Final = ("response_code", "bytes_received", "bytes_sent", "duration", "upstream_service_time")


class EnvoyParser(Parser):
    """Fields have the names of Envoy's command operators; durations are in ms, ``-`` is left out."""

    type: ClassVar[str] = "envoy"

    def __init__(self, reader: SectionReader) -> None:
        self._fields = Fields(reader, time_key="time", types=dict.fromkeys(_NUMBERS, "integer"))

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """One record of a request."""
        found = _ENVOY.fields(text)
        if found is None:
            raise ParseError("the line does not have Envoy's default format")
        record: dict[str, Any] = {name: value for name, value in found.items() if value not in ("-", "")}
        return [self._fields.finish(record, now_ns)]
