"""Every path that is named begins that of a test file, and tests are sorted by them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from longest_first import LONGEST, pytest_collection_modifyitems

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("path", LONGEST)
def test_what_is_named_is_there(path: str) -> None:
    assert (ROOT / path).is_dir() == path.endswith("/")
    assert (ROOT / path).exists()


def test_named_files_come_first_and_no_file_is_torn_apart() -> None:
    other = "packages/eldonia-ops/tests/unit/test_plugins.py"
    given = [f"{other}::test_b", f"{other}::test_a", f"{LONGEST[1]}test_x.py::test_c", f"{LONGEST[0]}::test_d"]
    items: list[Any] = [SimpleNamespace(nodeid=nodeid) for nodeid in given]
    pytest_collection_modifyitems(items)
    assert [item.nodeid for item in items] == [given[3], given[2], given[0], given[1]]
