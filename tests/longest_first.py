"""Which tests begin first, and which workers share: a plugin of pytest.

Workers take whole files, in the order in which they were collected (``--dist loadfile --no-loadscope-reorder`` in
``scripts/test.sh``). A file that takes minutes and begins last keeps one core busy and leaves the others idle; so does
one file of many minutes wherever it begins, so that the longest are shared out test by test.
"""

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import Scheduling

SHARED: Final = (
    "packages/eldonia-ops/tests/integration/web/test_accessibility.py",
    "packages/eldonia-ops/tests/integration/web/test_pages_browser.py",
    "tests/acceptance/test_kills.py",
)
"""Files whose tests several workers may take: each test has a platform of its own, or one that it only looks at."""

LONGEST: Final = (
    "packages/eldonia-ops/tests/integration/web/test_accessibility.py",
    "packages/eldonia-ops/tests/integration/web/test_pages_browser.py",
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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "Scheduling | None":
    """Of ``--dist loadfile``, one that shares out some files."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Sharing(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return work_unit(nodeid)

    return Sharing(config, log)


def work_unit(nodeid: str) -> str:
    """What a worker takes as a whole: the file of a test, or the test itself in a file that is shared."""
    file = nodeid.partition("::")[0]
    return nodeid if file in SHARED else file


def rank(nodeid: str) -> int:
    """The place of a test's file in the order; the smallest begins first."""
    return next((place for place, path in enumerate(LONGEST) if nodeid.startswith(path)), len(LONGEST))
