"""What is stored as documents: columns of the state store, attributes in the engine."""

import math
from typing import Any

import msgspec

from eldonia_ops.collectors.tail.files import split_identity
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.labels import Labels
from eldonia_ops.storage.clickhouse.attributes.documents import clean, encoded, indexed
from eldonia_ops.storage.state.columns import clean as clean_text
from eldonia_ops.storage.state.columns import from_json, to_json
from fuzz.target import target
from fuzz.targets.given import any_text, document, mapping

WORDS = ('{"a":1}', "[[]]", "null", "1.0", "1e400", "-0.0", "\\u0000", "\\ud800", '"NaN"', '""', "9" * 30)


@target(*WORDS)
def state_document(data: bytes) -> None:
    """What is stored reads back the same, and the same value has the same text."""
    given = mapping(data)
    text = to_json(given)
    text.encode()
    back = from_json(text, dict[str, Any])
    assert to_json(back) == text
    labels = Labels({key: value for key, value in given.items() if isinstance(value, str)})
    alert = Alert(labels=labels, starts_at=1, evidence=given)
    stored = from_json(to_json(alert), Alert)
    assert from_json(to_json(stored), Alert) == stored
    assert dict(stored.labels) == {clean_(key): clean_(value) for key, value in labels.items()}
    for number in (math.nan, math.inf, -math.inf, 1.5):
        assert repr(from_json(to_json({"x": number}), dict[str, float])["x"]) == repr(number)


def clean_(text: str) -> str:
    """A text as JSON keeps it."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@target(*WORDS)
def state_text(data: bytes) -> None:
    """Text columns hold what PostgreSQL and UTF-8 can; cleaning twice is cleaning once."""
    text = any_text(data)
    found = clean_text(text)
    assert "\x00" not in found
    found.encode()
    assert clean_text(found) == found
    assert len(found) == len(text)
    split_identity(found)


@target(*WORDS, '{"a":' * 50)
def attribute_document(data: bytes) -> None:
    """Attributes are stored as JSON text and, in bounds, as JSON for conditions."""
    given = mapping(data)
    stored = msgspec.json.decode(encoded(given))
    assert encoded(stored) == encoded(msgspec.json.decode(encoded(stored)))
    assert set(stored) >= {key for key in given if key == clean(key)}
    assert len(bytes(indexed(given))) <= 64 << 10
    msgspec.json.decode(encoded(document(data)))
