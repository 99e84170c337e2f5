"""What restarts a service, as its settings say, and the programs that run under us."""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from eldonia_ops.actuators.command import CommandActuator
from eldonia_ops.actuators.docker import DockerActuator
from eldonia_ops.actuators.process import ProcessSpec, SupervisedProcess
from eldonia_ops.actuators.systemd import SystemdActuator
from eldonia_ops.actuators.webhook import WebhookActuator
from eldonia_ops.ports import Actuator, ActuatorError, Clock
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.service_loop import supervise
from eldonia_ops.settings import (
    CommandAction,
    DockerAction,
    ProcessAction,
    RecoverySettings,
    SystemdAction,
    WebhookAction,
)

log = logging.getLogger("eldonia_ops.actuation")
_TRIM_EVERY_MS = 60_000


def build_actuator(item: RecoverySettings, data: Path) -> Actuator:
    """The actuator of a recovery policy. Pid files and outputs that the settings do not place go below ``data``."""
    timeout_ms = item.policy.restart_timeout_ms
    match item.action:
        case ProcessAction() as action:
            name = re.sub(r"[^A-Za-z0-9._-]", "_", item.service)
            folder = data / "processes"
            return SupervisedProcess(
                ProcessSpec(
                    item.service,
                    action.command,
                    action.pid_file or folder / f"{name}.pid",
                    action.log or folder / f"{name}.log",
                    str(action.directory or ""),
                    action.environment,
                    action.stop_timeout,
                )
            )
        case SystemdAction() as action:
            return SystemdActuator(action.unit, timeout_ms=timeout_ms)
        case DockerAction() as action:
            return DockerActuator(action.container, timeout_ms=timeout_ms)
        case CommandAction() as action:
            return CommandActuator(action.command, env=action.environment, timeout_ms=timeout_ms)
        case WebhookAction() as action:
            return WebhookActuator(
                action.url, item.service, action.method, action.headers, action.body, timeout_ms=timeout_ms
            )


async def start_processes(actuators: Mapping[str, Actuator]) -> list[str]:
    """Start the programs that the platform supervises itself and that do not run yet; returns their services.

    One that cannot be started is left to its recovery policy, which sees it down.
    """
    started: list[str] = []

    async def start(service: str, process: SupervisedProcess) -> None:
        if process.running() is None:
            started.append(service)
        try:
            log.info("%s", await process.ensure_started())
        except ActuatorError as error:
            log.error("%s", error)

    supervised = {name: item for name, item in actuators.items() if isinstance(item, SupervisedProcess)}
    await asyncio.gather(*(start(name, process) for name, process in supervised.items()))
    return started


class ProcessLogs:
    """Keeps what supervised programs write, for months perhaps, from filling the disk."""

    def __init__(self, actuators: Callable[[], Iterable[Actuator]], clock: Clock, loops: Loops | None = None) -> None:
        self._actuators = actuators
        self._clock = clock
        self._loops = loops

    async def run(self) -> None:
        """Look once a minute, until cancelled."""
        await supervise("outputs of processes", self._clock, self._turn, self._loops)

    async def _turn(self) -> None:
        await self._clock.sleep_until(self._clock.now() + _TRIM_EVERY_MS)
        for process in self._actuators():
            if not isinstance(process, SupervisedProcess):
                continue
            try:
                await asyncio.to_thread(process.trim_log)
            except OSError as error:
                log.warning("an output cannot be trimmed: %s: %s", error.filename, error.strerror)
