"""The application over a fake platform, addressed in memory."""

import httpx
import pytest
from fake_platform import FakePlatform
from starlette.applications import Starlette
from web_client import Client

from eldonia_ops.intake.registry import built_in
from eldonia_ops.model.access import Role
from eldonia_ops.web.app import create_app


@pytest.fixture
def platform() -> FakePlatform:
    return FakePlatform()


@pytest.fixture
def app(platform: FakePlatform) -> Starlette:
    return create_app(platform, intakes=built_in())


@pytest.fixture
def client(app: Starlette, platform: FakePlatform) -> Client:
    """Makes clients: ``client(Role.VIEWER)`` sends that role's token, ``client()`` none."""
    return _maker(app, platform)


@pytest.fixture(scope="session")
def reader() -> Client:
    """Like ``client``, over one application for all tests that change nothing."""
    platform = FakePlatform()
    return _maker(create_app(platform, intakes=built_in()), platform)


def _maker(app: Starlette, platform: FakePlatform) -> Client:
    def make(role: Role | None = None, **headers: str) -> httpx.AsyncClient:
        if role is not None:
            headers["Authorization"] = f"Bearer {platform.secrets[role]}"
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://localhost:9600", headers=headers)

    return make
