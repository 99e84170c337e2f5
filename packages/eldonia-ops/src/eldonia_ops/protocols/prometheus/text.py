"""Prometheus' text exposition format 0.0.4 and the basics of OpenMetrics 1.0, from bytes to samples.

Formats: https://prometheus.io/docs/instrumenting/exposition_formats/ and
https://prometheus.io/docs/specs/om/open_metrics_spec/. Exemplars are skipped.

A target exposes the same series scrape after scrape, so :class:`ScrapeParser` remembers the raw bytes in
front of each value: a known line costs one split, one dictionary look-up and one ``float``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eldonia_ops.model.foreign import clean_text
from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.samples import MetricMetadata, MetricType

ACCEPT: Final = (
    "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,text/plain;q=0.2,*/*;q=0.1"
)
"""What a scrape sends as its Accept header."""

_NAME = re.compile(rb"[a-zA-Z_:][a-zA-Z0-9_:]*")
_PAIR = re.compile(
    rb'[ \t]*(?:([a-zA-Z_][a-zA-Z0-9_]*)|"((?:[^"\\\n]|\\.)*)")[ \t]*=[ \t]*"((?:[^"\\\n]|\\.)*)"[ \t]*(,?)[ \t]*'
)
_PAIR_BEGUN = re.compile(rb'[ \t]*(?:([a-zA-Z_][a-zA-Z0-9_]*)|"((?:[^"\\\n]|\\.)*)")[ \t]*=[ \t]*"')
_QUOTED_NAME = re.compile(rb'[ \t]*"((?:[^"\\\n]|\\.)*)"[ \t]*(,|(?=\}))[ \t]*')
_REST = re.compile(rb"[ \t]*([^ \t]+)(?:[ \t]+([^ \t#]+))?[ \t]*(?:([ \t]# \{).*)?")
_COMMENT = re.compile(rb"#[ \t]+(HELP|TYPE|UNIT)[ \t]+([^ \t]+)(?:[ \t]++(.*))?")
_ESCAPE = re.compile(r'\\([\\"n])')
_NOT_IN_NUMBERS = bytes(set(range(256)) - set(b"0123456789+-.eEinfINFatyATY"))
_INTEGER = re.compile(rb"[+-]?[0-9]{1,18}")
_TYPES = {
    b"counter": MetricType.COUNTER,
    b"gauge": MetricType.GAUGE,
    b"histogram": MetricType.HISTOGRAM,
    b"gaugehistogram": MetricType.HISTOGRAM,
    b"summary": MetricType.SUMMARY,
    b"info": MetricType.GAUGE,
    b"stateset": MetricType.GAUGE,
    b"untyped": MetricType.UNKNOWN,
    b"unknown": MetricType.UNKNOWN,
}
_SHOWN_BYTES = 120
_LONGEST_COMMENT_KEPT = 1_024
_LONGEST_UNIT = 64
_ROOM = 256


class ExpositionError(ValueError):
    """A body that is not in the format. ``line`` counts from 1; 0 when the body as a whole is at fault."""

    def __init__(self, message: str, line: int = 0, text: bytes = b"") -> None:
        self.line = line
        shown = text[:_SHOWN_BYTES].decode("utf-8", "replace") + ("…" if len(text) > _SHOWN_BYTES else "")
        place = f"line {line}: " if line else ""
        super().__init__(f"{place}{message}" + (f" in {shown!r}" if text else ""))


@dataclass(frozen=True, slots=True)
class ExpositionLimits:
    """How much one scrape may hold; lengths are characters."""

    body_bytes: int = 64 * 1024 * 1024
    samples: int = 500_000
    labels: int = 64
    label_name_length: int = 256
    label_value_length: int = 8_192
    metadata: int = 20_000
    help_length: int = 2_048

    @property
    def line_bytes(self) -> int:
        """Bytes of a line: room for labels and help, beyond which no line is looked at."""
        return max(1 << 20, 8 * self.label_value_length)

    @property
    def pair_bytes(self) -> int:
        """Bytes of one label, name and value (4 a character at most, or 2 where it is escaped), with blanks."""
        return 4 * (self.label_name_length + self.label_value_length) + _ROOM

    @property
    def lines(self) -> int:
        """Lines of a body: room for every sample and, of every family, for TYPE, HELP, UNIT and an empty one."""
        return 2 * self.samples + 4 * self.metadata


DEFAULT_LIMITS: Final = ExpositionLimits()


@dataclass(frozen=True, slots=True)
class ScrapedSamples:
    """What one body held.

    ``slots`` (int64, shape ``[N]``) number the series as :attr:`ScrapeParser.series` does and ``values``
    (float64, shape ``[N]``) are their values; a series that the body repeats comes up repeatedly.
    ``timestamped`` holds ``(slot, Unix ms, value)`` of lines with a time of their own. ``metadata`` lists
    families whose TYPE, HELP or UNIT is new or has changed since the last body.
    """

    slots: NDArray[np.int64]
    values: NDArray[np.float64]
    timestamped: list[tuple[int, int, float]]
    metadata: list[MetricMetadata]

    @property
    def count(self) -> int:
        """How many sample lines there were."""
        return len(self.slots) + len(self.timestamped)


class ScrapeParser:
    """Parses the bodies of one target, remembering its series from scrape to scrape.

    ``relabel`` turns the labels as exposed into the labels as stored; it runs once a series, not once a
    sample. ``series[slot]`` is the result for each slot.
    """

    def __init__(
        self, *, limits: ExpositionLimits = DEFAULT_LIMITS, relabel: Callable[[Labels], Labels] | None = None
    ) -> None:
        self.series: list[Labels] = []
        self._limits = limits
        self._relabel = relabel
        self._slots: dict[Labels, int] = {}
        self._known: dict[bytes, int] = {}
        self._comments: set[bytes] = set()
        self._metadata: dict[str, MetricMetadata] = {}
        self._changed: dict[str, None] = {}

    def parse(self, body: bytes, *, openmetrics: bool = False) -> ScrapedSamples:
        """Read one body. ``openmetrics`` says which of the two formats the Content-Type named.

        Raises:
            ExpositionError: a line is malformed (the message names it) or a limit is exceeded.
        """
        if len(body) > self._limits.body_bytes:
            raise ExpositionError(f"the body is longer than {self._limits.body_bytes} bytes")
        # Empty lines cost nothing to send, compressed least of all, and each would be looked at.
        if body.count(b"\n") > self._limits.lines:
            raise ExpositionError(f"more than {self._limits.lines} lines in one scrape")
        lines = body.split(b"\n")
        # A long line is refused before any pattern looks at it: it would hold the process for seconds.
        longest = self._limits.line_bytes
        if len(body) > longest:
            for number, line in enumerate(lines, 1):
                if len(line) > longest:
                    raise ExpositionError(f"the line is longer than {longest} bytes", number, line)
        if openmetrics:
            lines = _until_eof(lines)
        try:
            slots, values, timestamped = self._read(lines, self._known, openmetrics)
        except ValueError:
            # The fast path takes what follows the last blank of a known line for its value, which need not be so: the
            # careful one decides, and names the place.
            slots, values, timestamped = self._read(lines, {}, openmetrics)
        if len(slots) + len(timestamped) > self._limits.samples:
            raise ExpositionError(f"more than {self._limits.samples} samples in one scrape")
        metadata = [self._metadata[name] for name in self._changed]
        self._changed.clear()
        return ScrapedSamples(np.array(slots, dtype=np.int64), values, timestamped, metadata)

    def _read(
        self, lines: list[bytes], spellings: Mapping[bytes, int], openmetrics: bool
    ) -> tuple[list[int], NDArray[np.float64], list[tuple[int, int, float]]]:
        """Slots, values and what has a time of its own. ``spellings`` are series by what is written before a value."""
        slots: list[int] = []
        tails: list[bytes] = []
        timestamped: list[tuple[int, int, float]] = []
        known = spellings.get
        line = b""
        # The loop below runs once a sample; everything rare is in _unknown.
        try:
            for line in lines:
                head, _, tail = line.rpartition(b" ")
                slot = known(head)
                if slot is not None:
                    slots.append(slot)
                    tails.append(tail)
                elif line and line not in self._comments:
                    found = self._unknown(line, head, tail, spellings, openmetrics)
                    if found is not None:
                        slot, value, at = found
                        if at is None:
                            slots.append(slot)
                            tails.append(value)
                        else:
                            timestamped.append((slot, at, _number(value)))
        except ValueError as error:
            raise ExpositionError(str(error), lines.index(line) + 1, line) from None
        return slots, _numbers(tails), timestamped

    @property
    def remembered(self) -> int:
        """How many series, or ways to write them, are kept: a target may write the same labels in any order."""
        return max(len(self.series), len(self._known))

    def compact(self, live: NDArray[np.int64]) -> None:
        """Forget every series but the given slots, and all but the newest spelling of each.

        ``live[i]`` becomes slot ``i``.
        """
        renumbered = {int(slot): index for index, slot in enumerate(live)}
        self.series = [self.series[int(slot)] for slot in live]
        self._slots = {labels: index for index, labels in enumerate(self.series)}
        newest = {slot: raw for raw, slot in self._known.items() if slot in renumbered}
        self._known = {raw: renumbered[slot] for slot, raw in newest.items()}
        self._comments.clear()

    def _unknown(
        self, line: bytes, head: bytes, tail: bytes, spellings: Mapping[bytes, int], openmetrics: bool
    ) -> tuple[int, bytes, int | None] | None:
        """A line that the fast path does not know: ``(slot, value text, Unix ms or None)``, None for a comment."""
        if line.startswith(b"#"):
            self._comment(line)
            return None
        if openmetrics and b" # {" in line:
            cut = line[: line.index(b" # {")]
            before, _, value = cut.rpartition(b" ")
            if (slot := spellings.get(before)) is not None:
                _number(value)
                return slot, value, None
        before, _, value = head.rpartition(b" ")
        if (slot := spellings.get(before)) is not None and value and tail:
            return slot, value, _timestamp(tail, openmetrics)
        stripped = line.strip(b" \t")
        if not stripped:
            return None
        labels, end = _series(stripped, self._limits)
        rest = _REST.fullmatch(stripped, end)
        if rest is None or (rest[3] and not openmetrics):
            raise ValueError("expected a value, and after it nothing but a timestamp")
        _number(rest[1])
        slot = self._slot(labels)
        if stripped == line:
            self._known[stripped[:end]] = slot
        return slot, rest[1], None if rest[2] is None else _timestamp(rest[2], openmetrics)

    def _slot(self, labels: Labels) -> int:
        if self._relabel is not None:
            labels = self._relabel(labels)
        slot = self._slots.setdefault(labels, len(self.series))
        if slot == len(self.series):
            if slot >= 4 * self._limits.samples:
                raise ValueError("too many different series")
            self.series.append(labels)
        return slot

    def _comment(self, line: bytes) -> None:
        match = _COMMENT.fullmatch(line)
        if match is not None:
            if len(match[2]) > 4 * self._limits.label_value_length:
                raise ValueError(f"a metric name is longer than {self._limits.label_value_length} characters")
            name = clean_text(match[2].strip(b'"').decode("utf-8", "replace"))
            # Cut before it is decoded: a character takes four bytes at most.
            text = (match[3] or b"")[: 4 * self._limits.help_length]
            old = self._metadata.get(name, MetricMetadata(name, MetricType.UNKNOWN))
            if match[1] == b"TYPE":
                type_ = _TYPES.get(text.strip(b" \t"))
                if type_ is None:
                    raise ValueError(f"unknown metric type {text.decode('utf-8', 'replace')[:40]!r}")
                new = MetricMetadata(name, type_, old.help, old.unit)
            elif match[1] == b"HELP":
                help_ = clean_text(_unescape(text.decode("utf-8", "replace"))[: self._limits.help_length])
                new = MetricMetadata(name, old.type, help_, old.unit)
            else:
                unit = clean_text(text.decode("utf-8", "replace").strip()[:_LONGEST_UNIT])
                new = MetricMetadata(name, old.type, old.help, unit)
            if new != old and (name in self._metadata or len(self._metadata) < self._limits.metadata):
                self._metadata[name] = new
                self._changed[name] = None
        if len(self._comments) < 4 * self._limits.metadata and len(line) <= _LONGEST_COMMENT_KEPT:
            self._comments.add(line)


def _until_eof(lines: list[bytes]) -> list[bytes]:
    """OpenMetrics lines without the closing ``# EOF``, whose absence means that the body was cut off."""
    while lines and not lines[-1]:
        lines.pop()
    if not lines or lines[-1] != b"# EOF":
        place = lines.index(b"# EOF") + 2 if b"# EOF" in lines else len(lines)
        message = "text after # EOF" if b"# EOF" in lines else "the body does not end with # EOF: it was cut off"
        raise ExpositionError(message, place)
    del lines[-1]
    return lines


def _series(line: bytes, limits: ExpositionLimits) -> tuple[Labels, int]:
    """The label set at the start of a line and where it ends."""
    pairs: dict[str, str] = {}
    end = 0
    longest = limits.label_value_length
    match = _NAME.match(line, 0, longest + 1)
    if match is not None:
        if match.end() > longest:
            raise ValueError(f"the metric name is longer than {longest} characters")
        pairs[METRIC_NAME] = match[0].decode()
        end = match.end()
    brace = end
    while line[brace : brace + 1] in (b" ", b"\t"):
        brace += 1
    if line[brace : brace + 1] == b"{":
        end = _labels(line, brace + 1, pairs, limits)
    if METRIC_NAME not in pairs:
        raise ValueError("expected a metric name")
    return Labels(pairs), end


def _labels(line: bytes, at: int, pairs: dict[str, str], limits: ExpositionLimits) -> int:
    """Read ``a="b",...}`` from ``at`` into ``pairs``; returns the place after the brace.

    No pattern looks further than the longest label that is allowed, and nothing longer is decoded.
    """
    room = limits.pair_bytes
    if METRIC_NAME not in pairs and (quoted := _QUOTED_NAME.match(line, at, at + room)) is not None:
        pairs[METRIC_NAME] = _value(METRIC_NAME, quoted[1], limits)
        at = quoted.end()
    more = True
    while more and (match := _PAIR.match(line, at, at + room)) is not None:
        name = match[1].decode() if match[1] is not None else _text(match[2])
        if name in pairs:
            raise ValueError(f"label {name[:_SHOWN_BYTES]!r} is given twice")
        if len(pairs) > limits.labels:
            raise ValueError(f"more than {limits.labels} labels")
        if len(name) > limits.label_name_length:
            raise ValueError(f"a label name is longer than {limits.label_name_length} characters")
        pairs[name] = _value(name, match[3], limits)
        at = match.end()
        more = match[4] == b","
    if more and len(line) > at + room and (begun := _PAIR_BEGUN.match(line, at, at + room)) is not None:
        name = begun[1].decode() if begun[1] is not None else _text(begun[2])
        if len(name) <= limits.label_name_length:
            raise ValueError(f"the value of label {name!r} is longer than {limits.label_value_length} characters")
    while line[at : at + 1] in (b" ", b"\t"):
        at += 1
    if line[at : at + 1] != b"}":
        if len(line) > at + room:
            raise ValueError(f'expected name="value" within {room} bytes, or a closing brace, at column {at + 1}')
        raise ValueError(f'expected name="value" or a closing brace at column {at + 1}')
    return at + 1


def _value(name: str, raw: bytes, limits: ExpositionLimits) -> str:
    longest = limits.label_value_length
    value = _text(raw) if len(raw) <= 4 * longest else None
    if value is None or len(value) > longest:
        raise ValueError(f"the value of label {name!r} is longer than {longest} characters")
    return value


def _text(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("a label is not valid UTF-8") from None
    return clean_text(_unescape(text) if "\\" in text else text)


def _unescape(text: str) -> str:
    # An unknown escape is kept as it is, as in Prometheus.
    return _ESCAPE.sub(lambda match: "\n" if match[1] == "n" else match[1], text)


def _numbers(tails: list[bytes]) -> NDArray[np.float64]:
    """The values of many texts at once.

    Raises:
        ValueError: one of them is no number.
    """
    joined = b"".join(tails)
    if len(joined.translate(None, _NOT_IN_NUMBERS)) != len(joined):
        raise ValueError("a value is not a number")
    return np.fromiter(map(float, tails), dtype=np.float64, count=len(tails))


def _number(text: bytes) -> float:
    """``float`` without what Python allows and the format does not (underscores, blanks)."""
    if not text or text.translate(None, _NOT_IN_NUMBERS) != text:
        raise ValueError(f"not a number: {text[:40].decode('utf-8', 'replace')!r}")
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"not a number: {text[:40].decode('utf-8', 'replace')!r}") from None


def _timestamp(text: bytes, openmetrics: bool) -> int:
    """Unix milliseconds: OpenMetrics writes seconds with a fraction, 0.0.4 whole milliseconds."""
    if openmetrics:
        seconds = _number(text)
        if not -1e12 < seconds < 1e12:
            raise ValueError("a timestamp is out of range")
        return round(seconds * 1000)
    if _INTEGER.fullmatch(text) is None:
        raise ValueError(f"not a timestamp in milliseconds: {text[:40].decode('utf-8', 'replace')!r}")
    return int(text)
