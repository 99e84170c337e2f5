"""Functions that change or order labels."""

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import re2

from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.promql.errors import EvaluationError, LimitError
from eldonia_ops.promql.frame import Frame, unite

_GROUP = re.compile(r"\$(?:\$|([0-9A-Za-z_]+)|\{([0-9A-Za-z_]+)\})")
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
MAX_VALUE: Final = 16_384
"""The longest label value, in characters, that a query may make: nested calls could double it without end."""


def _valid_name(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return name != ""


def _name_or_fail(name: str, function: str, position: int) -> None:
    if not _valid_name(name):
        text = name.encode("utf-8", "surrogateescape")
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in text)
        raise EvaluationError(f'invalid label name "{shown}" in {function}()', position)


def _too_long(function: str, position: int) -> LimitError:
    return LimitError(f"{function}() would make a label value longer than {MAX_VALUE:,} characters", position)


def label_replace(frame: Frame, target: str, replacement: str, source: str, pattern: str, position: int = -1) -> Frame:
    """Set a label from a (fully anchored, RE2) match on another.

    Raises:
        EvaluationError: a bad pattern or label name, or series that become the same.
        LimitError: a value becomes longer than :data:`MAX_VALUE`.
    """
    _name_or_fail(target, "label_replace", position)
    try:
        compiled = re2.compile(f"^(?s:{pattern})$", _OPTIONS)
    except (re2.error, UnicodeEncodeError):
        raise EvaluationError(f'invalid regular expression in label_replace(): "{pattern}"', position) from None
    names = dict(compiled.groupindex)

    def expand(match: Any) -> str:
        room = MAX_VALUE

        def group(found: re.Match[str]) -> str:
            nonlocal room
            key = found.group(1) or found.group(2)
            if key is None:
                return "$"
            index = int(key) if key.isdigit() else names.get(key, -1)
            text = str(match.group(index) or "") if 0 <= index <= compiled.groups else ""
            room -= len(text)
            if room < 0:
                raise _too_long("label_replace", position)
            return text

        expanded = _GROUP.sub(group, replacement)
        if len(expanded) > MAX_VALUE:
            raise _too_long("label_replace", position)
        return expanded

    labels: list[Labels] = []
    nameless = frame.nameless.copy()
    for column, item in enumerate(frame.labels):
        match = compiled.match(item.get(source, ""))
        if match is None:
            labels.append(item)
            continue
        labels.append(item.with_(**{target: expand(match)}))
        if target == METRIC_NAME:
            nameless[column] = False
    return unite(Frame(labels, frame.values, frame.mask, nameless, frame.histograms))


def label_join(frame: Frame, target: str, separator: str, sources: Sequence[str], position: int = -1) -> Frame:
    """Set a label to the values of others, joined.

    Raises:
        EvaluationError: a bad label name, or series that become the same.
        LimitError: a value becomes longer than :data:`MAX_VALUE`.
    """
    for name in (target, *sources):
        _name_or_fail(name, "label_join", position)
    labels: list[Labels] = []
    for item in frame.labels:
        parts = [item.get(source, "") for source in sources]
        if sum(map(len, parts)) + len(separator) * (len(parts) - 1) > MAX_VALUE:
            raise _too_long("label_join", position)
        labels.append(item.with_(**{target: separator.join(parts)}))
    nameless = np.zeros(frame.width, bool) if target == METRIC_NAME else frame.nameless
    return unite(Frame(labels, frame.values, frame.mask, nameless, frame.histograms))


_DIGITS = re.compile(r"(\d+)")


def natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """A sort key that puts ``node9`` before ``node10``."""
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in _DIGITS.split(text) if part)


def sort_by_label(frame: Frame, names: Sequence[str], *, descending: bool) -> Frame:
    """Order the series of an instant vector by labels, in natural order; all labels break ties."""
    order = sorted(
        range(frame.width),
        key=lambda column: (
            tuple(natural(frame.labels[column].get(name, "")) for name in names),
            frame.labels[column].pairs,
        ),
        reverse=descending,
    )
    return frame.take(order)


def sort_by_value(frame: Frame, *, descending: bool) -> Frame:
    """Order the series of an instant vector by value; NaN comes last either way, and histograms are left out."""
    frame = frame.floats()
    values = frame.values[0]
    keyed = -values if descending else values
    return frame.take(np.argsort(np.where(np.isnan(keyed), np.nan, keyed), kind="stable"))
