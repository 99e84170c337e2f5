"""From eldonia-ops.yml to :class:`Settings`."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from eldonia_ops.model.errors import ConfigError, Diagnostic, Level
from eldonia_ops.model.places import FILE_NAME
from eldonia_ops.protocols.secret_keys import conceal_values
from eldonia_ops.protocols.text_file import read_text_file
from eldonia_ops.protocols.yaml_document import Problems, empty_mapping, load
from eldonia_ops.settings.document import Settings
from eldonia_ops.settings.expansion import expand
from eldonia_ops.settings.managed import MANAGED_FILE, ManagedText, join
from eldonia_ops.settings.objects import read_fields
from eldonia_ops.settings.prometheus_file import PrometheusText
from eldonia_ops.settings.reader import SettingsReader, Surroundings


def load_settings(path: Path | None, env: Mapping[str, str], data: Path | None = None) -> Settings:
    """Read settings from a file, or give the defaults when there is none (``path`` None); with what is managed by page
    in the data folder, which is ``data`` if that is given.

    ``env`` is the environment, for ``${NAME}`` and for the folder of data
    (``XDG_DATA_HOME``, ``HOME``).

    Raises:
        ConfigError: with every fault found; among them that the file cannot be read.
    """
    text = ""
    if path is not None:
        path = Path(os.path.abspath(path))
        text = read_text_file(path)
    settings = parse_settings(text, path, env)
    settings = settings if data is None else settings.with_data(data)
    managed = managed_text_of(settings)
    if managed is None:
        return settings
    found = parse_settings(text, path, env, managed=managed)
    return found if data is None else found.with_data(data)


def managed_text_of(settings: Settings) -> ManagedText | None:
    """The managed file that belongs to settings; None where it is switched off, is not there, or may not be read."""
    file = settings.data / MANAGED_FILE
    if not settings.managed or not os.path.isfile(file) or not os.access(file, os.R_OK):
        return None
    return ManagedText(str(file), read_text_file(file), settings.data)


def _read_text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def parse_settings(
    text: str,
    path: Path | None,
    env: Mapping[str, str],
    *,
    read_file: Callable[[Path], str] = _read_text,
    shown_as: str = "",
    managed: ManagedText | None = None,
) -> Settings:
    """Read settings from a text. ``path`` is where it came from: relative paths start in its folder.

    ``read_file`` reads the files that ``*_file`` keys name; ``shown_as`` is what messages call the file.

    Raises:
        ConfigError: with every fault found.
    """
    settings, diagnostics = examine_settings(text, path, env, read_file=read_file, shown_as=shown_as, managed=managed)
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
    managed: ManagedText | None = None,
    prometheus: PrometheusText | None = None,
) -> tuple[Settings, list[Diagnostic]]:
    """Like :func:`parse_settings`, but gives what it could read beside every fault, in their order.

    ``missing`` is how grave an unset environment variable is: a linter may run where there are none. ``managed`` is the
    file that the platform writes; it is joined to this one before anything is read, and so is ``prometheus``, a file of
    Prometheus.

    Raises:
        ConfigError: the text is not YAML, or one of the other texts is not.
    """
    name = shown_as or (str(path) if path is not None else FILE_NAME)
    problems = Problems(name)
    document = load(text, name, problems) or empty_mapping()
    directory = path.parent if path is not None else Path.cwd()
    document, parts = join(document, managed, problems, directory, prometheus)
    conceal_values(document, problems.concealed)
    expand(document, env, problems, missing)
    unexpanded = list(problems.diagnostics)
    home = Path(env.get("HOME") or os.path.expanduser("~"))
    around = Surroundings(directory, home, read_file, text.splitlines(), env)
    for one in (managed, prometheus):
        if one is not None:
            around.lines_of[one.file] = one.text.splitlines()
    root = SettingsReader(document, problems, "the settings", around)
    root.values = around.read
    settings = Settings(**read_fields(root, Settings), file=path, concealed=problems.concealed, parts=parts)
    root.done()
    # A text that could not be expanded is also not a number, not a URL ...: to say so would not help.
    places = {(item.file, item.line, item.column) for item in unexpanded}
    found = problems.diagnostics[len(unexpanded) :]
    others = [item for item in found if (item.file, item.line, item.column) not in places]
    problems.diagnostics = [*unexpanded, *others]
    return settings, problems.cleaned()
