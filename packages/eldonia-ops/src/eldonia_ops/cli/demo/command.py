"""``eldonia-ops demo``."""

import asyncio
import contextlib
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from eldonia_ops.cli.client import Client
from eldonia_ops.cli.demo.director import PERSON, Director, StageMissed
from eldonia_ops.cli.demo.display import Progress
from eldonia_ops.cli.demo.files import Ports, write_files
from eldonia_ops.cli.demo.observer import Observer
from eldonia_ops.cli.demo.processes import Process, free_port, wait_for_port
from eldonia_ops.cli.demo.stages import stages
from eldonia_ops.cli.screen import Screen
from eldonia_ops.cli.session import Language
from eldonia_ops.model.access import Role
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.model.plurals import counted

_START_SECONDS = 15.0
_STOP_SECONDS = 10.0


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the story: exit 0 if every stage was seen, else 1.")
    ] = False,
    kill: Annotated[
        bool, typer.Option("--kill", help="Also kill -9 the platform between detection and notification.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the temporary folder; otherwise it is removed at the end.")
    ] = False,
    language: Language = "en",
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Keep everything in this folder; default: a temporary one.")
    ] = None,
    port: Annotated[int, typer.Option("--port", help="Preferred port of the platform.")] = 9600,
) -> None:
    """Show a real outage: detected, paged, recovered, recorded.

    Starts the platform, an example shop, its payment gateway, customers, and a process that takes what
    Slack and PagerDuty would. Then the shop crashes, the gateway fails, and the login is attacked. A
    minute of the design lasts a second. Stays up until Ctrl-C, so that you can look around.
    """
    if importlib.util.find_spec("shop") is None:
        hint = "from a checkout: make install (or pip install ./examples/shop)"
        raise ConfigError(Diagnostic("the demonstration needs the example shop", hint=hint))
    # Ctrl-C and SIGTERM both end the demonstration in order.
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    folder = Path(os.path.abspath(directory)) if directory else Path(tempfile.mkdtemp(prefix="eldonia-demo-"))
    # Anything outdated in a folder that was named would make this run look at another's story.
    for old in ("data", "logs", "shop", "output", "received.jsonl"):
        path = folder / old
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    code = _play(folder, once=once, kill=kill, language=language, port=port)
    if directory is None and not keep and code == 0:
        shutil.rmtree(folder, ignore_errors=True)
        typer.echo(f"all processes have ended; {folder} is removed (--keep keeps it)")
    else:
        typer.echo(f"all processes have ended; everything that they wrote is still in {folder}")
    if code:
        typer.echo(f"what every process printed is in {folder}/output", err=True)
    raise typer.Exit(code)


def _play(folder: Path, *, once: bool, kill: bool, language: str, port: int) -> int:
    ports = Ports(free_port(port), free_port(3001), free_port(3002), free_port(3003))
    settings = write_files(folder, ports, language, kill=kill)
    (folder / "data").mkdir(parents=True, exist_ok=True, mode=0o700)
    tokens = asyncio.run(_prepare(folder / "data"))
    processes = _processes(folder, settings, ports, tokens["ingest"])
    out = Screen(file=sys.stdout)
    address = f"http://127.0.0.1:{ports.platform}"
    progress = Progress(stages(kill=kill), language)
    observer = Observer(Client(address, tokens["admin"], timeout_seconds=10), f"http://127.0.0.1:{ports.receiver}")
    person = Client(address, tokens["person"], timeout_seconds=10)
    code = 0
    try:
        for name in ("gateway", "receiver", "platform"):
            processes[name].start()
        for name, number in (("gateway", ports.gateway), ("receiver", ports.receiver)):
            if not wait_for_port(number, processes[name], _START_SECONDS):
                out.print(f"{name} did not start:\n{processes[name].last_words()}", style="red")
                return 1
        out.print(f"Eldonia Ops   {address}", style="bold")
        out.print(f"token         {tokens['admin']}")
        out.print(f"receiver      http://127.0.0.1:{ports.receiver}  (what Slack and PagerDuty would have got)")
        out.print(f"folder        {folder}\n")
        watched = {name: processes[name] for name in ("gateway", "receiver", "platform")}
        director = Director(progress, observer, person, processes, watched, ports, folder)
        try:
            with progress:
                director.run()
        except StageMissed as missed:
            out.print(f"\nnot observed: {missed.key}: {missed}", style="bold red")
            code = 1
        else:
            _summary(out, director, observer, processes["platform"], progress.elapsed)
        if not once:
            out.print(f"\nStill running: {address}  Ctrl-C ends it.")
            while True:
                time.sleep(1)
    except KeyboardInterrupt:
        out.print("\nstopping")
    finally:
        # A second Ctrl-C must not leave processes behind.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        for name in ("attack", "traffic", "platform", "gateway", "receiver"):
            processes[name].stop()
        _stop_shop(folder)
        observer.close()
        person.close()
    return code


async def _prepare(data: Path) -> dict[str, str]:
    """Tokens that an operator would have handed out beforehand: for the shop, and for a person on duty."""
    from eldonia_ops.app.platform import ADMIN_TOKEN_FILE
    from eldonia_ops.services.access.tokens import AccessService
    from eldonia_ops.services.clock import SystemClock
    from eldonia_ops.storage.state import open_state_store

    state = await open_state_store(f"sqlite:///{data / 'state.db'}")
    try:
        access = AccessService(SystemClock(), state)
        admin = await access.ensure_admin(data / ADMIN_TOKEN_FILE)
        _, ingest = await access.create("eldonia-shop", Role.INGEST)
        _, person = await access.create(PERSON, Role.RESPONDER)
        return {"admin": admin or "", "ingest": ingest, "person": person}
    finally:
        await state.close()


def _processes(folder: Path, settings: Path, ports: Ports, ingest_token: str) -> dict[str, Process]:
    def process(name: str, *arguments: str, **environment: str) -> Process:
        return Process(name, list(arguments), folder / "output" / f"{name}.log", environment)

    shop = f"http://127.0.0.1:{ports.shop}"
    return {
        "platform": process(
            "platform", "-m", "eldonia_ops", "serve", "--config", str(settings), SHOP_INGEST_TOKEN=ingest_token
        ),
        "gateway": process("gateway", "-m", "shop.gateway", "--port", str(ports.gateway)),
        "receiver": process(
            "receiver", "-m", "shop.receiver", "--port", str(ports.receiver), "--store", str(folder / "received.jsonl")
        ),
        # Enough customers that some pay in every one of the sped-up rules' five-second windows.
        "traffic": process("traffic", "-m", "shop.traffic", "--url", shop, "--rate", "30"),
        "attack": process(
            "attack", "-m", "shop.traffic", "--url", shop, "--attack", "--attack-logins", "40", "--attack-rate", "10"
        ),
    }


def _stop_shop(folder: Path) -> None:
    """The shop outlives the platform by design; the demonstration that asked for it ends it by its pid file.

    It returns when the shop has ended, by SIGKILL if need be.
    """
    for file in (folder / "data").glob("**/*.pid"):
        try:
            pid = int(file.read_text(encoding="utf-8").split()[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError, IndexError):
            continue
        if b"shop" in command:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
                deadline = time.monotonic() + _STOP_SECONDS
                while time.monotonic() < deadline and not _ended(pid):
                    time.sleep(0.05)
                if not _ended(pid):
                    os.kill(pid, signal.SIGKILL)


def _ended(pid: int) -> bool:
    """Whether a process is gone, or waits only for its parent to read the exit code."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] == "Z"
        )
    except (OSError, IndexError):
        return True


def _summary(out: Console, director: Director, observer: Observer, platform: Process, elapsed: float) -> None:
    out.print("\nEvery stage was observed.", style="bold green")
    for name, seconds in director.figures.items():
        out.print(f"  {name:34} {seconds:6.1f} s")
    metrics = (observer.ask("/incidents/metrics", since="-1h") or {}).get("all", {})
    for name in ("mttd", "mtta", "mttr"):
        spread = metrics.get(name) or {}
        if spread.get("mean") is not None:
            out.print(f"  {name.upper():34} {spread['mean'] / 1000:6.1f} s  ({counted(spread['count'], 'incident')})")
    out.print(f"  {'resident memory of the platform':34} {platform.resident_bytes() / 2**20:6.0f} MiB")
    out.print(f"  {'the whole story':34} {elapsed:6.1f} s")
