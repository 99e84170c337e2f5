"""What a program is called by the people who run it, from its command line. Pure."""

import re
from pathlib import PurePath
from typing import Final

from eldonia_ops.discovery.facts import Program

_INTERPRETERS: Final = re.compile(r"(python|pypy|node|nodejs|java|ruby|perl|php|php-fpm|deno|bun|beam\.smp)[\d.]*")
_RUNNERS: Final = frozenset({"uvicorn", "gunicorn", "hypercorn", "daphne", "flask", "celery", "uwsgi", "npm", "puma"})
_USUAL: Final = frozenset({"main", "app", "server", "index", "wsgi", "asgi", "src", "__main__"})
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_MOST: Final = 60

NOT_HTTP: Final = frozenset(
    (
        *("sshd", "postgres", "postmaster", "redis-server", "valkey-server", "keydb-server", "mysqld", "mariadbd"),
        *("mongod", "memcached", "master", "exim4", "sendmail", "dovecot", "systemd-resolve", "systemd-resolved"),
        *("dnsmasq", "named", "unbound", "rpcbind", "rpc.statd", "rpc.mountd", "smbd", "nmbd", "chronyd", "ntpd"),
        *("cupsd", "proftpd", "vsftpd", "slapd", "rsync", "beam.smp", "epmd", "openvpn", "sssd"),
    )
)
"""Programs that take an HTTP request for an attack, or count it as an error."""

NOT_HTTP_PORTS: Final = frozenset(
    (
        *(21, 22, 23, 25, 53, 110, 111, 139, 143, 389, 445, 465, 587, 636, 993, 995, 1433, 1521, 2049, 3306, 3389),
        *(4369, 5432, 5433, 5672, 6379, 6380, 9092, 11211, 25672, 27017, 33060),
    )
)
"""Ports where something other than HTTP is spoken, for programs whose name cannot be seen."""


def speaks_http(program: Program, port: int) -> bool:
    """Whether an HTTP request does no harm there."""
    if program.name:
        return program.name not in NOT_HTTP
    return port not in NOT_HTTP_PORTS


def is_ours(program: Program) -> bool:
    """Whether it is this platform."""
    return any(PurePath(word).name in ("eldonia-ops", "eldonia_ops") for word in program.command[:4])


def service_of(program: Program) -> str:
    """The name for the label ``service``: that of the systemd unit, of a script or module, else of the program."""
    if program.unit.endswith(".service") and "@" not in program.unit and not program.unit.startswith("user"):
        return clean_name(program.unit.removesuffix(".service"))
    command = list(program.command)
    if not command:
        return clean_name(program.name)
    first = PurePath(command[0]).name
    if not (_INTERPRETERS.fullmatch(first) or first in _RUNNERS):
        return clean_name(program.name or first)
    return clean_name(_script(command[1:]) or program.name or first)


def _script(arguments: list[str]) -> str:
    """The script, module or application that an interpreter runs."""
    rest = iter(arguments)
    for argument in rest:
        if argument in ("-c", "-e"):
            return ""  # the text of a program follows
        if argument == "-jar":
            return PurePath(next(rest, "")).stem
        if argument == "-m":
            argument = next(rest, "")
        if argument.startswith("-") or PurePath(argument).name in _RUNNERS:
            continue
        return _named(argument)
    return ""


def _named(script: str) -> str:
    """The part of a path or module that says which application it is: main and app are what all call theirs."""
    module = PurePath(script).name.partition(":")[0].removesuffix(".py").removesuffix(".js")
    parts = [part for part in (*PurePath(script).parts[:-1], *module.split(".")) if part not in ("/", ".")]
    named = [part for part in parts if part not in _USUAL]
    return named[-1] if named else module


def clean_name(text: str) -> str:
    """A name without characters that have a meaning in settings, queries or on a terminal."""
    return _NOT_IN_NAMES.sub("-", text).strip("-")[:_MOST]
