"""Functions of Prometheus' rule templates.

Source: https://prometheus.io/docs/prometheus/latest/configuration/template_reference/
"""

import ipaddress
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote_plus, urlsplit

from eldonia_ops.model.durations import parse_duration
from eldonia_ops.template.functions import Function
from eldonia_ops.template.instant import GoDuration, Instant
from eldonia_ops.template.text_functions import TEXT_FUNCTIONS, join
from eldonia_ops.template.values import StringMap, Struct, format_float

_LARGE = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")
_SMALL = ("", "m", "u", "n", "p", "f", "a", "z", "y")
_BINARY = ("", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")


class QuerySample(Struct):
    """One sample of what ``query`` returned: ``.Labels`` and ``.Value``."""

    go_names: ClassVar[Mapping[str, str]] = {"Labels": "labels", "Value": "value"}

    def __init__(self, labels: Mapping[str, str], value: float) -> None:
        self.labels = StringMap(labels)
        self.value = float(value)


def to_float(value: Any) -> float:
    """A number from a float, an int, a duration or a text.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, bool):
        raise ValueError("can't convert bool to a number")
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, GoDuration):
        return value.seconds()
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            raise ValueError(f"not a number: {value!r}") from None
    raise ValueError(f"can't convert {type(value).__name__} to a number")


def _short(value: float) -> str:
    return format_float(value, "g", 4)


def humanize(value: Any) -> str:
    """Four significant digits with a metric prefix: ``1234567`` is ``1.235M``."""
    number = to_float(value)
    if number == 0 or not math.isfinite(number):
        return _short(number)
    if abs(number) >= 1:
        prefix = _LARGE[0]
        for prefix in _LARGE:
            if abs(number) < 1_000 or prefix == _LARGE[-1]:
                break
            number /= 1_000
        return _short(number) + prefix
    return _small(number)


def _small(number: float) -> str:
    prefix = _SMALL[0]
    for prefix in _SMALL:
        if abs(number) >= 1 or prefix == _SMALL[-1]:
            break
        number *= 1_000
    return _short(number) + prefix


def humanize1024(value: Any) -> str:
    """Four significant digits with a binary prefix: ``1048576`` is ``1Mi``."""
    number = to_float(value)
    if abs(number) <= 1 or not math.isfinite(number):
        return _short(number)
    prefix = _BINARY[0]
    for prefix in _BINARY:
        if abs(number) < 1_024 or prefix == _BINARY[-1]:
            break
        number /= 1_024
    return _short(number) + prefix


def humanize_duration(value: Any) -> str:
    """Seconds as ``1d 2h 3m 4s``, or with a prefix below one second."""
    number = to_float(value)
    if not math.isfinite(number):
        return _short(number)
    if number == 0:
        return "0s"
    if abs(number) < 1:
        return _small(number) + "s"
    sign = "-" if number < 0 else ""
    number = abs(number)
    minutes, seconds = divmod(int(number), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    if minutes:
        return f"{sign}{minutes}m {seconds}s"
    return f"{sign}{_short(number)}s"


def humanize_percentage(value: Any) -> str:
    """A ratio as percent: ``0.1234`` is ``12.34%``."""
    return _short(to_float(value) * 100) + "%"


def _instant(number: float) -> Instant:
    if not math.isfinite(number) or abs(number) > 9_223_372_036:
        raise ValueError(f"{format_float(number)} cannot be represented as a nanoseconds timestamp")
    return Instant(math.floor(number * 1_000))


def humanize_timestamp(value: Any) -> str:
    """Unix seconds as ``2026-01-02 15:04:05 +0000 UTC``."""
    number = to_float(value)
    return _instant(number).go_string() if math.isfinite(number) else _short(number)


def _split_host_port(text: str) -> tuple[str, str] | None:
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not (host.startswith("[") and host.endswith("]"))):
        return None
    return host.removeprefix("[").removesuffix("]"), port


def strip_port(text: str) -> str:
    """``host`` of ``host:port``; anything else unchanged."""
    split = _split_host_port(text)
    return text if split is None else split[0]


def strip_domain(text: str) -> str:
    """The host's first label, a port kept; an address unchanged."""
    split = _split_host_port(text)
    host, port = split if split is not None else (text, "")
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        short = host.split(".", 1)[0]
        return f"{short}:{port}" if port else short
    return text


def title(text: str) -> str:
    """Each word with a capital first letter, the rest unchanged (Go's strings.Title)."""
    out: list[str] = []
    fresh = True
    for character in text:
        out.append(character.title() if fresh else character)
        fresh = not (character.isalnum() or character == "_") and (ord(character) < 128 or character.isspace())
    return "".join(out)


def _first(samples: Sequence[Any]) -> Any:
    if not samples:
        raise ValueError("first() called on vector with no elements")
    return samples[0]


def _sort_by_label(label: str, samples: Sequence[QuerySample]) -> list[QuerySample]:
    return sorted(samples, key=lambda sample: sample.labels.get(label, ""))


def _args(*values: Any) -> dict[str, Any]:
    return {f"arg{index}": value for index, value in enumerate(values)}


def _parse_duration(text: str) -> float:
    return parse_duration(text) / 1_000


def _graph_path(expression: str, tab: int) -> str:
    return f"/graph?g0.expr={quote_plus(expression)}&g0.tab={tab}"


def _no_query(_: str) -> list[QuerySample]:
    raise ValueError("query is not available here")


def rule_functions(
    query: Callable[[str], Sequence[QuerySample]] = _no_query, external_url: str = ""
) -> dict[str, Function]:
    """The functions of an alert rule's labels and annotations.

    ``query`` evaluates PromQL at the instant of the rule's evaluation.
    """
    return {
        **TEXT_FUNCTIONS,
        "title": Function(title, ("string",)),
        "query": Function(lambda expression: list(query(expression)), ("string",)),
        "first": Function(_first, ("list",)),
        "label": Function(lambda name, sample: sample.labels.get(name, ""), ("string", "any")),
        "value": Function(lambda sample: sample.value, ("any",)),
        "strvalue": Function(lambda sample: sample.labels.get("__value__", ""), ("any",)),
        "sortByLabel": Function(_sort_by_label, ("string", "list")),
        "args": Function(_args, ("any",), variadic=True),
        "join": Function(join, ("string", "list")),
        "humanize": Function(humanize, ("any",)),
        "humanize1024": Function(humanize1024, ("any",)),
        "humanizeDuration": Function(humanize_duration, ("any",)),
        "humanizePercentage": Function(humanize_percentage, ("any",)),
        "humanizeTimestamp": Function(humanize_timestamp, ("any",)),
        "toTime": Function(lambda value: _instant(to_float(value)), ("any",)),
        "toDuration": Function(lambda value: GoDuration(int(to_float(value) * 1e9)), ("any",)),
        "parseDuration": Function(_parse_duration, ("string",)),
        "stripPort": Function(strip_port, ("string",)),
        "stripDomain": Function(strip_domain, ("string",)),
        "tableLink": Function(lambda expression: _graph_path(expression, 1), ("string",)),
        "graphLink": Function(lambda expression: _graph_path(expression, 0), ("string",)),
        "urlQueryEscape": Function(quote_plus, ("string",)),
        "externalURL": Function(lambda: external_url),
        "pathPrefix": Function(lambda: urlsplit(external_url).path),
    }
