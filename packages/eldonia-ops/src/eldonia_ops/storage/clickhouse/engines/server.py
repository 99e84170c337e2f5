"""A ClickHouse server or cluster over its HTTP interface.

Source: https://clickhouse.com/docs/interfaces/http
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx

from eldonia_ops.model.snapshots import SnapshotFile
from eldonia_ops.ports import TelemetryError
from eldonia_ops.storage.clickhouse.engines.engine import (
    READ_SETTINGS,
    WRITE_SETTINGS,
    EngineUnavailableError,
    Parameter,
    failure,
    insert_statement,
    rendered,
)


class ServerEngine:
    """An :class:`~eldonia_ops.storage.clickhouse.engines.engine.Engine` at ``http(s)://user:password@host:8123/database``.

    The database must exist; the path may be empty for ``default``. User and password travel in
    headers, never in the address, so they do not reach the server's query log.

    Raises:
        TelemetryError: the address is not HTTP.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 30.0, transport: httpx.AsyncBaseTransport | None = None):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise TelemetryError("the telemetry url must look like http://user:password@host:8123/database")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        netloc = host if parts.port is None else f"{host}:{parts.port}"
        self._address = urlunsplit((parts.scheme, netloc, "/", "", ""))
        headers = {"X-ClickHouse-Database": unquote(parts.path.strip("/")) or "default"}
        if parts.username:
            headers["X-ClickHouse-User"] = unquote(parts.username)
            headers["X-ClickHouse-Key"] = unquote(parts.password or "")
        # A proxy of the environment is for the world outside; it has no business with the database's password.
        # The certificates of all authorities are read only where there is TLS.
        verify = parts.scheme == "https"
        self._client = httpx.AsyncClient(
            headers=headers, timeout=timeout_seconds, transport=transport, verify=verify, trust_env=False
        )

    async def execute(self, sql: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        """Run a statement."""
        await self._post({**WRITE_SETTINGS, **_prefixed(parameters)}, sql.encode())

    async def insert(self, table: str, columns: tuple[str, ...], format: str, body: bytes, *, token: str = "") -> None:
        """Insert; the server answers when the parts are written."""
        statement = f"{insert_statement(table, columns, token)} FORMAT {format}"
        await self._post({**WRITE_SETTINGS, "query": statement}, body)

    async def query(
        self, sql: str, parameters: Mapping[str, Parameter] | None = None, *, format: str = "JSONEachRow"
    ) -> bytes:
        """Read under the bounds of READ_SETTINGS."""
        return await self._post({**READ_SETTINGS, "default_format": format, **_prefixed(parameters)}, sql.encode())

    async def freeze(self, data: Path) -> list[SnapshotFile]:
        """Nothing: the server has backups of its own."""
        return []

    async def thaw(self) -> None:
        """Nothing was kept."""

    def facts(self) -> dict[str, Any]:
        """Kind and address, without credentials."""
        return {"engine": "server", "address": self._address, "settings_ignored": []}

    async def close(self) -> None:
        """Close the HTTP connections."""
        await self._client.aclose()

    async def _post(self, parameters: Mapping[str, int | str], body: bytes) -> bytes:
        try:
            # With wait_end_of_query an error that appears half-way still changes the status code.
            response = await self._client.post(
                self._address, params={**parameters, "wait_end_of_query": 1}, content=body
            )
        except httpx.HTTPError as error:
            detail = str(error) or type(error).__name__
            raise EngineUnavailableError(f"ClickHouse at {self._address} did not answer: {detail}") from None
        except RuntimeError:
            raise TelemetryError("the telemetry store is closed") from None
        if response.status_code != httpx.codes.OK:
            code = response.headers.get("X-ClickHouse-Exception-Code", "")
            raise failure(response.text or f"HTTP status {response.status_code}", int(code) if code.isdigit() else 0)
        return response.content


def _prefixed(parameters: Mapping[str, Parameter] | None) -> dict[str, str]:
    return {f"param_{name}": value for name, value in rendered(parameters).items()}
