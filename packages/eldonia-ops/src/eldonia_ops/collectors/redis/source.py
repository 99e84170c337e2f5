"""Reads one server of Redis over one connection that is kept."""

import asyncio
import logging
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from eldonia_ops.collectors.network_errors import explain
from eldonia_ops.collectors.poll_loop import Reading
from eldonia_ops.collectors.redis.config import RedisSettings
from eldonia_ops.collectors.redis.info import info_readings, parse_info
from eldonia_ops.collectors.redis.names import CONFIG

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger("eldonia_ops.collectors.redis")

_MAX_INFO: Final = 4 * 1024 * 1024
_MAX_EVENTS: Final = 100
_DOWN: Final[list[Reading]] = [("up", {}, 0.0), ("redis_up", {}, 0.0)]


class RedisSource:
    """Implements :class:`~eldonia_ops.collectors.poll_loop.Source`.

    Only ``INFO`` has to be allowed. What ``CONFIG``, ``LATENCY`` and ``SLOWLOG`` say is left out where the server, or
    its list of permissions, refuses them.
    """

    def __init__(self, server: RedisSettings) -> None:
        self._server = server
        self._client: Redis | None = None

    async def measure(self) -> tuple[list[Reading], str]:
        """All readings; when the server does not answer, ``up`` and ``redis_up`` 0 and the reason in words."""
        try:
            from redis.exceptions import RedisError
        except ImportError:
            return _DOWN, "redis is not installed: pip install 'eldonia-ops[redis]'"
        seconds = self._server.timeout / 1000
        try:
            async with asyncio.timeout(seconds):
                found = await self._read()
        except (RedisError, OSError, ValueError) as error:
            await self.close()
            return _DOWN, self._words(error, seconds)
        except BaseException:
            await self.close()
            raise
        return [("up", {}, 1.0), ("redis_up", {}, 1.0), *found], ""

    async def close(self) -> None:
        """Close the connection. Idempotent."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _read(self) -> list[Reading]:
        if self._client is None:
            self._client = self._connected()
        text: Any = await self._client.execute_command("INFO", "ALL")
        if len(text) > _MAX_INFO:
            raise ValueError(f"the answer to INFO is longer than {_MAX_INFO} bytes")
        fields = parse_info(text.decode("utf-8", "replace"))
        parameters = await self._parameters()
        databases = parameters.get("databases", "")
        return [
            *info_readings(fields, time.time(), int(databases) if databases.isdigit() else 0),
            *_config_readings(parameters),
            *await self._latency(),
            *await self._slow_log(),
        ]

    async def _parameters(self) -> dict[str, str]:
        """Parameters of the server, by their names."""
        found: dict[str, str] = {}
        for name in ("databases", *CONFIG):
            answer = await self._optional("CONFIG GET", name)
            if isinstance(answer, list) and len(answer) == 2:
                found[name] = bytes(answer[1]).decode("utf-8", "replace")
        return found

    async def _latency(self) -> list[Reading]:
        """The last latency event of each kind: name, Unix time, milliseconds."""
        found: list[Reading] = []
        for event in (await self._optional("LATENCY LATEST") or [])[:_MAX_EVENTS]:
            name, at, took, *_ = event
            labels = {"event_name": name.decode("utf-8", "replace")}
            found.append(("redis_latency_spike_last", labels, float(at)))
            found.append(("redis_latency_spike_duration_seconds", labels, took / 1000))
        return found

    async def _slow_log(self) -> list[Reading]:
        """How long the slow log is, and its newest entry without the command, which may hold anything."""
        length = await self._optional("SLOWLOG LEN")
        if length is None:
            return []
        newest: Sequence[Any] = await self._optional("SLOWLOG GET", "1") or []
        number, took = (newest[0][0], newest[0][2]) if newest else (0, 0)
        return [
            ("redis_slowlog_length", {}, float(length)),
            ("redis_slowlog_last_id", {}, float(number)),
            ("redis_last_slow_execution_duration_seconds", {}, took / 1e6),
        ]

    async def _optional(self, *command: str) -> Any:
        """The answer to a command, None where it is refused."""
        from redis.exceptions import ConnectionError, ResponseError

        assert self._client is not None
        try:
            return await self._client.execute_command(*command)
        except ConnectionError:
            raise
        except ResponseError as error:
            log.debug("redis %s refuses %s: %s", self._server.name, command[0], error)
            return None

    def _connected(self) -> "Redis":
        """A client that has not connected yet, with one connection and no tries of its own."""
        from redis.asyncio import Connection, ConnectionPool, Redis, SSLConnection, UnixDomainSocketConnection
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        server = self._server
        host, port = server.address
        options: dict[str, Any] = {
            "username": server.username or None,
            "password": server.password.reveal() or None,
            "retry": Retry(NoBackoff(), 0),
            # measure() limits the whole.
            "socket_timeout": None,
            "socket_connect_timeout": None,
            # Names that the client would set cost a command each, which a user with few permissions may not send.
            "driver_info": None,
            "protocol": 2,
        }
        kind: type[Any] = Connection
        if server.socket:
            kind = UnixDomainSocketConnection
            options["path"] = server.socket
        else:
            options |= {"host": host, "port": port}
        if server.tls:
            kind = SSLConnection
            options |= {
                "ssl_ca_certs": str(server.ca_file) if server.ca_file else None,
                "ssl_certfile": str(server.cert_file) if server.cert_file else None,
                "ssl_keyfile": str(server.key_file) if server.key_file else None,
                "ssl_cert_reqs": ssl.CERT_REQUIRED if server.verify_certificate else ssl.CERT_NONE,
                "ssl_check_hostname": server.verify_certificate,
            }
        client = Redis.from_pool(ConnectionPool(connection_class=kind, max_connections=1, **options))
        # The answers are read here, as they came.
        client.response_callbacks.clear()
        return client

    def _words(self, error: BaseException, seconds: float) -> str:
        from redis.exceptions import ConnectionError, ResponseError

        if isinstance(error, TimeoutError):
            return f"no answer within {seconds:g} s"
        # Refusals of the server itself, such as a wrong password, come in its own words.
        own = isinstance(error, ResponseError) or (isinstance(error, ConnectionError) and not error.__context__)
        text = " ".join((str(error) if own else explain(error, seconds)).split())
        password = self._server.password.reveal()
        return (text.replace(password, "<secret>") if password else text)[:300] or type(error).__name__


def _config_readings(parameters: Mapping[str, str]) -> Iterator[Reading]:
    for parameter, name in CONFIG.items():
        value = parameters.get(parameter, "")
        if value.isdigit():
            yield f"redis_{name}", {}, float(value)
