"""Each target on its whole corpus, then on mutations of it: always the same ones, so that a run can be repeated."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from eldonia_telemetry import dropped_data, redact
from fuzz.search import mutations, tried
from fuzz.target import Target, all_targets

TARGETS = all_targets()
RUNS = 200
"""Inputs of each target, unless the seconds are over before. ``make fuzz`` looks for longer."""
SECONDS = 0.5
KNOWN: dict[str, str] = {}
"""Faults that are known and not mended; their targets may fail. Take an entry out with the fault."""


@pytest.fixture(autouse=True)
def _nothing_stays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the SDK counts and remembers of thousands of inputs is no business of other tests in this process."""
    monkeypatch.setattr(dropped_data, "_counts", {})
    monkeypatch.setattr(dropped_data, "_say", lambda text: None)
    yield
    redact.configure(fields=("anything",))  # another list of fields empties what is remembered of names
    redact.configure()


def known(target: Target, request: pytest.FixtureRequest) -> None:
    if target.name in KNOWN:
        request.applymarker(pytest.mark.xfail(reason=KNOWN[target.name]))


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_corpus(target: Target, request: pytest.FixtureRequest) -> None:
    known(target, request)
    seeds = target.seeds()
    assert seeds, f"{target.corpus} is empty"
    broken = [f"{name}\n{finding.detail}" for name, data in seeds if (finding := tried(target, data)) is not None]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_mutations(target: Target, request: pytest.FixtureRequest) -> None:
    known(target, request)
    broken = [f"{finding.data!r}\n{finding.detail}" for finding in mutations(target, 1, SECONDS, runs=RUNS)]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_a_fault_in_the_code_under_test_is_found(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """No target swallows what its code must not raise, or calls none of it."""
    module = sys.modules[target.check.__module__]

    def broken(*arguments: Any, **named: Any) -> Any:
        raise KeyError("planted")

    planted = 0
    for name, value in vars(module).copy().items():
        ours = str(getattr(value, "__module__", "")).startswith(("eldonia_ops", "eldonia_telemetry"))
        if ours and callable(value) and not isinstance(value, type):
            monkeypatch.setattr(module, name, broken)
            planted += 1
    assert planted
    for held in ("ScrapeParser", "ScrapeRows", "LineReader", "TemplateSet", "ClientAddress", "CrossSite", "Spill"):
        if hasattr(module, held):
            monkeypatch.setattr(module, held, broken)
    for whole in ("redact", "lines", "body", "values", "otlp", "spans_json", "otlp_json", "otlp_logs"):
        if hasattr(module, whole):
            monkeypatch.setattr(module, whole, _Broken())
    found = [finding for _, data in target.seeds() if (finding := tried(target, data)) is not None]
    assert found


class _Broken:
    def __getattr__(self, name: str) -> Any:
        raise KeyError("planted")
