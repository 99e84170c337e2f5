"""Documents in text columns."""

import math
from dataclasses import dataclass, field, fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Boolean, Dialect
from sqlalchemy.dialects import postgresql, sqlite

from eldonia_ops.model.access import Account, AccountLink, Session, Token
from eldonia_ops.model.alerts import Alert, LedgerEntry, Outgoing, Silence
from eldonia_ops.model.incidents import Incident, TimelineEntry
from eldonia_ops.model.labels import EMPTY, Labels
from eldonia_ops.model.security import Finding
from eldonia_ops.storage.state import tables
from eldonia_ops.storage.state.columns import Document, KeyText, PlainText, Word, clean, converter, from_json, to_json


@dataclass(frozen=True, slots=True)
class Part:
    value: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class Whole:
    parts: tuple[Part, ...] = ()
    by_name: dict[str, float] = field(default_factory=dict)
    labels: Labels = EMPTY
    maybe: int | None = None


FLOATS = st.floats(allow_nan=False)
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)


@given(
    st.lists(st.builds(Part, FLOATS, TEXT), max_size=4),
    st.dictionaries(TEXT, FLOATS, max_size=4),
    st.dictionaries(TEXT, TEXT, max_size=3),
    st.none() | st.integers(-(2**63), 2**63 - 1),
)
def test_documents_come_back_equal(
    parts: list[Part], by_name: dict[str, float], labels: dict[str, str], maybe: int | None
) -> None:
    value = Whole(tuple(parts), by_name, Labels(labels), maybe)
    assert from_json(to_json(value), Whole) == value


def test_not_a_number_stays_one() -> None:
    restored = from_json(to_json(Part(math.nan, "x")), Part)
    assert math.isnan(restored.value)
    assert to_json({"a": [math.inf, -math.inf, None]}) == '{"a":["Inf","-Inf",null]}'


def test_text_that_is_not_unicode_is_mended() -> None:
    assert from_json(to_json({"a\ud800": ["\udcff\x00", None, math.inf]}), Any) == {
        "a\ufffd": ["\ufffd\x00", None, "Inf"]
    }


def test_equal_values_have_equal_text() -> None:
    assert to_json({"b": 1, "a": {"d": 1, "c": 2}}) == to_json({"a": {"c": 2, "d": 1}, "b": 1})


@given(st.text())
def test_text_can_be_stored_everywhere(text: str) -> None:
    stored = clean(text)
    assert "\x00" not in stored
    stored.encode("utf-8")
    assert len(stored) == len(text)
    assert (stored == text) == (not any(char == "\x00" or "\ud800" <= char <= "\udfff" for char in text))


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="object cannot be stored"):
        to_json({"a": object()})


@pytest.mark.parametrize(
    ("table", "type_", "extra"),
    [
        (tables.alerts, Alert, {"fingerprint"}),
        (tables.outbox, Outgoing, set()),
        (tables.ledger, LedgerEntry, set()),
        (tables.silences, Silence, set()),
        (tables.incidents, Incident, set()),
        (tables.timeline, TimelineEntry, set()),
        (tables.findings, Finding, set()),
        (tables.tokens, Token, set()),
        (tables.accounts, Account, set()),
        (tables.account_links, AccountLink, set()),
        (tables.sessions, Session, set()),
    ],
)
def test_every_field_has_its_column(table: Any, type_: Any, extra: set[str]) -> None:
    assert {column.name for column in table.columns} == {one.name for one in fields(type_)} | extra


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=["sqlite", "postgresql"])
@given(text=st.text(max_size=8), labels=st.dictionaries(TEXT, TEXT, max_size=3), flag=st.booleans())
@settings(deadline=None)
def test_the_short_way_makes_the_same_of_values_as_sqlalchemy(
    dialect: Dialect, text: str, labels: dict[str, str], flag: bool
) -> None:
    for table in tables.metadata.tables.values():
        for column in table.columns:
            match column.type:
                case PlainText() | KeyText():
                    value: Any = text
                case Document():
                    value = Labels(labels)
                case Word(enum=enum):
                    value = next(iter(enum))
                case Boolean():
                    value = flag
                case _:
                    value = len(text)
            usual = column.type.dialect_impl(dialect).bind_processor(dialect)
            short = converter(column, dialect)
            assert (short(value) if short else value) == (usual(value) if usual else value), column
