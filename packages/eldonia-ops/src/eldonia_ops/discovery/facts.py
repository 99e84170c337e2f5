"""What was seen on this machine, as plain values. What could not be seen is in ``Facts.unreadable``."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Program:
    """A process as far as it may be seen. ``unit`` is its systemd unit, such as ``nginx.service``.

    All are empty where the process belongs to another user.
    """

    name: str = ""
    command: tuple[str, ...] = ()
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Listener:
    """A TCP port that a program of this machine listens on. ``host`` is an address at which this machine reaches it."""

    host: str
    port: int
    program: Program = Program()

    @property
    def address(self) -> str:
        """``host:port``, with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What an HTTP server answers: ``path`` is the first of those asked that gives 200, ``metrics`` the names of the
    metrics at /metrics, ``metrics_status`` the status there, ``stub_status`` the path of nginx' page of numbers."""

    listener: Listener
    path: str = ""
    metrics: tuple[str, ...] = ()
    metrics_status: int = 0
    stub_status: str = ""


class Access(StrEnum):
    """Whether a database lets us in."""

    OPEN = "open"
    PASSWORD = "password"  # noqa: S105 - a word
    NO_DRIVER = "no driver"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Database:
    """A PostgreSQL or Redis. ``place`` is how it was reached: a DSN or URL without any password; ``instance`` names it
    by host and port. ``why`` is in the
    server's words why it did not let us in. ``full`` is whether the user that was let in sees all statistics."""

    place: str
    access: Access
    instance: str = ""
    why: str = ""
    full: bool = True


@dataclass(frozen=True, slots=True)
class SeenLog:
    """A log file that was written to lately. ``program`` is who has it open, where that can be seen."""

    path: str
    readable: bool = True
    program: Program = Program()


@dataclass(frozen=True, slots=True)
class Container:
    """A running container. ``log`` is the path of its file of log lines, empty with another log driver."""

    name: str
    image: str
    ports: tuple[int, ...] = ()
    log: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that was seen. ``failed_units`` are systemd units that have failed; ``our_port_taken`` says that
    something listens on the port that the platform would take."""

    hostname: str = ""
    listeners: tuple[Listener, ...] = ()
    web: tuple[WebAnswer, ...] = ()
    postgresql: tuple[Database, ...] = ()
    redis: tuple[Database, ...] = ()
    logs: tuple[SeenLog, ...] = ()
    containers: tuple[Container, ...] = ()
    systemd: bool = False
    failed_units: tuple[str, ...] = ()
    our_port_taken: bool = False
    unreadable: tuple[str, ...] = ()
