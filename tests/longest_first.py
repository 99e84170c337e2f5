"""Which tests begin first: a plugin of pytest.

Workers take whole files, in the order in which they were collected (``--dist loadfile --no-loadscope-reorder`` in
``scripts/test.sh``). A file that takes minutes and begins last keeps one core busy and leaves the others idle.
"""

from typing import Final

import pytest

LONGEST: Final = (
    "packages/eldonia-ops/tests/integration/web/",
    "packages/eldonia-ops/tests/integration/storage/clickhouse/metrics/test_series_expiry.py",
    "tests/benchmarks/",
    # Not first: in the first minutes the checks run beside the tests, and the demonstration has seconds to meet.
    "tests/acceptance/",
    "packages/eldonia-ops/tests/integration/storage/",
    "packages/eldonia-ops/tests/integration/app/",
    "packages/eldonia-ops/tests/integration/cli/",
    "examples/shop/",
    "packages/eldonia-telemetry/tests/integration/",
    "packages/eldonia-ops/tests/integration/",
    "tests/test_patterns.py",
    "tests/fuzz/",
)
"""Beginnings of paths, the longest files first. A file belongs to the first one that fits; all others follow."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by file; the order within a file stays."""
    items.sort(key=lambda item: rank(item.nodeid))


def rank(nodeid: str) -> int:
    """The place of a test's file in the order; the smallest begins first."""
    return next((place for place, path in enumerate(LONGEST) if nodeid.startswith(path)), len(LONGEST))
