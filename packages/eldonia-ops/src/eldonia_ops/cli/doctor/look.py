"""Brings facts and judgements together: what ``doctor`` shows and a support bundle holds."""

import os
import time
from pathlib import Path

from eldonia_ops import __version__
from eldonia_ops.cli.client import Client, find_token
from eldonia_ops.cli.doctor import machine, platform_facts
from eldonia_ops.cli.doctor.findings import Finding
from eldonia_ops.cli.doctor.judge_machine import judge_machine
from eldonia_ops.cli.doctor.judge_platform import judge_files, judge_platform
from eldonia_ops.cli.nearby import settings_here
from eldonia_ops.lint import check_files
from eldonia_ops.lint.sources import Sources
from eldonia_ops.model.concealed import Concealed
from eldonia_ops.model.errors import ConfigError, Level
from eldonia_ops.notifiers.registry import installed
from eldonia_ops.protocols.secret_keys import SECRET_KEY, conceal_values
from eldonia_ops.protocols.text_file import read_text_file
from eldonia_ops.protocols.yaml_document import Problems, empty_mapping, load
from eldonia_ops.settings import Settings, examine_settings, managed_text_of, parse_settings


def read_settings(config: Path | None) -> Settings:
    """The settings as far as they can be read; the defaults without a file, or with one that cannot be read."""
    file = settings_here(config)
    if file is None:
        return parse_settings("", None, os.environ)
    try:
        text = read_text_file(file)
        settings = examine_settings(text, file, os.environ, missing=Level.WARNING)[0]
        if (managed := managed_text_of(settings)) is not None:
            settings = examine_settings(text, file, os.environ, missing=Level.WARNING, managed=managed)[0]
        return settings
    except ConfigError:  # the linter says why
        return parse_settings("", None, os.environ)


def examine(config: Path | None, url: str, token: str) -> list[Finding]:
    """Every finding, the gravest first."""
    file = settings_here(config)
    settings = read_settings(config)
    found: list[Finding] = []
    if file is not None:
        found += judge_files(check_files([file], os.environ, kinds=installed()), str(file))
    facts = machine.look(settings.data, _addresses(settings), _secret_files(settings, file))
    found += judge_machine(facts)
    host = settings.listen.host
    host = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host  # noqa: S104
    url = url or f"http://{host}:{settings.listen.port}"
    client = Client(url, find_token(token, settings.data, url), timeout_seconds=10)
    try:
        answers = platform_facts.ask(client)
    finally:
        client.close()
    found += judge_platform(
        answers,
        version=__version__,
        now_ms=time.time_ns() // 1_000_000,
        held_by=facts.process.pid if facts.process else 0,
    )
    return sorted(found, key=lambda one: one.gravity)


def concealed_of(settings: Settings, config: Path | None, *secrets: str) -> Concealed:
    """What no text about this platform may show: every secret of the settings and of the files that they name."""
    hidden = Concealed(settings.concealed)
    sources = Sources(os.environ, kinds=installed(), missing=Level.WARNING)
    if (file := settings_here(config)) is not None:
        sources.read(str(file))
    hidden.include(sources.workspace.concealed)
    for secret in secrets:
        hidden.add(secret)
    for name, value in os.environ.items():
        if SECRET_KEY.search(name):
            hidden.add(value)
    return hidden.with_parts()


def _addresses(settings: Settings) -> dict[str, tuple[str, int]]:
    places = {"pages": settings.listen, **{name: one.listen for name, one in settings.listeners.items()}}
    return {name: (place.host, place.port) for name, place in places.items()}


def _secret_files(settings: Settings, file: Path | None) -> dict[Path, str]:
    """Files whose contents are secret: the settings and the routing when secrets are written in them, and keys."""
    found: dict[Path, str] = {}
    for path in (file, settings.alertmanager.file):
        if path is not None and _holds_secrets(path):
            found[path] = machine.SECRETS
    for one in settings.listeners.values():
        if one.key_file is not None:
            found[one.key_file] = "a private key"
    return found


def _holds_secrets(path: Path) -> bool:
    """Whether secrets are written in a file, in place of variables or of the names of files."""
    try:
        text = read_text_file(path)
        concealed = Concealed()
        conceal_values(load(text, str(path), Problems(str(path))) or empty_mapping(), concealed)
    except ConfigError:
        return False
    return concealed.clean(text) != text
