"""Unit tests touch no network: a socket opened by mistake fails the test that opened it."""

import pytest
from pytest_socket import disable_socket


@pytest.fixture(autouse=True)
def _no_network() -> None:
    disable_socket(allow_unix_socket=True)
