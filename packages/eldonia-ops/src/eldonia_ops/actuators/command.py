"""Restarts by running a command of the operator's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from eldonia_ops.actuators.commands import base_environment, succeed


@dataclass(frozen=True, slots=True)
class CommandActuator:
    """Implements :class:`eldonia_ops.ports.Actuator`: ``argv`` is run as it is, without a shell.

    ``env`` is added to :func:`base_environment`. The command must exit with 0 within ``timeout_ms``.
    """

    argv: tuple[str, ...]
    cwd: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_ms: int = 60_000

    async def restart(self) -> str:
        """Run the command.

        Raises:
            ActuatorError: it could not be started, took too long or failed; with the end of its output.
        """
        finished = await succeed(
            self.argv, timeout_seconds=self.timeout_ms / 1000, cwd=self.cwd or None, env=merged_env(self.env)
        )
        last = finished.output.splitlines()[-1:] if finished.output else []
        return f"ran {self.argv[0]}" + (f": {last[0][:200]}" if last else "")


def merged_env(extra: Mapping[str, str]) -> dict[str, str]:
    """:func:`~eldonia_ops.actuators.commands.base_environment` with additions."""
    return {**base_environment(), **extra}
