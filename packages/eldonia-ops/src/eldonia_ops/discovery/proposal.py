"""From facts to entries of the settings, each with the reason for it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Final

from eldonia_ops.discovery.exporters import Exporter, exporter_of, is_ours
from eldonia_ops.discovery.facts import Access, Container, Database, Facts, SeenLog, WebAnswer
from eldonia_ops.discovery.log_files import literal, log_groups
from eldonia_ops.discovery.programs import clean_name, service_of

_TARGET: Final = 99.9
_OUR_PORT: Final = 9600
_OTHER_PORT: Final = 9601


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of a section: what it says, why it is there, and the ``step`` that it waits for.

    An entry with a step is written as a comment: it holds only after a person has done something. Lines of a step are
    ours alone; ``why`` may quote others.
    """

    values: Mapping[str, Any]
    why: str
    step: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Entries by the key of their section, in the order in which they are written, and remarks for the reader."""

    sections: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def active(self) -> int:
        """How many entries hold at once."""
        return sum(not entry.step for entries in self.sections.values() for entry in entries)


def propose(facts: Facts) -> Proposal:
    """The settings that fit what was seen. What was not verified is a commented entry with its step."""
    names = _Names()
    jobs = [(web, exporter_of(web.metrics, web.listener.port)) for web in facts.web if not is_ours(web.metrics)]
    scraped = {exporter.job for web, exporter in jobs if web.metrics and exporter is not None}
    found: dict[str, tuple[Entry, ...]] = {
        "listen": tuple(_listen(facts)),
        "host": tuple(_host(scraped)),
        "scrape": tuple(_scrapes(jobs, facts, names)),
        "nginx": tuple(_nginx(facts, scraped)),
        "postgresql": tuple(_postgresql(facts.postgresql, scraped)),
        "redis": tuple(_redis(facts.redis, scraped)),
        "probes": tuple(_probes(facts, names)),
        "objectives": tuple(_objectives(facts, names)),
        "logs": tuple(_logs(facts.logs, facts.containers)),
        "recovery": tuple(_recovery(facts, names)),
    }
    return Proposal({key: entries for key, entries in found.items() if entries}, tuple(_remarks(facts)))


class _Names:
    """Names for entries, each given once."""

    def __init__(self) -> None:
        self.jobs: set[str] = set()
        self.probes: dict[str, WebAnswer] = {}

    def job(self, wanted: str, port: int) -> str:
        """A job of this name; with the port where another has it."""
        name = wanted or f"port-{port}"
        name = name if name not in self.jobs else f"{name}-{port}"
        self.jobs.add(name)
        return name

    def probe(self, web: WebAnswer, wanted: str) -> str:
        """The same for a probe."""
        name = wanted or f"port-{web.listener.port}"
        name = name if name not in self.probes else f"{name}-{web.listener.port}"
        self.probes[name] = web
        return name


def _service(web: WebAnswer, containers: tuple[Container, ...]) -> str:
    for container in containers:
        if web.listener.port in container.ports:
            return clean_name(container.name)
    return service_of(web.listener.program)


def _listen(facts: Facts) -> Iterator[Entry]:
    if facts.our_port_taken:
        yield Entry({"listen": f"127.0.0.1:{_OTHER_PORT}"}, f"another program listens on the usual port {_OUR_PORT}")


def _host(scraped: set[str]) -> Iterator[Entry]:
    if "node" in scraped:
        yield Entry({"enabled": False}, "node_exporter below has the same metrics and more")
    else:
        yield Entry({"enabled": True}, "CPU, memory, disks and network of this machine are read by the platform itself")


def _scrapes(jobs: list[tuple[WebAnswer, Exporter | None]], facts: Facts, names: _Names) -> Iterator[Entry]:
    for web, exporter in jobs:
        where = web.listener
        service = _service(web, facts.containers)
        if web.metrics:
            title = exporter.title if exporter else f"{service or 'a program'} shows metrics of its own"
            values: dict[str, Any] = {
                "job": names.job(exporter.job if exporter else service, where.port),
                "targets": [where.address],
            }
            if exporter is None and service:
                values["labels"] = {"service": service}
            yield Entry(values, f"{title}; /metrics gave {_many(len(web.metrics), 'metric')}")
        elif web.metrics_status in (401, 403):
            values = {
                "job": names.job(service, where.port),
                "targets": [where.address],
                "basic_auth": {"username": "eldonia-ops", "password": "${METRICS_PASSWORD}"},
            }
            step = "put in its user and password, or write bearer_token: in their place"
            yield Entry(values, f"/metrics of {service or where.address} asks who we are", step)


def _nginx(facts: Facts, scraped: set[str]) -> Iterator[Entry]:
    servers = [web for web in facts.web if web.listener.program.name == "nginx"]
    pages = [web for web in facts.web if web.stub_status]
    if "nginx" in scraped:
        return
    for web in pages:
        yield Entry({"url": f"http://{web.listener.address}{web.stub_status}"}, "nginx answers with its stub_status")
    if servers and not pages:
        step = (
            "add to a server of nginx that listens on 127.0.0.1:\n"
            "location = /nginx_status { stub_status; allow 127.0.0.1; deny all; }"
        )
        url = f"http://{servers[0].listener.address}/nginx_status"
        yield Entry({"url": url}, "nginx runs, and no page of stub_status was found", step)


def _postgresql(found: tuple[Database, ...], scraped: set[str]) -> Iterator[Entry]:
    if "postgresql" in scraped:
        return
    for one in found:
        values = {"dsn": literal(one.place), "instance": literal(one.instance)}
        if one.access is Access.OPEN:
            less = "" if one.full else "; for all numbers: GRANT pg_monitor TO this user"
            yield Entry(values, f"it let us in without a password{less}")
            continue
        values["dsn"] = values["dsn"].replace("postgresql://", "postgresql://eldonia:${POSTGRES_PASSWORD}@", 1)
        if one.access is Access.NO_DRIVER:
            yield Entry(values, "PostgreSQL runs", "pip install 'eldonia-ops[postgresql]', then run init again")
        else:
            step = (
                "export POSTGRES_PASSWORD, and in psql:\n"
                "CREATE ROLE eldonia LOGIN PASSWORD '...'; GRANT pg_monitor TO eldonia;"
            )
            yield Entry(values, f"PostgreSQL runs and did not let us in: {one.why}", step)


def _redis(found: tuple[Database, ...], scraped: set[str]) -> Iterator[Entry]:
    if "redis" in scraped:
        return
    for one in found:
        if one.access is Access.OPEN:
            yield Entry({"url": one.place}, "it answered PING without a password")
        elif one.access is Access.NO_DRIVER:
            yield Entry({"url": one.place}, "Redis runs", "pip install 'eldonia-ops[redis]', then run init again")
        elif one.access is Access.PASSWORD:
            yield Entry(
                {"url": one.place, "password": "${REDIS_PASSWORD}"},
                "Redis asks for a password",
                "export REDIS_PASSWORD",
            )


def _probes(facts: Facts, names: _Names) -> Iterator[Entry]:
    for web in facts.web:
        service = _service(web, facts.containers)
        if not web.path or is_ours(web.metrics) or exporter_of(web.metrics, web.listener.port) is not None:
            continue  # an exporter that is scraped says by `up` whether it answers
        name = names.probe(web, service)
        values = {"name": name, "url": f"http://{web.listener.address}{web.path}", "service": service or name}
        yield Entry(values, f"it answered 200 at {web.path}")


def _objectives(facts: Facts, names: _Names) -> Iterator[Entry]:
    """An objective for each address that is looked at from outside, of the same service as its probe."""
    for probe, web in names.probes.items():
        service = _service(web, facts.containers) or probe
        values = {"name": f"{probe}-availability", "service": service, "target": _TARGET, "probe": probe}
        yield Entry(values, f"{web.listener.address} is looked at; {_TARGET} % allow 43 minutes of 30 days without it")


def _logs(found: tuple[SeenLog, ...], containers: tuple[Container, ...]) -> Iterator[Entry]:
    for group in log_groups(found):
        values = {"path": group.path, "service": group.service, "format": "auto"}
        if group.readable:
            yield Entry(values, group.why)
        else:
            step = "let the user of the platform read it: usermod -aG adm USER, or setfacl -m u:USER:r FILE"
            yield Entry(values, f"{group.why}; this user may not read it", step)
    logged = [container for container in containers if container.log]
    if logged:
        folder = PurePath(logged[0].log).parent.parent
        yield Entry(
            {"path": f"{literal(str(folder))}/*/*-json.log", "service": "docker", "format": "auto"},
            f"docker keeps the output of {_many(len(logged), 'container')} there",
            "run the platform as a user who may read it (root), or send logs by OTLP",
        )


def _recovery(facts: Facts, names: _Names) -> Iterator[Entry]:
    for name, web in names.probes.items():
        if (unit := web.listener.program.unit).endswith(".service"):
            values = {"service": name, "probe": name, "action": {"systemd": literal(unit)}}
            yield Entry(values, f"{unit} could be restarted when the probe fails", "decide whether you want that")
        for container in facts.containers:
            if web.listener.port in container.ports:
                values = {"service": name, "probe": name, "action": {"docker": literal(container.name)}}
                yield Entry(values, "the container could be restarted", "decide whether you want that")


def _remarks(facts: Facts) -> Iterator[str]:
    for text in facts.unreadable:
        yield f"not seen: {text}"
    for unit in facts.failed_units:
        yield f"systemd says that {unit} has failed"
    if facts.systemd and not any(PurePath(log.path).name in ("syslog", "messages") for log in facts.logs):
        yield "what goes to systemd's journal alone is not read; rsyslog writes it to /var/log/syslog"


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
