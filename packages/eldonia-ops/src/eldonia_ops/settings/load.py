"""From eldonia-ops.yml to :class:`Settings`."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from eldonia_ops.incidents.policy import MINUTE
from eldonia_ops.model.errors import ConfigError, Diagnostic, Level
from eldonia_ops.model.places import FILE_NAME, default_data
from eldonia_ops.model.secret import Secret
from eldonia_ops.protocols.secret_keys import conceal_values
from eldonia_ops.protocols.text_file import read_text_file
from eldonia_ops.protocols.yaml_document import Problems, empty_mapping, load
from eldonia_ops.settings.collection import read_host, read_logs, read_postgresql, read_probes, read_scrape
from eldonia_ops.settings.expansion import expand
from eldonia_ops.settings.listen import Listen, parse_listen
from eldonia_ops.settings.reader import SettingsReader, Surroundings, is_url
from eldonia_ops.settings.response import (
    read_alertmanager,
    read_incidents,
    read_objectives,
    read_recovery,
    read_rules,
    read_security,
)
from eldonia_ops.settings.sections import DAY, SECOND, LimitSettings, Retention, Settings, StorageSettings, sqlite_state

LANGUAGES: Final = ("en", "ja")
TABLES: Final = ("single", "replicated", "distributed")
MAX_INSTANCE: Final = 1_023
_CLUSTER_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_SIZES: Final = {"request", "request_expanded", "log_line"}


def load_settings(path: Path | None, env: Mapping[str, str]) -> Settings:
    """Read settings from a file, or give the defaults when there is none (``path`` None).

    ``env`` is the environment, for ``${NAME}`` and for the folder of data
    (``XDG_DATA_HOME``, ``HOME``).

    Raises:
        ConfigError: with every fault found; among them that the file cannot be read.
    """
    if path is None:
        return parse_settings("", None, env)
    path = Path(os.path.abspath(path))
    return parse_settings(read_text_file(path), path, env)


def _read_text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def parse_settings(
    text: str,
    path: Path | None,
    env: Mapping[str, str],
    *,
    read_file: Callable[[Path], str] = _read_text,
    shown_as: str = "",
) -> Settings:
    """Read settings from a text. ``path`` is where it came from: relative paths start in its folder.

    ``read_file`` reads the files that ``*_file`` keys name; ``shown_as`` is what messages call the file.

    Raises:
        ConfigError: with every fault found.
    """
    settings, diagnostics = examine_settings(text, path, env, read_file=read_file, shown_as=shown_as)
    if any(item.level is Level.ERROR for item in diagnostics):
        raise ConfigError(diagnostics)
    return settings


def examine_settings(
    text: str,
    path: Path | None,
    env: Mapping[str, str],
    *,
    read_file: Callable[[Path], str] = _read_text,
    shown_as: str = "",
    missing: Level = Level.ERROR,
) -> tuple[Settings, list[Diagnostic]]:
    """Like :func:`parse_settings`, but gives what it could read beside every fault, in their order.

    ``missing`` is how grave an unset environment variable is: a linter may run where there are none.

    Raises:
        ConfigError: the text is not YAML.
    """
    name = shown_as or (str(path) if path is not None else FILE_NAME)
    problems = Problems(name)
    document = load(text, name, problems) or empty_mapping()
    conceal_values(document, problems.concealed)
    expand(document, env, problems, missing)
    unexpanded = list(problems.diagnostics)
    home = Path(env.get("HOME") or os.path.expanduser("~"))
    directory = path.parent if path is not None else Path.cwd()
    root = SettingsReader(
        document, problems, "the settings", Surroundings(directory, home, read_file, text.splitlines())
    )
    settings = _read(root, env, home, path)
    root.done()
    # A text that could not be expanded is also not a number, not a URL ...: to say so would not help.
    places = {(item.line, item.column) for item in unexpanded}
    others = [item for item in problems.diagnostics[len(unexpanded) :] if (item.line, item.column) not in places]
    problems.diagnostics = [*unexpanded, *others]
    return replace(settings, concealed=problems.concealed), problems.cleaned()


def _read(root: SettingsReader, env: Mapping[str, str], home: Path, path: Path | None) -> Settings:
    data = root.absolute("data") or default_data(env, home)
    probes = read_probes(root)
    host = read_host(root)
    return Settings(
        data=data,
        state=_state(root, data),
        file=path,
        listen=_listen(root),
        telemetry=_telemetry(root),
        storage=_storage(root),
        language=root.choice("language", LANGUAGES, "en"),
        external_url=root.url("external_url").rstrip("/"),
        retention=_retention(root),
        logs=read_logs(root),
        scrape=read_scrape(root, host),
        host=host,
        postgresql=read_postgresql(root),
        probes=probes,
        rules=read_rules(root),
        alertmanager=read_alertmanager(root),
        objectives=read_objectives(root, probes),
        security=read_security(root),
        incidents=read_incidents(root),
        recovery=read_recovery(root, probes),
        limits=_limits(root),
    )


def _listen(root: SettingsReader) -> Listen:
    default = Listen("127.0.0.1", 9600)
    text = root.string("listen", str(default))
    try:
        return parse_listen(text)
    except ValueError as error:
        root.fault("listen", "listen is not an address", str(error))
        return default


def _state(root: SettingsReader, data: Path) -> Secret:
    secret = root.secret("state")
    text = secret.reveal()
    if text in ("", "sqlite"):
        return sqlite_state(data)
    if text.startswith("sqlite:///"):
        return Secret(f"sqlite:///{root.around.path(text.removeprefix('sqlite:///'))}")
    if not text.startswith(("postgresql://", "postgres://")):
        hint = "write sqlite, sqlite:///path or postgresql://user:password@host/database"
        root.fault("state", "state is neither sqlite nor the URL of a PostgreSQL", hint)
        return sqlite_state(data)
    return Secret("postgresql://" + text.partition("://")[2])


def _telemetry(root: SettingsReader) -> Secret:
    return _clickhouse(root, "telemetry", "telemetry") or Secret("chdb")


def _clickhouse(reader: SettingsReader, key: str, what: str) -> Secret:
    """``chdb`` or the URL of a ClickHouse; empty when not given, or wrong."""
    secret = reader.secret(key)
    text = secret.reveal()
    if text in ("", "chdb") or is_url(text):
        return secret
    hint = "write chdb or http://user:password@host:8123/database"
    reader.fault(key, f"{what} is neither chdb nor the HTTP URL of a ClickHouse", hint)
    return Secret("")


def _storage(root: SettingsReader) -> StorageSettings:
    reader = root.section("storage")
    if reader is None:
        return StorageSettings()
    logs, metrics, traces = (
        _clickhouse(reader, f"{signal}_dsn", f"storage.{signal}_dsn") for signal in ("logs", "metrics", "traces")
    )
    tables = reader.choice("tables", TABLES, "single")
    cluster = reader.string("cluster")
    if cluster and not _CLUSTER_NAME.fullmatch(cluster):
        reader.fault("cluster", "storage.cluster has other characters than letters, digits and _.-")
    elif tables == "distributed" and not cluster:
        reader.fault("tables", "distributed tables need the name of their cluster", "write storage.cluster")
    elif tables == "single" and cluster:
        reader.fault("cluster", "the tables of a single server have no cluster", "write tables: replicated")
    instance = reader.integer("instance", 0, minimum=0)
    if instance > MAX_INSTANCE:
        reader.fault("instance", f"storage.instance is at most {MAX_INSTANCE}")
    reader.done()
    return StorageSettings(logs, metrics, traces, tables, cluster, instance)


def _retention(root: SettingsReader) -> Retention:
    reader = root.section("retention")
    if reader is None:
        return Retention()
    values = {field.name: reader.period(field.name, _default(field), minimum=MINUTE) for field in fields(Retention)}
    for name in ("logs", "traces", "metrics"):
        if reader.get(name) is not None and values[name] % DAY:
            # Data expires by days: what is asked for is rounded up.
            days = -(-values[name] // DAY)
            message = f"retention.{name} is kept in whole days: this one becomes {days}d"
            reader.problems.add(reader.get(name), message, "write whole days, such as 1d", Level.WARNING)
    reader.done()
    return Retention(**values)


def _limits(root: SettingsReader) -> LimitSettings:
    reader = root.section("limits")
    if reader is None:
        return LimitSettings()
    values: dict[str, int] = {}
    for field in fields(LimitSettings):
        default = _default(field)
        if field.name in _SIZES:
            values[field.name] = reader.size(field.name, default)
        elif field.name == "query_timeout":
            values[field.name] = reader.period(field.name, default, minimum=SECOND)
        else:
            values[field.name] = reader.integer(field.name, default, minimum=1)
    reader.done()
    return LimitSettings(**values)


def _default(field: Any) -> int:
    return int(field.default)
