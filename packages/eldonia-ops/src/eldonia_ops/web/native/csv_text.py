"""Values as CSV."""

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from eldonia_ops.model.conditions import text_of

_FORMULA: Final = frozenset("=+-@\t\r")
"""What a text begins with that spreadsheets would calculate."""


def csv_rows(rows: Iterable[list[str]]) -> bytes:
    """Rows as CSV."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def csv_time(timestamp_ns: int) -> str:
    """An instant with all its digits, as RFC 3339 writes it."""
    seconds, ns = divmod(timestamp_ns, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ns:09d}Z"


def csv_cell(value: Any) -> str:
    """A value as a text. What a spreadsheet would calculate gets an apostrophe, for anybody can write a log record."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else text_of(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in _FORMULA else text
