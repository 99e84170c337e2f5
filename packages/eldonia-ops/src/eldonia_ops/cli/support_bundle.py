"""``eldonia-ops support-bundle``: what others need to see of a platform, without its secrets."""

import io
import json
import os
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from eldonia_ops.cli.client import ApiError, Client, find_token
from eldonia_ops.cli.nearby import nearby
from eldonia_ops.cli.screen import Screen
from eldonia_ops.cli.session import DEFAULT, Token, Url
from eldonia_ops.model.errors import ConfigError, Diagnostic

if TYPE_CHECKING:
    from eldonia_ops.model.concealed import Concealed

_ANSWERS: Final = {
    "platform.json": "/platform",
    "overview.json": "/overview",
    "reload.json": "/reload",
    "targets.json": "/targets",
    "refusals.json": "/refusals",
    "integrations.json": "/alerts/integrations",
}
_MOST_LINES: Final = 2_000
_MOST_BYTES: Final = 4 << 20


def support_bundle(
    file: Annotated[Path | None, typer.Argument(help="Where to write it; default: a name with the time.")] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Settings; default: those in this folder.")
    ] = None,
    log: Annotated[Path | None, typer.Option("--log", help="The platform's own log, where it goes to a file.")] = None,
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Gather what is needed to look into a problem, as a tar.gz: look through it before you send it.

    Versions, doctor's findings, the effective settings and routing with secrets masked, own metrics, loops, targets,
    reload, the last lines of the log (systemd's journal, or --log). Names of hosts and services are in it; passwords,
    tokens and addresses of webhooks are not.
    """
    from eldonia_ops.cli.doctor.look import concealed_of, examine, read_settings

    target = file or Path(f"eldonia-ops-support-{time.strftime('%Y%m%d-%H%M%S')}.tar.gz")
    if not target.name.endswith((".tar.gz", ".tgz")):
        raise ConfigError(Diagnostic("a support bundle is a tar.gz", str(target), hint=f"name it {target.stem}.tar.gz"))
    if target.exists():
        raise ConfigError(Diagnostic("there is such a file already", str(target)))
    settings = read_settings(config)
    here = nearby()
    url = url or here.url
    secret = find_token(token, here.data, url)
    hidden = concealed_of(settings, config, secret)
    client = Client(url, secret, timeout_seconds=15)
    try:
        found = examine(config, url, token)
        parts = {
            "doctor.json": json.dumps([{**asdict(one), "gravity": one.gravity.name} for one in found], indent=2),
            **dict(_settings(settings)),
            **dict(_platform(client)),
            "log.txt": _log_lines(log),
        }
    finally:
        client.close()
    _write(target, {name: _clean(name, text, hidden) for name, text in parts.items()})
    Screen(stderr=True, soft_wrap=True).print(f"{target}: {', '.join(parts)}; look through it before you send it")


def _settings(settings: Any) -> Iterator[tuple[str, str]]:
    from eldonia_ops.cli.doctor.machine import versions
    from eldonia_ops.settings.show import effective_settings

    yield "versions.json", json.dumps(versions(), indent=2)
    yield "settings.yml", effective_settings(settings)


def _platform(client: Client) -> Iterator[tuple[str, str]]:
    for name, path in _ANSWERS.items():
        yield name, _answered(lambda path=path: json.dumps(client.get(path), indent=1))
    yield "routing.yml", _answered(lambda: str(client.get("/alerts/configuration")))
    yield "metrics.txt", _answered(lambda: client.get_page("/metrics"))


def _answered(ask: Callable[[], str]) -> str:
    """An answer, or why there is none."""
    try:
        return ask()
    except ApiError as error:
        return f"not answered: {error}\n"


def _log_lines(log: Path | None) -> str:
    """The last lines of a log file, else of the service in systemd's journal."""
    if log is not None:
        try:
            with log.open("rb") as file:
                file.seek(max(0, file.seek(0, io.SEEK_END) - _MOST_BYTES))
                lines = file.read(_MOST_BYTES).decode("utf-8", "replace").splitlines(keepends=True)
        except OSError as error:
            return f"{log}: {error.strerror}\n"
        return "".join(lines[-_MOST_LINES:])
    import subprocess

    command = ["journalctl", "--unit", "eldonia-ops.service", "--lines", str(_MOST_LINES), "--no-pager", "--quiet"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, stdin=subprocess.DEVNULL, check=False)  # noqa: S603 - words of ours
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no log: {error}\n"
    return done.stdout.decode("utf-8", "replace")[-_MOST_BYTES:] or "no log: name its file with --log\n"


def _clean(name: str, text: str, hidden: "Concealed") -> str:
    """A text without what the files say is secret, and without what looks like a secret by itself."""
    from eldonia_ops.lint.report import masked_line, masked_text

    shown = masked_line if name.endswith(".txt") else masked_text
    return "\n".join(shown(hidden.clean(line)) for line in text.split("\n"))


def _write(target: Path, parts: dict[str, str]) -> None:
    """The archive, readable by this user alone, under its name only when it is whole."""
    part = target.with_name(f"{target.name}.partial")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as tar:
            for name, text in parts.items():
                data = text.encode("utf-8", "replace")
                info = tarfile.TarInfo(f"eldonia-ops-support/{name}")
                info.size, info.mode, info.mtime = len(data), 0o600, int(time.time())
                tar.addfile(info, io.BytesIO(data))
        os.replace(part, target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ConfigError(Diagnostic(f"cannot be written: {error.strerror or error}", str(target))) from None
