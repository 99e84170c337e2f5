"""Restarts a container by the docker command (or podman's, which understands the same)."""

import re
import shutil
from dataclasses import dataclass

from eldonia_ops.actuators.commands import succeed
from eldonia_ops.ports import ActuatorError

_CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")


@dataclass(frozen=True, slots=True)
class DockerActuator:
    """Implements :class:`eldonia_ops.ports.Actuator` for one container, by name or id.

    ``stop_seconds``: how long the container may take to stop before it is killed.
    """

    container: str
    program: str = "docker"
    stop_seconds: int = 10
    timeout_ms: int = 60_000

    def __post_init__(self) -> None:
        if _CONTAINER.fullmatch(self.container) is None:
            raise ValueError(f"not the name of a container: {self.container!r}")

    async def restart(self) -> str:
        """Restart the container and see that it runs.

        Raises:
            ActuatorError: the program is missing or failed, or the container does not run afterwards.
        """
        program = shutil.which(self.program)
        if program is None:
            raise ActuatorError(f"{self.program} is not installed")
        seconds = self.timeout_ms / 1000
        await succeed([program, "restart", "--time", str(self.stop_seconds), self.container], timeout_seconds=seconds)
        inspect = [program, "inspect", "--format", "{{.State.Status}}", self.container]
        state = (await succeed(inspect, timeout_seconds=min(seconds, 10))).output
        if state != "running":
            raise ActuatorError(f"the container {self.container} was restarted and is {state or 'in no known state'}")
        return f"restarted the container {self.container}"
