"""Which log files belong together, and whose they are. Pure."""

import glob
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from eldonia_ops.discovery.facts import SeenLog
from eldonia_ops.discovery.programs import clean_name, service_of

_SYSTEM: Final = {
    "syslog": "what programs of this machine say to syslog",
    "messages": "what programs of this machine say to syslog",
    "kern.log": "the kernel",
    "auth.log": "sign-ins",
    "secure": "sign-ins",
    "mail.log": "mail",
    "cron.log": "cron",
    "daemon.log": "daemons",
}
_UNNAMED: Final = "logs"
_FOLDER: Final = "/var/log"
_LEFT_OUT: Final = frozenset(
    (
        *("alternatives.log", "bootstrap.log", "dpkg.log", "fontconfig.log"),
        *("wtmp", "btmp", "lastlog", "faillog", "tallylog", "README"),
    )
)
_LEFT_OUT_FOLDERS: Final = frozenset(
    ("apt", "installer", "journal", "private", "sysstat", "eldonia-ops", "unattended-upgrades")
)


@dataclass(frozen=True, slots=True)
class LogGroup:
    """Files that one pattern finds, and whose they are."""

    path: str
    service: str
    why: str
    readable: bool


def is_left_out(path: str, root: str = _FOLDER) -> bool:
    """Whether a file below the folder of logs says nothing about a service: accounts of sign-ins, package tools."""
    place = PurePath(path)
    below = place.parts[len(PurePath(root).parts) : -1] if place.is_relative_to(root) else ()
    return place.name in _LEFT_OUT or any(part in _LEFT_OUT_FOLDERS for part in below)


def log_groups(found: Iterable[SeenLog]) -> list[LogGroup]:
    """One group for each folder and readability; files of the system's own are groups by themselves."""
    groups: dict[tuple[str, str, bool], list[SeenLog]] = {}
    for log in sorted(found, key=lambda one: one.path):
        if is_left_out(log.path):
            continue
        place = PurePath(log.path)
        key = log.path if place.name in _SYSTEM else str(place.parent)
        groups.setdefault((key, _service(log), log.readable), []).append(log)
    taken = [key for key, _, _ in groups]
    made: list[LogGroup] = []
    for (key, service, readable), logs in groups.items():
        names = [PurePath(log.path).name for log in logs]
        # A pattern for the folder of all logs would find those that are left out.
        alone = len(logs) == 1 or taken.count(key) > 1 or key == _FOLDER
        if key in (log.path for log in logs):
            made.append(LogGroup(_pattern(key), service, _SYSTEM[names[0]], readable))
        elif alone:
            made += [LogGroup(_pattern(log.path), service, f"written to by {service}", readable) for log in logs]
        else:
            said = f"{', '.join(names[:3])}{' …' if len(names) > 3 else ''}, written to lately"
            suffix = "*.log" if all(name.endswith(".log") for name in names) else "*"
            made.append(LogGroup(f"{_pattern(key)}/{suffix}", service, said, readable))
    return list({one.path: one for one in reversed(made)}.values())[::-1]


def literal(text: str) -> str:
    """The text as the settings have to write it, so that nothing of it is taken for a variable."""
    return text.replace("${", "$${")


def _pattern(path: str) -> str:
    """The pattern, as the settings read it, that finds this path alone."""
    return literal(glob.escape(path))


def _service(log: SeenLog) -> str:
    """Who writes it: the folder below /var/log says it where there is one, else the program that has it open."""
    place = PurePath(log.path)
    if place.name in _SYSTEM:
        return "system"
    if place.parent.parent == PurePath(_FOLDER):
        return clean_name(place.parent.name) or _UNNAMED
    # rsyslog and journald write for others.
    program = service_of(log.program)
    if program and program not in ("rsyslog", "rsyslogd", "systemd-journald"):
        return program
    return clean_name(place.stem) or _UNNAMED
