"""Every path that is named begins that of a test file, and tests are sorted by them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from longest_first import LONGEST, SHARED, pytest_collection_modifyitems, work_unit

pytest_plugins = ["pytester"]
ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("path", dict.fromkeys((*LONGEST, *SHARED)))
def test_what_is_named_is_there(path: str) -> None:
    assert (ROOT / path).is_dir() == path.endswith("/")
    assert (ROOT / path).exists()


def test_named_files_come_first_and_no_file_is_torn_apart() -> None:
    other = "packages/eldonia-ops/tests/unit/test_plugins.py"
    given = [f"{other}::test_b", f"{other}::test_a", f"{LONGEST[2]}test_x.py::test_c", f"{LONGEST[0]}::test_d"]
    items: list[Any] = [SimpleNamespace(nodeid=nodeid) for nodeid in given]
    pytest_collection_modifyitems(items)
    assert [item.nodeid for item in items] == [given[3], given[2], given[0], given[1]]


def test_a_worker_takes_a_file_as_a_whole_unless_it_is_shared() -> None:
    other = "packages/eldonia-ops/tests/unit/test_plugins.py"
    assert work_unit(f"{other}::test_a") == work_unit(f"{other}::test_b[x::y]") == other
    assert work_unit(f"{SHARED[0]}::test_a[x::y]") == f"{SHARED[0]}::test_a[x::y]"


def test_workers_share_what_is_shared_and_no_other_file(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))
    pytester.makeconftest("import longest_first\nlongest_first.SHARED = ('test_shared.py',)")
    body = """
        import os, pathlib, time, pytest

        @pytest.mark.parametrize("number", range(6))
        def test_it(number):
            seen = pathlib.Path(__file__).with_suffix(f".{os.environ['PYTEST_XDIST_WORKER']}")
            seen.touch()
            while number == 0 and len(list(pathlib.Path(__file__).parent.glob("test_shared.gw*"))) < 2:
                time.sleep(0.01)
    """
    pytester.makepyfile(test_shared=body, test_whole=body.replace("number == 0", "False"))
    options = ("-n2", "--dist=loadfile", "--no-loadscope-reorder", "-p", "longest_first", "-q")
    pytester.runpytest_subprocess(*options, timeout=120).assert_outcomes(passed=12)
    assert len(list(pytester.path.glob("test_shared.gw*"))) == 2
    assert len(list(pytester.path.glob("test_whole.gw*"))) == 1
