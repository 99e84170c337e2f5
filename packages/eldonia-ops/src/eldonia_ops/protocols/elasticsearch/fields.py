"""What the name of a field in a request means in our records.

``x.keyword`` is ``x``. A name may mean two things: a key of the document, which is an attribute of the record, and a
field of the record that the key led to when the document was read (``host`` is kept as ``hostname``, ``ts`` as the
time). Where a record has the attribute, that counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from eldonia_ops.model.condition_fields import LOG_DERIVED, LOG_TEXTS
from eldonia_ops.model.conditions import Condition, ConditionOp, FieldName
from eldonia_ops.protocols.elasticsearch.documents import ID, INDEX, TIMESTAMP
from eldonia_ops.protocols.elasticsearch.identity import SOURCE, place_of
from eldonia_ops.protocols.logs.fields import column_named
from eldonia_ops.search.tree import AtPlaces, Comparison, Node, Not, OneOf, conjunction, disjunction

KEYWORD: Final = ".keyword"
INDEX_FIELD: Final = FieldName((INDEX,), exact=True)
ID_FIELD: Final = FieldName((ID,), exact=True)
NOTHING: Final[Node] = AtPlaces()
"""No record."""


class FieldKind(StrEnum):
    """How a field is looked at."""

    TIME = "time"
    """The time of the record."""
    INDEX = "index"
    ID = "id"
    MESSAGE = "message"
    """Analysed text."""
    FIELD = "field"
    """Anything else: what its values are decides."""


@dataclass(frozen=True, slots=True)
class Field:
    """What a name means.

    ``column`` is the record's own field, None where there is none; ``attribute`` the key of the document, None where
    the name means the record's own field alone.
    """

    name: str
    kind: FieldKind
    column: FieldName | None = None
    attribute: FieldName | None = None

    @property
    def places(self) -> tuple[FieldName, ...]:
        """Where the value may be: the first place at which a record holds something counts."""
        return tuple(place for place in (self.attribute, self.column) if place is not None)


@lru_cache(maxsize=4_096)
def resolved(name: str) -> Field:
    """What a name means."""
    plain = name.removesuffix(KEYWORD) or name
    if plain == INDEX:
        return Field(plain, FieldKind.INDEX, attribute=INDEX_FIELD)
    if plain == ID:
        return Field(plain, FieldKind.ID, attribute=ID_FIELD)
    column = column_named(plain)
    if plain == TIMESTAMP:
        return Field(plain, FieldKind.TIME)
    segments = FieldName(tuple(plain.split(".")))
    if column == "timestamp_ns":
        return Field(plain, FieldKind.TIME, attribute=segments)
    if plain == "message":
        return Field(plain, FieldKind.MESSAGE, FieldName(("message",)))
    if plain in LOG_DERIVED:
        return Field(plain, FieldKind.FIELD, attribute=FieldName((plain,), exact=True))
    if not column or "." in plain:  # a path into objects, or an attribute that the conditions know to have moved
        own = LOG_TEXTS.get(plain, "")
        return Field(plain, FieldKind.FIELD, FieldName((own,)) if own else None, segments)
    kind = FieldKind.MESSAGE if column == "message" else FieldKind.FIELD
    # Quoted: the name alone would mean the record's own field.
    return Field(plain, kind, FieldName((column,)), FieldName((plain,), exact=True))


def of_indices(names: Iterable[str], others: str) -> Node:
    """Records of indices by their exact names; ``others`` is the index of records that came by other ways."""
    wanted = tuple(dict.fromkeys(names))
    if not wanted:
        return NOTHING
    parts: list[Node] = [OneOf(INDEX_FIELD, wanted)]
    if others in wanted:
        parts.append(Not(Comparison(Condition(INDEX_FIELD, ConditionOp.EXISTS))))
    return disjunction(parts)


def of_ids(ids: Iterable[str]) -> Node:
    """Documents by their ids."""
    wanted = tuple(dict.fromkeys(ids))
    if not wanted:
        return NOTHING
    places = [place for place in map(place_of, wanted) if place is not None]
    numbers = tuple(place.number for place in places if place.number >= 0)
    records = tuple((place.timestamp_ns, place.record_id) for place in places if place.record_id >= 0)
    parts: list[Node] = [OneOf(ID_FIELD, wanted)]
    if numbers or records:
        # A record with an id of its own has no other.
        own = Not(Comparison(Condition(ID_FIELD, ConditionOp.EXISTS)))
        parts.append(conjunction([AtPlaces(SOURCE, numbers, records), own]))
    return disjunction(parts)
