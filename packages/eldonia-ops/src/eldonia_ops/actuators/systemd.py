"""Restarts a systemd unit."""

import re
import shutil
from dataclasses import dataclass

from eldonia_ops.actuators.commands import run, succeed
from eldonia_ops.ports import ActuatorError

_UNIT = re.compile(r"[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}")


@dataclass(frozen=True, slots=True)
class SystemdActuator:
    """Implements :class:`eldonia_ops.ports.Actuator` for one unit. ``user`` means the user's own systemd.

    ``verb`` is ``restart`` or ``start``.
    """

    unit: str
    user: bool = False
    verb: str = "restart"
    timeout_ms: int = 90_000

    def __post_init__(self) -> None:
        if _UNIT.fullmatch(self.unit) is None:
            raise ValueError(f"not the name of a systemd unit: {self.unit!r}")
        if self.verb not in ("restart", "start"):
            raise ValueError(f"not 'restart' or 'start': {self.verb!r}")

    async def restart(self) -> str:
        """Restart the unit and see that it is active.

        Raises:
            ActuatorError: there is no systemctl, it failed, or the unit did not stay up.
        """
        systemctl = shutil.which("systemctl")
        if systemctl is None:
            raise ActuatorError("systemctl is not there: this host does not run systemd")
        seconds = self.timeout_ms / 1000
        base = [systemctl, *(["--user"] if self.user else []), "--no-ask-password"]
        await succeed([*base, self.verb, "--", self.unit], timeout_seconds=seconds)
        state = await run([*base, "is-active", "--", self.unit], timeout_seconds=min(seconds, 10))
        if state.code:
            raise ActuatorError(f"{self.unit} was asked to {self.verb} and is {state.output or 'not active'}")
        return f"{self.verb}ed the systemd unit {self.unit}"
