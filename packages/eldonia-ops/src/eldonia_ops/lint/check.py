"""Checking files, each by itself and all together."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from eldonia_ops.lint.cross import cross_check
from eldonia_ops.lint.sources import Sources
from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.protocols.integration_kinds import IntegrationKinds


def check_files(
    paths: Iterable[str | Path],
    env: Mapping[str, str] | None = None,
    *,
    kinds: IntegrationKinds,
    prometheus: Path | None = None,
    taken: dict[str, tuple[str, ...]] | None = None,
) -> list[Diagnostic]:
    """Check files of every kind and how they fit together.

    A folder means the YAML files and templates in it. What an eldonia-ops.yml names (rule files,
    routing, runbook) and what a routing names (templates) is checked along. ``env`` is the environment for
    ``${NAME}``; a variable that is not set is a warning here, since the linter may well run where the
    secrets are not. ``kinds`` are the kinds of integrations that receivers may have; what is wrong with plug-ins is
    said too. ``prometheus`` is a prometheus.yml that is read along with the settings; what such files brought is put
    into ``taken``, in words by file.

    Returns the diagnostics by file and line; only those of level error keep the platform from starting.
    """
    env = env if env is not None else os.environ
    sources = Sources(
        env,
        kinds=kinds,
        missing=Level.WARNING,
        dashboards=Level.ERROR,
        shown=_shorter,
        prometheus=prometheus,
    )
    for path in sources.files.listed(paths):
        sources.read(path)
    sources.add_shipped()
    if taken is not None:
        taken.update(sources.taken)
    return all_diagnostics(sources)


def all_diagnostics(sources: Sources) -> list[Diagnostic]:
    """What is wrong with files, each by itself and all together, in the order of files and lines and without
    secrets."""
    raw = [*sources.diagnostics, *cross_check(sources.workspace)]
    found = sources.workspace.concealed.cleaned(raw)
    order = {path: index for index, path in enumerate(sources.files.texts)}
    return sorted(dict.fromkeys(found), key=lambda item: (order.get(item.file, -1), item.file, item.line, item.column))


def _shorter(path: str) -> str:
    """A path relative to the working folder where it lies below it: easier to read, and to click on."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
