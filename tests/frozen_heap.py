"""Keeps the garbage collector away from what a session collects: a plugin of pytest.

Thousands of tests, and the modules that they import, live to the end of the session. To go through them again and
again took half of the time of the collection, and some of each test.
"""

import gc
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect tests without the garbage collector; from then on it looks only at what is made later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
