"""Checking files, each by itself and all together."""

import glob
import os
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Final

from eldonia_ops.alerting.routing import Routing
from eldonia_ops.lint.cross import cross_check
from eldonia_ops.lint.files import Files
from eldonia_ops.lint.kinds import FileKind, kind_of
from eldonia_ops.lint.rules import check_rules
from eldonia_ops.lint.workspace import SHIPPED, Workspace
from eldonia_ops.model.errors import ConfigError, Diagnostic, Level
from eldonia_ops.protocols.alertmanager_config import examine_alertmanager_config, parse_alertmanager_config
from eldonia_ops.protocols.integration_kinds import IntegrationKinds
from eldonia_ops.protocols.prometheus_rules import examine_rule_file
from eldonia_ops.protocols.runbook_file import parse_runbook
from eldonia_ops.settings import Settings, examine_settings
from eldonia_ops.template import TemplateError, TemplateSet

_GLOB: Final = set("*?[")


def check_files(
    paths: Iterable[str | Path], env: Mapping[str, str] | None = None, *, kinds: IntegrationKinds
) -> list[Diagnostic]:
    """Check files of every kind and how they fit together.

    A folder stands for the YAML files and templates in it. What an eldonia-ops.yml names (rule files,
    routing, runbook) and what a routing names (templates) is checked along. ``env`` is the environment for
    ``${NAME}``; a variable that is not set is a warning here, since the linter may well run where the
    secrets are not. ``kinds`` are the kinds of integrations that receivers may have; what is wrong with plug-ins is
    said too.

    Returns the diagnostics by file and line; only those of level error keep the platform from starting.
    """
    checker = _Checker(env if env is not None else os.environ, kinds)
    for path in checker.files.listed(paths):
        checker.check(path)
    checker.check_shipped()
    raw = [*kinds.faults, *checker.files.diagnostics, *checker.diagnostics, *cross_check(checker.workspace)]
    found = checker.workspace.concealed.cleaned(raw)
    order = {path: index for index, path in enumerate(checker.files.texts)}
    return sorted(dict.fromkeys(found), key=lambda item: (order.get(item.file, -1), item.file, item.line, item.column))


class _Checker:
    def __init__(self, env: Mapping[str, str], kinds: IntegrationKinds) -> None:
        self.env = env
        self.kinds = kinds
        self.files = Files()
        self.diagnostics: list[Diagnostic] = []
        self.workspace = Workspace(self.files.texts)
        self._checked: set[str] = set()

    def check(self, path: str, kind: FileKind | None = None) -> None:
        """Check one file; ``kind`` says what it is meant to be, where another file names it as such."""
        identity = os.path.realpath(path)
        if identity in self._checked:
            return
        self._checked.add(identity)
        text = self.files.read(path)
        if text is None:
            return
        try:
            match kind or kind_of(path, text):
                case FileKind.SETTINGS:
                    self._settings(path, text)
                case FileKind.RULES:
                    self._rules(path, text)
                case FileKind.ROUTING:
                    self._routing(path, text)
                case FileKind.TEMPLATE:
                    self._template(path, text)
                case FileKind.RUNBOOK:
                    parse_runbook(text, path)
                case FileKind.PROMETHEUS:
                    hint = "its scrape_configs become scrape, its rule_files become rules.files in eldonia-ops.yml"
                    self._note(Diagnostic("a prometheus.yml is not checked", path, hint=hint, level=Level.WARNING))
                case FileKind.UNKNOWN:
                    hint = "known are eldonia-ops.yml, rule files, alertmanager.yml, runbooks and *.tmpl"
                    self._note(Diagnostic("not a kind of file that this program reads", path, hint=hint))
        except ConfigError as error:
            self.diagnostics += error.diagnostics

    def check_shipped(self) -> None:
        """Put in place what the platform ships, where the settings do not replace it."""
        for settings in self.workspace.settings.values():
            if settings.alertmanager.file is None and SHIPPED not in self.workspace.routings:
                self.workspace.routings[SHIPPED] = _shipped_routing(self.env, self.kinds)

    def _note(self, diagnostic: Diagnostic) -> None:
        self.diagnostics.append(diagnostic)

    def _settings(self, path: str, text: str) -> None:
        absolute = Path(os.path.abspath(path))
        settings, diagnostics = examine_settings(text, absolute, self.env, shown_as=path, missing=Level.WARNING)
        self.diagnostics += diagnostics
        self.workspace.settings[path] = settings
        self.workspace.concealed.include(settings.concealed)
        self._rule_files(path, settings)
        self._named(path, settings.alertmanager.file, FileKind.ROUTING, ("alertmanager", "file"))
        self._named(path, settings.incidents.runbook, FileKind.RUNBOOK, ("incidents", "runbook"))

    def _rule_files(self, path: str, settings: Settings) -> None:
        for index, pattern in enumerate(settings.rules.files):
            found = sorted(glob.glob(pattern, recursive=True))
            for file in found:
                self.check(_shorter(file), FileKind.RULES)
            if not found:
                is_glob = bool(_GLOB & set(pattern))
                message = f"no rule file matches {pattern}" if is_glob else f"there is no rule file {pattern}"
                level = Level.WARNING if is_glob else Level.ERROR
                self._note(self.workspace.at(path, message, ("rules", "files", index), level=level))

    def _named(self, path: str, file: Path | None, kind: FileKind, steps: tuple[str, ...]) -> None:
        if file is None:
            return
        if file.is_file():
            self.check(_shorter(str(file)), kind)
        else:
            self._note(self.workspace.at(path, f"there is no file {file}", steps))

    def _rules(self, path: str, text: str) -> None:
        examined = examine_rule_file(text, path)
        self.workspace.rules[path] = examined.groups
        self.diagnostics += [*examined.diagnostics, *check_rules(examined, text, path)]

    def _routing(self, path: str, text: str) -> None:
        # The file's own templates are relative to it, and are checked where they stand.
        config, diagnostics = examine_alertmanager_config(
            text, path, kinds=self.kinds, read_templates=self.files.matching, environment=self.env
        )
        self.diagnostics += diagnostics
        self.workspace.routings[path] = config.routing
        self.workspace.concealed.include(config.concealed)

    def _template(self, path: str, text: str) -> None:
        try:
            TemplateSet().add(text, path)
        except TemplateError as error:
            self._note(Diagnostic(error.message, path, error.line, error.column))


def _shorter(path: str) -> str:
    """A path relative to the working folder where it lies below it: easier to read, and to click on."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def _shipped_routing(env: Mapping[str, str], kinds: IntegrationKinds) -> Routing:
    with resources.as_file(resources.files("eldonia_ops") / "defaults") as folder:
        files, path = Files(), str(folder / "alertmanager.yml")
        return parse_alertmanager_config(
            files.read(path) or "", path, kinds=kinds, read_templates=files.matching, environment=env
        ).routing
