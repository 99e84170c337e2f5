"""The one reading of what people write: every file once, each kind by its own reader, with all that is wrong.

``check``, the start of the platform and a reload read through :class:`Sources`, so that they cannot disagree.
"""

import glob
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Final

from eldonia_ops.incidents.runbook import Runbook
from eldonia_ops.lint.files import Files
from eldonia_ops.lint.kinds import FileKind, kind_of
from eldonia_ops.lint.pipeline import pipeline_of
from eldonia_ops.lint.rules import check_rules
from eldonia_ops.lint.workspace import SHIPPED, Workspace
from eldonia_ops.model.errors import ConfigError, Diagnostic, Level
from eldonia_ops.model.places import FILE_NAME
from eldonia_ops.protocols.alertmanager.additions import Added
from eldonia_ops.protocols.alertmanager.config import AlertmanagerConfig, examine_alertmanager_config
from eldonia_ops.protocols.dashboard_file import examine_dashboard
from eldonia_ops.protocols.integration_kinds import IntegrationKinds
from eldonia_ops.protocols.prometheus.rules import examine_rule_file, examine_rules
from eldonia_ops.protocols.runbook_file import parse_runbook
from eldonia_ops.settings import Settings, examine_settings
from eldonia_ops.settings.managed import MANAGED_FILE, NO_PARTS, ManagedText, Parts
from eldonia_ops.settings.prometheus_file import PrometheusText
from eldonia_ops.template import TemplateError, TemplateSet

_GLOB: Final = set("*?[")

Override = Callable[[Settings], Settings]
"""What the command line says against the settings: data folder, listen address."""


def _as_they_are(settings: Settings) -> Settings:
    return settings


_MOST_DASHBOARDS: Final = 1_000
_DASHBOARD_SUFFIXES: Final = (".yml", ".yaml", ".json")


def dashboard_paths(pattern: str) -> list[str]:
    """The files that an entry of ``dashboards.files`` means: those of a glob, and all below a folder."""
    found: list[str] = []
    for path in sorted(glob.glob(pattern, recursive=True)):
        if os.path.isdir(path):
            found += (
                os.path.join(folder, name)
                for folder, folders, names in os.walk(path)
                for name in (folders.sort() or sorted(names))
                if name.endswith(_DASHBOARD_SUFFIXES) and not name.startswith(".")
            )
        elif os.path.isfile(path):
            found.append(path)
        if len(found) >= _MOST_DASHBOARDS:
            break
    return found[:_MOST_DASHBOARDS]


class Sources:
    """Files that were read, what they hold as far as it could be read, and every fault.

    ``kinds`` are the kinds of integrations that receivers may have; what is wrong with plug-ins is a fault too.
    ``dashboards`` is how grave a fault of a dashboard is: a platform starts without it.
    ``missing`` is how grave an unset environment variable is. ``shown`` gives the name by which a file that another
    file names is known here; paths that are given to :meth:`read` stay as they are. ``managed`` is read in the place of
    what the managed file holds: a change to it is checked before it is written. ``prometheus`` is a prometheus.yml that
    is read along with the settings; ``taken`` says what such files brought.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        *,
        kinds: IntegrationKinds,
        missing: Level = Level.ERROR,
        dashboards: Level = Level.WARNING,
        shown: Callable[[str], str] = lambda path: path,
        managed: str | None = None,
        prometheus: Path | None = None,
    ) -> None:
        self.files = Files()
        self.workspace = Workspace(self.files.texts)
        self.routings: dict[str, AlertmanagerConfig] = {}
        self.runbooks: dict[str, Runbook] = {}
        self._env = env
        self._kinds = kinds
        self._missing = missing
        self._of_dashboards = dashboards
        self._shown = shown
        self._managed = managed
        self._prometheus = prometheus
        self.taken: dict[str, tuple[str, ...]] = {}
        self._added: dict[str, Parts] = {}
        self._found: list[Diagnostic] = []
        self._names: dict[str, str] = {}
        self._read: set[tuple[str, FileKind]] = set()

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Everything that is wrong with single files. It may hold secrets until ``workspace.concealed`` cleans it."""
        return [*self._kinds.faults, *self.files.diagnostics, *self._found]

    def name_of(self, path: str | Path) -> str:
        """The name under which a file that was read is known: the first of those that lead to it."""
        return self._names.get(os.path.realpath(path), str(path))

    def read(self, path: str, kind: FileKind | None = None) -> None:
        """Read one file, and those that it names; ``kind`` says what it is meant to be, where another file names it as
        such."""
        path = self._names.setdefault(os.path.realpath(path), path)
        text = self.files.read(path)
        if text is None:
            return
        kind = kind or kind_of(path, text)
        if (path, kind) in self._read:
            return
        self._read.add((path, kind))
        try:
            match kind:
                case FileKind.SETTINGS:
                    self._settings(path, text)
                case FileKind.RULES:
                    self._rules(path, text)
                case FileKind.ROUTING:
                    self._routing(path, text)
                case FileKind.TEMPLATE:
                    self._template(path, text)
                case FileKind.DASHBOARD:
                    self._dashboard(path, text)
                case FileKind.RUNBOOK:
                    self.runbooks[path] = parse_runbook(text, path)
                case FileKind.PROMETHEUS:
                    self._from_prometheus(path, text)
                case FileKind.UNKNOWN:
                    hint = "known are eldonia-ops.yml, rule files, alertmanager.yml, runbooks, dashboards and *.tmpl"
                    self._note(Diagnostic("not a kind of file that this program reads", path, hint=hint))
        except ConfigError as error:
            self._found += error.diagnostics

    def examine(self, path: str | None, override: Override = _as_they_are) -> Settings | None:
        """The settings of a file (None: the defaults), without what they name; None when it could not be read at all.

        ``override`` has the last word on them; among it, on where data and so the managed file lie.
        """
        text: str | None = ""
        if path is not None:
            self._names[os.path.realpath(path)] = path
            text = self.files.read(path)
        if text is None:
            return None
        try:
            return override(self._examined(path, text, override))
        except ConfigError as error:
            self._found += error.diagnostics
            return None

    def follow(self, name: str, settings: Settings) -> None:
        """Read what settings name; ``name`` is what messages call their file."""
        self.workspace.settings[name] = settings
        self.workspace.concealed.include(settings.concealed)
        parts = settings.parts
        if parts.alerts:
            examined = examine_rules(parts.alerts, parts.text, parts.file)
            self.workspace.rules[parts.file] = examined.groups
            self._found += [*examined.diagnostics, *check_rules(examined, parts.text, parts.file)]
        routing = settings.alertmanager.file
        self._added[SHIPPED if routing is None else os.path.realpath(routing)] = parts
        self._rule_files(name, settings)
        self._dashboard_files(name, settings)
        self._pipeline(name, settings)
        self._named(name, settings.alertmanager.file, FileKind.ROUTING, ("alertmanager", "file"))
        self._named(name, settings.incidents.runbook, FileKind.RUNBOOK, ("incidents", "runbook"))

    def _pipeline(self, name: str, settings: Settings) -> None:
        """What is wrong with the log pipeline that settings describe or name."""
        if not settings.pipeline.used:
            return
        own = str(settings.file) if settings.file is not None else name
        for found in pipeline_of(settings, self._env).problems:
            shown = name if found.file in ("", own) else self._shown(found.file)
            self._note(replace(found, file=shown))

    def add_shipped(self) -> None:
        """Put in place what the platform ships, where the settings do not replace it."""
        for settings in self.workspace.settings.values():
            if settings.alertmanager.file is None and SHIPPED not in self.workspace.routings:
                with resources.as_file(resources.files("eldonia_ops") / "defaults") as folder:
                    files, path = Files(), str(folder / "alertmanager.yml")
                    config, diagnostics = examine_alertmanager_config(
                        files.read(path) or "",
                        path,
                        kinds=self._kinds,
                        read_templates=files.matching,
                        environment=self._env,
                        added=Added(settings.parts.receivers, in_place=True),
                    )
                # What is wrong with the shipped file is said by cross_check, in the words of its user.
                self._found += [one for one in diagnostics if one.file == settings.parts.file]
                self.routings[SHIPPED] = config
                self.workspace.routings[SHIPPED] = config.routing
                self.workspace.concealed.include(config.concealed)

    def _note(self, diagnostic: Diagnostic) -> None:
        self._found.append(diagnostic)

    def _from_prometheus(self, path: str, text: str) -> None:
        """Check a prometheus.yml by itself, as if it were what a platform is started with."""
        prometheus = PrometheusText(path, text, Path(os.path.abspath(path)).parent)
        settings, diagnostics = examine_settings(
            "", None, self._env, shown_as=path, missing=self._missing, prometheus=prometheus
        )
        self._found += diagnostics
        self.taken[path] = settings.parts.taken
        self.follow(path, settings)

    def _prometheus_text(self) -> PrometheusText | None:
        if self._prometheus is None:
            return None
        shown = self._shown(os.path.abspath(self._prometheus))
        text = self.files.read(shown)
        return None if text is None else PrometheusText(shown, text, Path(os.path.abspath(shown)).parent)

    def _examined(self, path: str | None, text: str, override: Override = _as_they_are) -> Settings:
        absolute = None if path is None else Path(os.path.abspath(path))

        prometheus = self._prometheus_text()

        def read(managed: ManagedText | None) -> tuple[Settings, list[Diagnostic]]:
            return examine_settings(
                text,
                absolute,
                self._env,
                shown_as=path or FILE_NAME,
                missing=self._missing,
                managed=managed,
                prometheus=prometheus,
            )

        # Where the managed file lies follows from the settings themselves.
        settings, diagnostics = read(None)
        managed = self._managed_text(override(settings))
        if managed is not None:
            settings, diagnostics = read(managed)
        self._found += diagnostics
        return settings

    def _managed_text(self, settings: Settings) -> ManagedText | None:
        if not settings.managed:
            return None
        file = settings.data / MANAGED_FILE
        shown = self._shown(str(file))
        if self._managed is not None:
            self.files.texts[shown] = self._managed
            return ManagedText(shown, self._managed, settings.data)
        if not os.path.isfile(file):
            return None
        if self._missing is Level.WARNING and not os.access(file, os.R_OK):
            message = "this user may not read what the platform manages; it is left out here"
            self._note(Diagnostic(message, shown, hint="run check as the user of the platform", level=Level.WARNING))
            return None
        found = self.files.read(shown)
        return None if found is None else ManagedText(shown, found, settings.data)

    def _settings(self, path: str, text: str) -> None:
        self.follow(path, self._examined(path, text))

    def _rule_files(self, path: str, settings: Settings) -> None:
        for index, pattern in enumerate(settings.rules.files):
            found = sorted(glob.glob(pattern, recursive=True))
            for file in found:
                self.read(self._shown(file), FileKind.RULES)
            if not found:
                is_glob = bool(_GLOB & set(pattern))
                message = f"no rule file matches {pattern}" if is_glob else f"there is no rule file {pattern}"
                level = Level.WARNING if is_glob else Level.ERROR
                if (place := settings.parts.rule_files.get(pattern)) is not None:
                    # Prometheus starts all the same.
                    self._note(Diagnostic(message, *place, level=Level.WARNING))
                else:
                    self._note(self.workspace.at(path, message, ("rules", "files", index), level=level))

    def _dashboard_files(self, path: str, settings: Settings) -> None:
        for index, pattern in enumerate(settings.dashboards.files):
            found = dashboard_paths(pattern)
            for file in found:
                self.read(self._shown(file), FileKind.DASHBOARD)
            if not found:
                message = f"no file of a dashboard matches {pattern}"
                self._note(self.workspace.at(path, message, ("dashboards", "files", index), level=Level.WARNING))

    def _dashboard(self, path: str, text: str) -> None:
        found, diagnostics = examine_dashboard(text, path)
        if found is not None:
            self.workspace.dashboards[path] = found
        for one in diagnostics:
            grave = one.level is Level.ERROR
            self._note(replace(one, level=self._of_dashboards) if grave else one)

    def _named(self, path: str, file: Path | None, kind: FileKind, steps: tuple[str, ...]) -> None:
        if file is None:
            return
        if file.is_file():
            self.read(self._shown(str(file)), kind)
        else:
            self._note(self.workspace.at(path, f"there is no file {file}", steps))

    def _rules(self, path: str, text: str) -> None:
        examined = examine_rule_file(text, path)
        self.workspace.rules[path] = examined.groups
        self._found += [*examined.diagnostics, *check_rules(examined, text, path)]

    def _routing(self, path: str, text: str) -> None:
        # The file's own templates are relative to it, and are checked in their own files.
        config, diagnostics = examine_alertmanager_config(
            text,
            path,
            kinds=self._kinds,
            read_templates=self.files.matching,
            environment=self._env,
            added=Added(self._added.get(os.path.realpath(path), NO_PARTS).receivers),
        )
        self._found += diagnostics
        self.routings[path] = config
        self.workspace.routings[path] = config.routing
        self.workspace.concealed.include(config.concealed)

    def _template(self, path: str, text: str) -> None:
        try:
            TemplateSet().add(text, path)
        except TemplateError as error:
            self._note(Diagnostic(error.message, path, error.line, error.column))
