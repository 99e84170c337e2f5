"""Each target on its whole corpus, then on mutations of it: always the same ones, so that a run can be repeated."""

import pytest

from fuzz.search import mutations, tried
from fuzz.target import Target, all_targets

TARGETS = all_targets()
RUNS = 1_500
"""Inputs of each target, unless the seconds are over before."""
SECONDS = 1.0
KNOWN = {
    "log_level": "a digit beside a separator of records is no number to int()",
    "log_line": "a duration of 400 digits is too large for a float",
    "preconditions": "a list of blanks and commas takes exponential time",
    "timestamp": "seconds beyond the year 2262",
}
"""Faults that are known and not mended; their targets may fail. Take an entry out with the fault."""


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
