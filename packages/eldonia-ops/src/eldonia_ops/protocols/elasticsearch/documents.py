"""A document as a log record, and back.

The record has every field that the document's keys mean (:mod:`eldonia_ops.protocols.logs.fields`). A key of the
document itself whose value can be made again from the record's field is not kept a second time:
``metadata["_source"]`` names it. All else is in ``metadata`` under its own name, objects whole. So the source is what
was sent, key order aside, but for what no record may hold: control characters, and what is beyond the bounds of a
record.

``metadata`` begins with ``_index``, then ``_id`` where the document had one, ``_version`` from the second on, and
``_source``: names that no document may have. A document's ``offset`` is its number (:mod:`.identity`).
"""

import re
from typing import Any, Final

import msgspec

from eldonia_ops.model.logs import CONTEXT_FIELDS, LogRecord
from eldonia_ops.model.record_bounds import bounded_record
from eldonia_ops.protocols.elasticsearch.errors import document_error
from eldonia_ops.protocols.elasticsearch.identity import SOURCE, numbered_id, record_id
from eldonia_ops.protocols.elasticsearch.instants import spelled, spelling_of
from eldonia_ops.protocols.logs.fields import column_named, record_of

INDEX: Final = "_index"
ID: Final = "_id"
VERSION: Final = "_version"
RECIPE: Final = "_source"
"""Keys of the metadata."""

OWN_KEYS: Final = frozenset({INDEX, ID, VERSION, RECIPE})
FORBIDDEN: Final = OWN_KEYS | {
    "_routing",
    "_ignored",
    "_field_names",
    "_seq_no",
    "_primary_term",
    "_doc_count",
    "_tier",
}
"""Names that Elasticsearch allows in no document."""

DAY_NS: Final = 86_400 * 10**9
TIMESTAMP: Final = "@timestamp"
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_@.-]{1,64}")
_COPY: Final = msgspec.json.Decoder().decode
_ENCODE: Final = msgspec.json.Encoder().encode


def recipe_entry(key: str, field: str, spelling: str = "") -> str:
    """How the recipe says that a key is made from a field; for a time in a spelling."""
    if field == "timestamp_ns":
        return f"{key}:{spelling}"
    return key if key == field else f"{key}={field}"


def can_be_named(key: str) -> bool:
    """Whether a key may be in a recipe: none of its letters means something there."""
    return _PLAIN_KEY.fullmatch(key) is not None


def record_of_document(
    document: dict[str, Any], *, index: str, number: int, received_ns: int, id: str = "", version: int = 1
) -> LogRecord:
    """The record of a document that was checked. ``id`` is the one that it came with, if any.

    Raises:
        ElasticsearchError: its ``@timestamp`` cannot be read, or it uses a name that is not free.
    """
    if not FORBIDDEN.isdisjoint(document):
        name = next(key for key in document if key in FORBIDDEN)
        reason = f"Field [{name}] is a metadata field and cannot be added inside a document."
        raise document_error(f"failed to parse: {reason}", f"{reason} Use the index API request parameters.")
    text = _ENCODE(document)
    mapped = record_of(_COPY(text), text.decode(), received_ns)
    stated = document.get(TIMESTAMP)
    timestamp_ns = mapped.timestamp_ns
    if stated is not None and "timestampError" in mapped.metadata:
        cause = str(mapped.metadata["timestampError"])
        raise document_error(f"failed to parse field [{TIMESTAMP}] of type [date]", cause)
    if timestamp_ns > received_ns + DAY_NS:
        timestamp_ns = received_ns  # the text of its own time stays in the source
    recipe: list[str] = []
    kept: dict[str, Any] = {}
    fields: set[str] = set()
    for key, value in document.items():
        field = column_named(key)
        entry = "" if not field or field in fields else _entry(key, value, field, mapped, timestamp_ns)
        if entry:
            fields.add(field)
            recipe.append(entry)
        else:
            kept[key] = value
    metadata = own_metadata(index, id, version, recipe)
    record = msgspec.structs.replace(
        mapped,
        timestamp_ns=timestamp_ns,
        metadata={**metadata, **kept},
        source=SOURCE,
        offset=number,
        parse_error="",
    )
    return bounded_record(record)


def own_metadata(index: str, id: str, version: int, recipe: list[str]) -> dict[str, Any]:
    """What the metadata begins with."""
    found: dict[str, Any] = {INDEX: index}
    if id:
        found[ID] = id
    if version != 1:
        found[VERSION] = version
    found[RECIPE] = ",".join(recipe)
    return found


def _entry(key: str, value: Any, field: str, mapped: LogRecord, timestamp_ns: int) -> str:
    """The recipe of a key whose value is what a field of the record holds; "" when it is not."""
    if not can_be_named(key):
        return ""
    if field == "timestamp_ns":
        spelling = spelling_of(value, timestamp_ns)
        return recipe_entry(key, field, spelling) if spelling else ""
    if type(value) is not str or not value or getattr(mapped, field) != value:
        return ""
    return recipe_entry(key, field)


def is_document(record: LogRecord) -> bool:
    """Whether a record came as a document."""
    return RECIPE in record.metadata and INDEX in record.metadata


def index_of(record: LogRecord, others: str = "logs") -> str:
    """The index of a record; ``others`` is that of records that came by other ways."""
    return str(record.metadata[INDEX]) if is_document(record) else others


def id_of(record: LogRecord) -> str:
    """The id of a record."""
    if not is_document(record):
        return record_id(record.timestamp_ns, record.id)
    own = record.metadata.get(ID)
    return str(own) if own is not None else numbered_id(record.offset)


def version_of(record: LogRecord) -> int:
    """How many times a document was written."""
    found = record.metadata.get(VERSION, 1)
    return found if type(found) is int else 1


def source_of(record: LogRecord) -> dict[str, Any]:
    """What was sent; of a record that came by other ways, its fields and its metadata."""
    if not is_document(record):
        return _other_source(record)
    metadata = record.metadata
    found: dict[str, Any] = {}
    for entry in str(metadata[RECIPE]).split(","):
        if ":" in entry:
            key, _, spelling = entry.partition(":")
            found[key] = spelled(record.timestamp_ns, spelling)
        elif entry:
            key, _, field = entry.partition("=")
            found[key] = str(getattr(record, field or key))
    return found | {key: value for key, value in metadata.items() if key not in OWN_KEYS}


def _other_source(record: LogRecord) -> dict[str, Any]:
    found: dict[str, Any] = {
        TIMESTAMP: spelled(record.timestamp_ns, "9Z" if record.timestamp_ns % 1_000_000 else "3Z"),
        "message": record.message,
        "level": record.level.value,
    }
    for name in (*CONTEXT_FIELDS, "tag", "source", "parse_error"):
        if text := getattr(record, name):
            found[name] = text
    if record.error is not None:
        found["error"] = msgspec.to_builtins(record.error)
    if record.performance is not None:
        found["performance"] = msgspec.to_builtins(record.performance)
    return {**found, **{key: value for key, value in record.metadata.items() if key not in found}}
