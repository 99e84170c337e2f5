"""The API over stores in memory."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fake_platform import FakePlatform

from eldonia_ops.model.access import Role
from eldonia_ops.services.ingest import IngestService, Origin
from eldonia_ops.web.http_side import HttpSide

Http = Callable[..., httpx.AsyncClient]


@pytest.fixture
def platform() -> FakePlatform:
    platform = FakePlatform()
    platform.telemetry.logs.records.clear()
    platform.ingest = IngestService(platform.telemetry, Origin("production", "node-1"))  # type: ignore[assignment, arg-type]
    return platform


@pytest.fixture
def side(platform: FakePlatform) -> HttpSide:
    return HttpSide(platform)  # type: ignore[arg-type]


@pytest.fixture
def http(side: HttpSide, platform: FakePlatform) -> Http:
    """Makes clients of the listener: ``http(Role.VIEWER)`` sends that role's token."""
    app = side.listener("elasticsearch", loopback=True)

    def make(role: Role | None = Role.ADMIN, **headers: str) -> httpx.AsyncClient:
        if role is not None:
            headers.setdefault("Authorization", f"ApiKey {platform.secrets[role]}")
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://localhost:9200", headers=headers)

    return make


@pytest.fixture
def ask(http: Http) -> Callable[..., Any]:
    """``await ask("GET", "/a", role, json=…)``: status and body."""

    async def asked(method: str, path: str, role: Role | None = Role.ADMIN, **more: Any) -> tuple[int, Any]:
        async with http(role) as client:
            response = await client.request(method, path, **more)
        assert response.headers["x-elastic-product"] == "Elasticsearch"
        return response.status_code, response.json() if response.content else None

    return asked
