"""The wire shapes of Alertmanager's API v2.

Format: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from eldonia_ops.model.alerts import URGENT, Alert, Silence
from eldonia_ops.model.foreign import MAX_DEPTH, clean_text, decode_json, nesting
from eldonia_ops.model.labels import Labels, fit
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.protocols.alertmanager.matcher_syntax import parse_matcher

_ZERO_TIME: Final = "0001-01-01T00:00:00"
_LATEST_MS: Final = 253_402_300_799_000


class PostedAlert(msgspec.Struct, rename="camel"):
    """An alert as clients post it."""

    labels: dict[str, str]
    annotations: dict[str, str] = {}
    starts_at: str = ""
    ends_at: str = ""
    generator_url: str = msgspec.field(default="", name="generatorURL")


class PostedMatcher(msgspec.Struct, rename="camel"):
    """A matcher as clients post it."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True


class PostedSilence(msgspec.Struct, rename="camel"):
    """A silence as clients post it."""

    matchers: list[PostedMatcher]
    starts_at: str
    ends_at: str
    comment: str
    created_by: str = ""
    id: str = ""


_alerts = msgspec.json.Decoder(list[PostedAlert])
_alert_texts = msgspec.json.Decoder(list[msgspec.Raw])
_one_alert = msgspec.json.Decoder(PostedAlert)
_silence = msgspec.json.Decoder(PostedSilence)


@dataclass(frozen=True, slots=True)
class PostedLimits:
    """What one alert and one request may hold; bytes are of UTF-8. A few hundred bytes are usual.

    Of a request with more ``alerts``, the urgent ones are taken first.
    """

    alerts: int = 10_000
    labels: int = 100
    label_bytes: int = 16 << 10
    annotations: int = 100
    annotation_bytes: int = 64 << 10
    url_bytes: int = 8 << 10


POSTED_LIMITS: Final = PostedLimits()


def read_alerts(
    body: bytes, now: int, resolve_timeout_ms: int, limits: PostedLimits = POSTED_LIMITS
) -> tuple[list[Alert], list[str]]:
    """The alerts of a POST, and what is wrong with those that had to be left out.

    Without ``startsAt`` an alert starts now (or when it ended, if that is earlier); without
    ``endsAt`` it ends after the resolve timeout unless it is posted again.

    Raises:
        ValueError: the body as a whole is not a list of alerts.
    """
    _check_nesting(body)
    posted, faults = _posted(body)
    chosen = sorted(posted)
    if len(posted) > limits.alerts:
        first = sorted(chosen, key=lambda index: posted[index].labels.get("severity", "") not in URGENT)
        chosen = sorted(first[: limits.alerts])
        left_out = len(posted) - limits.alerts
        at_most = f"a request takes at most {limits.alerts:,}, urgent ones first"
        faults.append(f"{left_out:,} alerts were left out: {at_most}")
    alerts: list[Alert] = []
    for index in chosen:
        try:
            alerts.append(_alert(posted[index], now, resolve_timeout_ms, limits))
        except ValueError as error:
            faults.append(f"alert {index}: {error}")
    Labels.fingerprint_all(alert.labels for alert in alerts)
    return alerts, faults


def _posted(body: bytes) -> tuple[dict[int, PostedAlert], list[str]]:
    """The alerts by their places in the list, and what is wrong with those that are none."""
    try:
        return dict(enumerate(decode_json(_alerts.decode, body))), []
    except msgspec.ValidationError as error:
        fault = f"the body is not a list of alerts: {error}"
    except msgspec.DecodeError as error:
        raise ValueError(f"the body is not a list of alerts: {error}") from None
    except RecursionError:
        raise ValueError("the body is nested too deeply") from None
    found: dict[int, PostedAlert] = {}
    faults: list[str] = []
    try:
        texts = decode_json(_alert_texts.decode, body)
    except msgspec.ValidationError:
        raise ValueError(fault) from None
    for index, text in enumerate(texts):
        try:
            found[index] = _one_alert.decode(text)
        except msgspec.ValidationError as error:
            faults.append(f"alert {index}: {error}")
    if not found:
        raise ValueError(fault)
    return found, faults


def _check_nesting(body: bytes) -> None:
    if nesting(body) > MAX_DEPTH:
        raise ValueError(f"the body is nested too deeply: at most {MAX_DEPTH} levels")


def _alert(posted: PostedAlert, now: int, resolve_timeout_ms: int, limits: PostedLimits) -> Alert:
    _bounded(posted.labels, "label", limits.labels, limits.label_bytes)
    _bounded(posted.annotations, "annotation", limits.annotations, limits.annotation_bytes)
    if len(posted.generator_url) > limits.url_bytes:
        raise ValueError(f"generatorURL is longer than {limits.url_bytes:,} bytes")
    labels = Labels(posted.labels)
    if not labels:
        raise ValueError("at least one label pair required")
    ends_at = parse_time(posted.ends_at)
    starts_at = parse_time(posted.starts_at) or (min(now, ends_at) if ends_at else now)
    if ends_at and ends_at < starts_at:
        raise ValueError("start time must be before end time")
    return Alert(
        labels=labels,
        annotations=Labels(posted.annotations),
        starts_at=starts_at,
        ends_at=ends_at or now + resolve_timeout_ms,
        updated_at=now,
        generator_url=fit(posted.generator_url),
        source="api",
    )


def _bounded(pairs: Mapping[str, str], what: str, most: int, most_bytes: int) -> None:
    if len(pairs) > most:
        raise ValueError(f"{len(pairs):,} {what}s (at most {most})")
    size = 0
    for name, value in pairs.items():
        if not name:
            raise ValueError("a label or annotation has an empty name")
        size += sum(len(text if text.isascii() else text.encode("utf-8", "replace")) for text in (name, value))
    if size > most_bytes:
        raise ValueError(f"its {what}s have {size:,} bytes (at most {most_bytes:,})")


def read_silence(body: bytes) -> Silence:
    """The silence of a POST, with its start as it was sent (0: none).

    Raises:
        ValueError: the body is not a silence, an instant is missing or a regular expression is malformed.
    """
    _check_nesting(body)
    try:
        posted = decode_json(_silence.decode, body)
    except msgspec.MsgspecError as error:
        raise ValueError(f"the body is not a silence: {error}") from None
    # As the labels are cleaned that they are to meet.
    matchers = tuple(
        Matcher(clean_text(one.name), _op(one.is_regex, one.is_equal), clean_text(one.value)) for one in posted.matchers
    )
    starts_at, ends_at = parse_time(posted.starts_at), parse_time(posted.ends_at)
    if not ends_at:
        raise ValueError("endsAt is missing")
    return Silence(
        id=posted.id,
        matchers=matchers,
        starts_at=starts_at,
        ends_at=ends_at,
        created_by=clean_text(posted.created_by),
        comment=clean_text(posted.comment),
    )


def alert_facts(alert: Alert) -> dict[str, Any]:
    """An alert as the API shows it, but for :func:`alert_status`."""
    return {
        "labels": dict(alert.labels.pairs),
        "annotations": dict(alert.annotations.pairs),
        "startsAt": format_time(alert.starts_at),
        "endsAt": format_time(alert.ends_at),
        "updatedAt": format_time(alert.updated_at),
        "generatorURL": alert.generator_url,
        "fingerprint": alert.fingerprint,
    }


def alert_status(
    *,
    state: str,
    receivers: Sequence[str],
    silenced_by: Sequence[str],
    inhibited_by: Sequence[str],
    muted_by: Sequence[str],
) -> dict[str, Any]:
    """The receivers and the status of an alert; ``state`` is ``active``, ``suppressed`` or ``unprocessed``."""
    return {
        "receivers": [{"name": name} for name in receivers],
        "status": {
            "state": state,
            "silencedBy": list(silenced_by),
            "inhibitedBy": list(inhibited_by),
            "mutedBy": list(muted_by),
        },
    }


def gettable_silence(silence: Silence, state: str) -> dict[str, Any]:
    """A silence as the API shows it; ``state`` is ``active``, ``pending`` or ``expired``."""
    return {
        "id": silence.id,
        "matchers": [_wire_matcher(matcher) for matcher in silence.matchers],
        "startsAt": format_time(silence.starts_at),
        "endsAt": format_time(silence.ends_at),
        "updatedAt": format_time(silence.updated_at),
        "createdBy": silence.created_by,
        "comment": silence.comment,
        "status": {"state": state},
    }


def read_filters(texts: Iterable[str]) -> tuple[Matcher, ...]:
    """The matchers of repeated ``filter`` parameters, such as ``alertname=~"High.*"``.

    Raises:
        ValueError: one of them is not a matcher.
    """
    return tuple(parse_matcher(text) for text in texts)


def parse_time(text: str) -> int:
    """Unix milliseconds from RFC 3339; 0 for nothing and for Go's zero time.

    Raises:
        ValueError: the text is not RFC 3339, or lies before 1970 or after 9999.
    """
    if not text or text.startswith(_ZERO_TIME):
        return 0
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"not an RFC 3339 time: {text[:60]!r}") from None
    ms = round((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000)
    if not 0 <= ms <= _LATEST_MS:  # later ones could not be shown: one alert would break the list of all
        raise ValueError(f"a time {'before 1970' if ms < 0 else 'after 9999'}: {text!r}")
    return ms


def format_time(ms: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _op(is_regex: bool, is_equal: bool) -> MatchOp:
    if is_regex:
        return MatchOp.REGEX if is_equal else MatchOp.NOT_REGEX
    return MatchOp.EQUAL if is_equal else MatchOp.NOT_EQUAL


def _wire_matcher(matcher: Matcher) -> dict[str, Any]:
    return {
        "name": matcher.name,
        "value": matcher.value,
        "isRegex": matcher.op in (MatchOp.REGEX, MatchOp.NOT_REGEX),
        "isEqual": matcher.op in (MatchOp.EQUAL, MatchOp.REGEX),
    }
