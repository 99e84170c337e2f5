"""The text of the managed file: every value comes back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.errors import ConfigError
from eldonia_ops.model.foreign import clean_text
from eldonia_ops.protocols.managed_file import managed_document, managed_text

ODD = [
    "yes",
    "0x1",
    "1e5",
    "null",
    "~",
    "- a",
    "a: b",
    "#x",
    "'",
    '"',
    "${A}",
    "2026-01-01",
    "{}",
    "\n",
    " ",
    "=",
    "<<",
]
TEXTS = st.text(max_size=20).map(clean_text) | st.sampled_from([*ODD, "\u2028\ufeff"])
KEYS = st.text(min_size=1, max_size=10).map(clean_text).filter(bool) | st.sampled_from(["on", "1", "<<x", "a b"])
VALUES = st.recursive(
    TEXTS | st.booleans() | st.none() | st.integers(-(10**12), 10**12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)
LISTS = st.lists(ENTRIES, min_size=1, max_size=3).map(tuple)
CHANGES = st.dictionaries(st.just("threshold"), st.integers())
TUNED = st.builds(lambda name, values: {"name": name, **values}, KEYS, CHANGES)
TUNING = st.lists(TUNED, min_size=1, max_size=3, unique_by=lambda one: one["name"]).map(tuple)
HOST = ENTRIES.map(lambda one: (one,))
SECTIONS = {"probes": LISTS, "receivers": LISTS, "rules.alerts": LISTS, "rules.defaults": TUNING, "host": HOST}
DOCUMENTS = st.fixed_dictionaries({}, optional=SECTIONS)


@given(DOCUMENTS)
def test_what_is_written_is_read_again(document) -> None:
    text = managed_text(document, lambda section: section == "host")
    assert managed_document(text, "x.yml") == document
    assert text.startswith("# Written by Eldonia Ops")


def test_what_people_may_write_into_it_is_understood() -> None:
    text = "rules:\n  defaults: {HighCPUUsage: off, DiskFull: {threshold: 5}}\nprobes: []\n"
    assert managed_document(text, "x.yml") == {
        "rules.defaults": ({"name": "HighCPUUsage", "enabled": False}, {"name": "DiskFull", "threshold": 5})
    }
    assert managed_document("", "x.yml") == {}


@pytest.mark.parametrize("text", ["- a\n", "probes: x\n", "probes: [1]\n", "a: [\n", "rules: {alerts: 3}\n"])
def test_another_shape_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        managed_document(text, "x.yml")
