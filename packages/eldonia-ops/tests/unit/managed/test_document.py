"""Steps over documents of entries, and their way back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.managed.document import (
    Document,
    EntryConflictError,
    Step,
    after_step,
    after_steps,
    step_to,
    undone,
)
from eldonia_ops.managed.history import MAX_CHANGES, Change, NotUndoableError, recorded, undoable
from eldonia_ops.managed.secrets import files_of, with_secrets_apart, without_files


def name_of(section: str, entry) -> str:
    return str(entry.get("name", ""))


NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
ENTRIES = st.builds(lambda name, value: {"name": name, "value": value}, NAMES, st.integers(0, 3))
SECTIONS = st.sampled_from(["probes", "scrape"])


@st.composite
def documents(draw) -> Document:
    found: dict[str, tuple] = {}
    for section in ("probes", "scrape"):
        names = draw(st.lists(NAMES, unique=True, max_size=5))
        entries = tuple({"name": name, "value": draw(st.integers(0, 3))} for name in names)
        if entries:
            found[section] = entries
    return found


@given(documents(), SECTIONS, st.one_of(st.just(""), NAMES), st.one_of(st.none(), ENTRIES))
def test_any_step_that_fits_is_undone_by_its_inverse(document, section, name, after) -> None:
    try:
        step = step_to(document, section, name, after, name_of)
        changed = after_step(document, step, name_of)
    except EntryConflictError:
        return
    back = after_step(changed, step.undone, name_of)
    assert {key: back[key] for key in sorted(back)} == {key: document[key] for key in sorted(document)}
    assert step.undone.undone == step


@given(
    documents(), st.lists(st.tuples(SECTIONS, st.one_of(st.just(""), NAMES), st.one_of(st.none(), ENTRIES)), max_size=8)
)
def test_many_steps_are_undone_together(document, wanted) -> None:
    now, steps = document, []
    for section, name, after in wanted:
        try:
            step = step_to(now, section, name, after, name_of)
            now = after_step(now, step, name_of)
            steps.append(step)
        except EntryConflictError:
            continue
    assert after_steps(now, undone(steps), name_of) == document


@given(documents(), SECTIONS, ENTRIES)
def test_names_stay_unique(document, section, entry) -> None:
    step = step_to(document, section, "", entry, name_of)
    names = [one["name"] for one in document.get(section, ())]
    if entry["name"] in names:
        with pytest.raises(EntryConflictError, match="already"):
            after_step(document, step, name_of)
    else:
        assert [one["name"] for one in after_step(document, step, name_of)[section]] == [*names, entry["name"]]


def test_a_step_does_not_fit_once_somebody_else_changed_the_entry() -> None:
    document = {"probes": ({"name": "a", "value": 1},)}
    step = step_to(document, "probes", "a", None, name_of)
    meanwhile = {"probes": ({"name": "a", "value": 2},)}
    with pytest.raises(EntryConflictError, match="'a' in probes is not what it was"):
        after_step(meanwhile, step, name_of)
    with pytest.raises(EntryConflictError, match="there is no entry 'b'"):
        step_to(document, "probes", "b", None, name_of)


def test_an_entry_that_was_removed_comes_back_to_its_place() -> None:
    document = {"probes": tuple({"name": name, "value": 0} for name in "abc")}
    step = step_to(document, "probes", "b", None, name_of)
    assert after_step(after_step(document, step, name_of), step.undone, name_of) == document


def test_the_history_is_bounded_and_knows_what_was_undone() -> None:
    history: tuple[Change, ...] = ()
    for number in range(MAX_CHANGES + 5):
        history = recorded(history, Change(str(number), number, "hana", (Step("probes", None, {"name": "a"}, 0),)))
    assert len(history) == MAX_CHANGES
    assert history[-1].id == str(MAX_CHANGES + 4)
    with pytest.raises(NotUndoableError, match="no such change"):
        undoable(history, "0")
    last = undoable(history, history[-1].id)
    history = recorded(history, Change("back", 9, "ken", undone(last.steps), undoes=last.id))
    with pytest.raises(NotUndoableError, match="undone already"):
        undoable(history, last.id)
    assert undoable(history, "back").steps == undone(last.steps)


def numbered():
    count = iter(range(100))
    return lambda: f"secrets/{next(count)}"


KEYS = ("token", "basic.password", "hooks.0.url")


def test_secrets_are_kept_apart_and_those_not_given_anew_stay() -> None:
    entry = {"name": "a", "token": "t0p", "basic": {"user": "u", "password": "pw"}, "hooks": [{"url": "http://x"}]}
    kept, found = with_secrets_apart(entry, None, KEYS, numbered())
    assert found == {"secrets/0": "t0p", "secrets/1": "pw", "secrets/2": "http://x"}
    assert kept == {
        "name": "a",
        "token_file": "secrets/0",
        "basic": {"user": "u", "password_file": "secrets/1"},
        "hooks": [{"url_file": "secrets/2"}],
    }
    assert files_of(kept) == frozenset(found)
    shown, names = without_files(kept, KEYS)
    assert shown == {"name": "a", "basic": {"user": "u"}, "hooks": [{}]}
    assert names == KEYS

    again, new = with_secrets_apart(
        {**shown, "name": "b", "basic": {"user": "u", "password": ""}}, kept, KEYS, numbered()
    )
    assert new == {}
    assert again == {
        "name": "b",
        "token_file": "secrets/0",
        "basic": {"user": "u"},
        "hooks": [{"url_file": "secrets/2"}],
    }


def test_a_variable_of_the_environment_is_no_secret_and_no_file_is_taken_from_outside() -> None:
    entry = {"name": "a", "token": "${TOKEN}", "hooks": [{"url_file": "/etc/shadow"}]}
    kept, found = with_secrets_apart(entry, None, KEYS, numbered())
    assert (kept, found) == ({"name": "a", "token": "${TOKEN}", "hooks": [{}]}, {})
    assert without_files(kept, KEYS) == (kept, ())


@given(st.dictionaries(st.sampled_from(["token", "name", "x"]), st.text(max_size=8), max_size=3))
def test_no_secret_is_left_in_an_entry(entry) -> None:
    kept, found = with_secrets_apart(entry, None, KEYS, numbered())
    secret = entry.get("token", "")
    if secret and not secret.startswith("${"):
        assert list(found.values()) == [secret]
        assert "token" not in kept
    assert "token_file" not in without_files(kept, KEYS)[0]
