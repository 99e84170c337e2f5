"""Asks Docker and systemd what runs. Both are asked for reading alone."""

import asyncio
import json
from pathlib import Path
from typing import Any, Final

import httpx

from eldonia_ops.discovery.facts import Container

DOCKER_SOCKET: Final = Path("/var/run/docker.sock")
_SECONDS: Final = 2.0
_MOST: Final = 100


async def containers(path: Path = DOCKER_SOCKET) -> tuple[list[Container], list[str]]:
    """Running containers by Docker's API (https://docs.docker.com/reference/api/engine/), and what was not seen."""
    if not await asyncio.to_thread(path.is_socket):
        return [], []
    try:
        transport = httpx.AsyncHTTPTransport(uds=str(path))
        async with httpx.AsyncClient(transport=transport, base_url="http://docker", timeout=_SECONDS) as docker:
            answer = await docker.get("/containers/json")
            answer.raise_for_status()
            listed = answer.json()[:_MOST]
            found = [await _container(docker, one) for one in listed]
    except PermissionError:
        return [], [f"containers ({path} is closed to this user)"]
    except (httpx.HTTPError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        return [], [f"containers ({path}: {str(error)[:200] or type(error).__name__})"]
    return found, []


async def _container(docker: httpx.AsyncClient, listed: dict[str, Any]) -> Container:
    name = str((listed.get("Names") or [listed["Id"][:12]])[0]).strip("/")
    ports = tuple(sorted({int(port["PublicPort"]) for port in listed.get("Ports") or () if port.get("PublicPort")}))
    detail = (await docker.get(f"/containers/{listed['Id']}/json")).json()
    driver = ((detail.get("HostConfig") or {}).get("LogConfig") or {}).get("Type")
    log = str(detail.get("LogPath") or "") if driver == "json-file" else ""
    return Container(name, str(listed.get("Image") or ""), ports, log)


def has_systemd(folder: Path = Path("/run/systemd/system")) -> bool:
    """Whether systemd is in charge of this machine, as sd_booted(3) finds out."""
    return folder.is_dir()


async def failed_units() -> tuple[list[str], list[str]]:
    """Units that systemd calls failed, and what was not seen."""
    command = ("systemctl", "list-units", "--state=failed", "--output=json", "--no-pager")
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), _SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
            return [], ["systemd's units (no answer in time)"]
        return [str(one["unit"]) for one in json.loads(output or b"[]")][:_MOST], []
    except (OSError, ValueError, TypeError, KeyError) as error:
        return [], [f"systemd's units ({error})"]
