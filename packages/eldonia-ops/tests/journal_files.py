"""Journals that systemd itself writes, for tests: the files of a folder that ``journalctl --directory`` reads."""

import subprocess
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from required_tools import find_tool, missing

from eldonia_ops.protocols.journal_export import encode_entry

_BOOT: Final = uuid.uuid4().hex
_FOLDERS: Final = ("/lib/systemd", "/usr/lib/systemd")


def systemd_program(name: str) -> str:
    """The path of one of systemd's own programs; without it the test is skipped, or fails on CI."""
    found = next((f"{folder}/{name}" for folder in _FOLDERS if Path(folder, name).exists()), find_tool(name))
    return found or missing(f"{name} is not installed (Debian: apt-get install systemd-journal-remote)")


def write_journal(folder: Path, messages: Iterable[str], *, name: str = "test", identifier: str = "shop") -> None:
    """Write a journal file of its own with these messages, as of now."""
    folder.mkdir(exist_ok=True)
    now = time.time_ns() // 1_000
    entries = b"".join(
        encode_entry(
            {
                "__REALTIME_TIMESTAMP": str(now + number),
                "__MONOTONIC_TIMESTAMP": str(now % 10**12 + number),
                "_BOOT_ID": _BOOT,
                "_HOSTNAME": "web-1",
                "PRIORITY": "4",
                "SYSLOG_IDENTIFIER": identifier,
                "_SYSTEMD_UNIT": f"{identifier}.service",
                "MESSAGE": message,
            }
        )
        for number, message in enumerate(messages)
    )
    subprocess.run(
        [systemd_program("systemd-journal-remote"), f"--output={folder / name}.journal", "-"],
        input=entries, check=True, capture_output=True,
    )  # fmt: skip
