"""``@type alb`` and ``cloudfront``: access logs of AWS.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html,
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
"""

from typing import Any, ClassVar, Final
from urllib.parse import unquote

from eldonia_ops.pipeline.parsers.fields import Fields
from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.section import SectionReader

_ALB: Final = (
    "type", "time", "elb", "client", "target", "request_processing_time", "target_processing_time",
    "response_processing_time", "elb_status_code", "target_status_code", "received_bytes", "sent_bytes", "request",
    "user_agent", "ssl_cipher", "ssl_protocol", "target_group_arn", "trace_id", "domain_name", "chosen_cert_arn",
    "matched_rule_priority", "request_creation_time", "actions_executed", "redirect_url", "error_reason",
    "target_list", "target_status_code_list", "classification", "classification_reason", "conn_trace_id",
)  # fmt: skip
_ALB_TYPES: Final = {
    "request_processing_time": "float", "target_processing_time": "float", "response_processing_time": "float",
    "elb_status_code": "integer", "target_status_code": "integer", "received_bytes": "integer", "sent_bytes": "integer",
    "client_port": "integer", "target_port": "integer", "matched_rule_priority": "integer",
}  # fmt: skip
_CLOUDFRONT: Final = (
    "date", "time", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs(Host)", "cs-uri-stem", "sc-status",
    "cs(Referer)", "cs(User-Agent)", "cs-uri-query", "cs(Cookie)", "x-edge-result-type", "x-edge-request-id",
    "x-host-header", "cs-protocol", "cs-bytes", "time-taken", "x-forwarded-for", "ssl-protocol", "ssl-cipher",
    "x-edge-response-result-type", "cs-protocol-version", "fle-status", "fle-encrypted-fields", "c-port",
    "time-to-first-byte", "x-edge-detailed-result-type", "sc-content-type", "sc-content-len", "sc-range-start",
    "sc-range-end",
)  # fmt: skip
_CLOUDFRONT_TYPES: Final = {
    "sc_bytes": "integer", "sc_status": "integer", "cs_bytes": "integer", "time_taken": "float", "c_port": "integer",
    "time_to_first_byte": "float", "sc_content_len": "integer",
}  # fmt: skip
_ENCODED: Final = frozenset(("cs_user_agent", "cs_referer", "cs_cookie"))
_FEWEST: Final = 12


class AlbParser(Parser):
    """Fields have AWS' names; ``client`` and ``target`` are divided from their ports, the request into ``method``,
    ``url`` and ``protocol``. ``-`` is left out."""

    type: ClassVar[str] = "alb"

    def __init__(self, reader: SectionReader) -> None:
        self._fields = Fields(reader, time_key="time", types=_ALB_TYPES)

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """One record of a request."""
        values = quoted_words(text)
        if len(values) < _FEWEST:
            raise ParseError("the line does not have the fields of a load balancer's access log")
        record: dict[str, Any] = {name: value for name, value in zip(_ALB, values, strict=False) if value != "-"}
        for name in ("client", "target"):
            host, colon, port = record.get(name, "").rpartition(":")
            if colon:
                record |= {name: host, f"{name}_port": port}
        words = record.pop("request", "").split(" ")
        if len(words) == 3:
            record |= zip(("method", "url", "protocol"), words, strict=True)
        elif words != [""]:
            record["request"] = " ".join(words)
        return [self._fields.finish(record, now_ns)]


class CloudfrontParser(Parser):
    """Fields have AWS' names with ``_`` for what is no letter or digit. Lines with ``#`` have no record. ``keys`` are
    the columns where a log has others."""

    type: ClassVar[str] = "cloudfront"

    def __init__(self, reader: SectionReader) -> None:
        self._keys = tuple(_column(key) for key in reader.texts("keys", _CLOUDFRONT))
        self._fields = Fields(reader, time_key="time", types=_CLOUDFRONT_TYPES)

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """One record of a request, or none."""
        if text.startswith("#"):
            return []
        values = text.split("\t")
        if len(values) < min(_FEWEST, len(self._keys)):
            raise ParseError("the line does not have the columns of CloudFront's standard log")
        record: dict[str, Any] = {
            name: unquote(unquote(value)) if name in _ENCODED else value
            for name, value in zip(self._keys, values, strict=False)
            if value != "-"
        }
        if "date" in record and "time" in record:
            record["time"] = f"{record.pop('date')}T{record['time']}Z"
        return [self._fields.finish(record, now_ns)]


def quoted_words(text: str) -> list[str]:
    """Words between blanks; one in double quotes may hold blanks, and escaped quotes.

    Raises:
        ParseError: a quote is not closed.
    """
    found: list[str] = []
    at, end = 0, len(text)
    while at < end:
        if text[at] == " ":
            at += 1
        elif text[at] == '"':
            close = at + 1
            while (close := text.find('"', close)) >= 0 and text[close - 1] == "\\":
                close += 1
            if close < 0:
                raise ParseError("a quote is not closed")
            found.append(text[at + 1 : close].replace('\\"', '"'))
            at = close + 1
        else:
            close = text.find(" ", at)
            close = end if close < 0 else close
            found.append(text[at:close])
            at = close
    return found


def _column(name: str) -> str:
    kept = "".join(char if char.isalnum() else "_" for char in name)
    return kept.strip("_").lower()
