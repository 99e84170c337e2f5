"""What names of fields, indices and ids mean."""

import pytest

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.protocols.elasticsearch.documents import id_of, record_of_document
from eldonia_ops.protocols.elasticsearch.fields import FieldKind, of_ids, of_indices, resolved
from eldonia_ops.search import matches

NOW = 1_795_000_000 * 10**9


@pytest.mark.parametrize(
    ("name", "kind", "column", "attribute"),
    [
        ("@timestamp", FieldKind.TIME, None, None),
        ("ts", FieldKind.TIME, None, ("ts",)),
        ("message", FieldKind.MESSAGE, "message", None),
        ("message.keyword", FieldKind.MESSAGE, "message", None),
        ("msg", FieldKind.MESSAGE, "message", ("msg",)),
        ("_index", FieldKind.INDEX, None, ("_index",)),
        ("_id", FieldKind.ID, None, ("_id",)),
        ("level", FieldKind.FIELD, "level", ("level",)),
        ("host", FieldKind.FIELD, "hostname", ("host",)),
        ("host.name", FieldKind.FIELD, None, ("host", "name")),
        ("took.keyword", FieldKind.FIELD, None, ("took",)),
    ],
)
def test_names(name: str, kind: FieldKind, column: str | None, attribute: tuple[str, ...] | None) -> None:
    field = resolved(name)
    assert field.kind is kind
    assert field.column == (FieldName((column,)) if column else None)
    assert (field.attribute.segments if field.attribute else None) == attribute


def documents() -> list[LogRecord]:
    numbered = record_of_document({"message": "a"}, index="app", number=5, received_ns=NOW)
    named = record_of_document({"message": "b"}, index="web", number=6, received_ns=NOW, id="x")
    stolen = record_of_document({"message": "c"}, index="web", number=7, received_ns=NOW, id=id_of(numbered))
    return [numbered, named, stolen, LogRecord(timestamp_ns=NOW, message="d", id=9)]


def test_indices() -> None:
    found = {name: [one.message for one in documents() if matches(of_indices([name], "logs"), one)] for name in
             ("app", "web", "logs", "none")}  # fmt: skip
    assert found == {"app": ["a"], "web": ["b", "c"], "logs": ["d"], "none": []}
    assert not any(matches(of_indices([], "logs"), one) for one in documents())


def test_ids() -> None:
    every = documents()
    for record, messages in zip(every, (["a", "c"], ["b"], ["a", "c"], ["d"]), strict=True):
        assert [one.message for one in every if matches(of_ids([id_of(record)]), one)] == messages
    assert not any(matches(of_ids([]), one) for one in every)
