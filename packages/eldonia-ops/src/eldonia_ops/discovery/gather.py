"""Gathers the facts of this machine. Everything has a time limit; what cannot be seen is said and stops nothing."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from eldonia_ops.discovery import databases, host, services_of_host, web_servers
from eldonia_ops.discovery.facts import Facts, Listener, Program
from eldonia_ops.discovery.programs import is_ours, speaks_http

_T = TypeVar("_T")
_SECONDS: Final = 15.0
OUR_PORT: Final = 9600


async def gather(*, our_port: int = OUR_PORT) -> Facts:
    """The facts, within 15 seconds or so for each kind."""
    said: list[str] = []

    async def seen(what: str, asked: Coroutine[Any, Any, _T], otherwise: _T) -> _T:
        try:
            return await asyncio.wait_for(asked, _SECONDS)
        except TimeoutError:
            said.append(f"{what} (no answer in time)")
        except Exception as error:  # noqa: BLE001 - one fact that cannot be had leaves the others
            said.append(f"{what} ({type(error).__name__}: {str(error)[:160]})")
        return otherwise

    programs = await seen("processes", asyncio.to_thread(host.programs_by_pid), {})
    listening, hidden = await seen("ports", asyncio.to_thread(host.listeners, programs), ([], []))
    others = [one for one in listening if not is_ours(one.program)]
    paths = await seen("nginx' files", asyncio.to_thread(web_servers.configured_status_paths), ())
    sockets = await seen("sockets", asyncio.to_thread(host.sockets_of_postgresql), ())
    http = [one for one in others if speaks_http(one.program, one.port)]
    systemd = services_of_host.has_systemd()
    web, postgresql, redis, (logs, unread), (docker, undocked), (failed, unasked) = await asyncio.gather(
        seen("web servers", web_servers.ask(http, paths), []),
        seen("PostgreSQL", databases.postgresql_servers(sockets, others), []),
        seen("Redis", databases.redis_servers(others), []),
        seen("log files", asyncio.to_thread(host.logs, _daemons(programs, others)), ([], [])),
        seen("containers", services_of_host.containers(), ([], [])),
        seen("systemd", services_of_host.failed_units() if systemd else _nothing(), ([], [])),
    )
    return Facts(
        hostname=host.hostname(),
        listeners=tuple(listening),
        web=tuple(web),
        postgresql=tuple(postgresql),
        redis=tuple(redis),
        logs=tuple(logs),
        containers=tuple(docker),
        systemd=systemd,
        failed_units=tuple(failed),
        our_port_taken=any(one.port == our_port for one in others),
        unreadable=(*hidden, *unread, *undocked, *unasked, *said),
    )


def _daemons(programs: dict[int, Program], listening: list[Listener]) -> dict[int, Program]:
    """Programs that are there to stay: those that listen, and units of systemd."""
    named = {one.program for one in listening}
    return {pid: one for pid, one in programs.items() if one in named or (one.unit and not is_ours(one))}


async def _nothing() -> tuple[list[str], list[str]]:
    return [], []
