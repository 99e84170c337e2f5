"""Documents that cannot be read again are neither written nor in the way of others."""

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.storage.clickhouse.documents import decoded, encoded
from eldonia_ops.storage.clickhouse.log_rows import record_of


def nest(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


def test_what_is_written_can_be_read() -> None:
    for value in (nest(200), nest(500), nest(950), nest(5_000), {"n": 10**400}, {"n": "\ud800", "m": 2**70}):
        assert isinstance(decoded(encoded(value).decode(), msgspec.json.Decoder().decode), dict)


def test_a_document_of_an_older_release_is_shown_as_its_text() -> None:
    row: dict[str, Any] = {"ns": 1, "level": "info", "message": "m", "parse_error": "", "id": 5, "offset": 0}
    for document in ('{"metadata":' + '{"a":' * 950 + "1" + "}" * 951, "{", '{"metadata":' * 5_000):
        record = record_of({**row, "details": document, "shape": "", "metadata": {}})
        assert record.message == "m"
        assert record.metadata["document"].startswith(document[:1_000])
        assert "cannot be read" in record.parse_error
        msgspec.json.encode(record)


@given(st.text(st.sampled_from('{}[]"\\a,:'), max_size=300))
def test_brackets_in_texts_are_no_depth(text: str) -> None:
    document = json.dumps({"a": text * 10})
    assert decoded(document, json.loads) == {"a": text * 10}
