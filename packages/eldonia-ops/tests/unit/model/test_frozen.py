"""Changed copies of frozen dataclasses."""

from dataclasses import dataclass, replace

import pytest

from eldonia_ops.alerting.group import AlertGroupState
from eldonia_ops.model.alerts import Alert, Outgoing
from eldonia_ops.model.frozen import copier
from eldonia_ops.model.incidents import Incident, IncidentStatus, Severity
from eldonia_ops.model.labels import Labels

VALUES = (
    (Alert(Labels({"a": "1"}), ends_at=7), {"ends_at": 9, "source": "rule"}),
    (AlertGroupState("k", "g", "0", "team", {}), {"urgent": True}),
    (Incident("i", 1, "t", "d", Severity.HIGH, IncidentStatus.OPEN, "shop"), {"firing": ("x",), "version": 2}),
    (Outgoing(1, "k", "team", "slack", 0, "q", {}), {"attempts": 3}),
)


@pytest.mark.parametrize(("value", "changes"), VALUES)
def test_a_copy_is_what_replace_gives_and_leaves_the_value_alone(value: object, changes: dict[str, object]) -> None:
    before = replace(value)  # type: ignore[type-var]
    copy = copier(type(value))
    assert copy(value, **changes) == replace(value, **changes)  # type: ignore[type-var]
    assert copy(value) == value == before
    with pytest.raises(KeyError):
        copy(value, nothing=1)


def test_types_whose_fields_are_computed_or_kept_otherwise_are_refused() -> None:
    @dataclass(frozen=True)
    class Open:
        a: int
        b: int

    @dataclass(frozen=True, slots=True)
    class Computed:
        a: int
        b: int

        def __post_init__(self) -> None: ...

    for type_ in (Open, Computed):
        with pytest.raises(TypeError, match="has no slots"):
            copier(type_)
