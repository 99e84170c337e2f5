"""The type of the fixture that makes clients of the application under test."""

from collections.abc import Callable

import httpx

Client = Callable[..., httpx.AsyncClient]
