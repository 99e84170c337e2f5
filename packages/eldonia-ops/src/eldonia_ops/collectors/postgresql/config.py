"""The section ``postgresql`` of the settings."""

from dataclasses import dataclass
from typing import Annotated, Final

from eldonia_ops.model.labels import EMPTY, Labels
from eldonia_ops.model.secret import Secret
from eldonia_ops.settings.containers import Items, LabelSet
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import Period
from eldonia_ops.settings.reader import SettingsReader
from eldonia_ops.settings.texts import SecretText, Text
from eldonia_ops.settings.units import SECOND


@dataclass(frozen=True, slots=True)
class PostgresqlSettings:
    """A PostgreSQL whose activity is read."""

    dsn: Annotated[Secret, Setting(SecretText("DSN, a secret"), "How to connect.")]
    instance: Annotated[str, Setting(Text(), "Its label; without it host and port of the DSN.")] = ""
    interval: Annotated[int, Setting(Period(minimum=SECOND), "Time from one reading to the next.")] = 15 * SECOND
    service: Annotated[
        str, Setting(Text(), "The service that it is; without it the one of the same name under `services`.")
    ] = ""
    labels: Annotated[Labels, Setting(LabelSet(reserved=("job", "instance")), "Any but `job` and `instance`.")] = EMPTY


def check_postgresql(readers: list[SettingsReader], found: tuple[PostgresqlSettings, ...]) -> None:
    """Note DSNs of other databases, and servers that would be read twice."""
    for reader, one in zip(readers, found, strict=True):
        dsn = one.dsn.reveal()
        if "://" in dsn and not dsn.startswith(("postgresql://", "postgres://")):
            reader.fault("dsn", "dsn is not one of a PostgreSQL", "write postgresql://user:password@host/database")
    servers = [(reader, one.dsn.reveal()) for reader, one in zip(readers, found, strict=True) if not one.instance]
    for index, (reader, dsn) in enumerate(servers):
        if dsn and _server(dsn) in [_server(other) for _, other in servers[:index]]:
            # One entry sees every database of a server; two would write the same series in turns.
            reader.fault("dsn", "this server is listed already", "one entry is enough for all of its databases")


def _server(dsn: str) -> str:
    """What tells servers apart in a DSN, without its password: host and port of a URL, else the whole."""
    if not dsn.startswith(("postgresql://", "postgres://")):
        return dsn
    host = dsn.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2]
    return host if ":" in host.rpartition("]")[2] else f"{host}:5432"


SECTION: Final = Setting(
    Items(PostgresqlSettings, "instance", "databases", check_all=check_postgresql),
    "PostgreSQL servers whose activity is read.",
)
