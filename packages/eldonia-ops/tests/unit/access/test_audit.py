"""What the audit log says of a change."""

from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.access.audit import LONGEST_TEXT, MASKED, field_changes
from eldonia_ops.model.audit import FieldChange

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
STATES = st.dictionaries(st.text("abc", min_size=1, max_size=3), VALUES, max_size=5)


def test_only_what_differs_is_named() -> None:
    before = {"title": "a", "status": "open", "version": 3, "impact": {"users": 1, "revenue": 2.0}}
    after = {"title": "a", "status": "resolved", "version": 4, "impact": {"users": 5, "revenue": 2.0}}
    assert field_changes(before, after) == (
        FieldChange("impact.users", 1, 5),
        FieldChange("status", "open", "resolved"),
    )


def test_what_is_new_is_named_without_its_empty_fields_and_what_is_gone_whole() -> None:
    state = {"name": "ci", "owner": "", "role": "ingest"}
    assert field_changes(None, state) == (FieldChange("name", None, "ci"), FieldChange("role", None, "ingest"))
    assert [one.field for one in field_changes(state, None)] == ["name", "owner", "role"]


def test_secrets_are_masked_and_long_texts_cut() -> None:
    [one] = field_changes({"smtp": {"auth_password": "a"}}, {"smtp": {"auth_password": "sesame"}})
    assert (one.before, one.after) == (MASKED, MASKED)
    [long] = field_changes({"text": ""}, {"text": "x" * 10_000})
    assert len(long.after) == LONGEST_TEXT
    [many] = field_changes({}, {"items": ["x" * 100] * 100})
    assert isinstance(many.after, str)
    assert len(many.after) == LONGEST_TEXT


@given(STATES)
def test_what_has_not_changed_is_no_change(state) -> None:
    assert field_changes(state, state) == ()


@given(STATES, STATES)
def test_a_way_and_its_way_back_name_the_same_fields(one, other) -> None:
    there, back = field_changes(one, other), field_changes(other, one)
    assert [(change.field, change.before, change.after) for change in there] == [
        (change.field, change.after, change.before) for change in back
    ]
