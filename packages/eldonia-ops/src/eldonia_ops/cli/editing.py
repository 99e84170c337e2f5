"""Lets a person write a text in the editor of their choice."""

import os
import shlex
import subprocess
from pathlib import Path
from tempfile import NamedTemporaryFile

import typer


def write_in_editor(text: str, *, prefix: str) -> tuple[str, Path]:
    """Open ``$VISUAL``, ``$EDITOR`` or vi on a file with the text; returns what it left, and the file.

    The file (``<prefix>*.md``, readable by this user alone) is the caller's to remove, once what was written is in
    safety.

    Raises:
        typer.BadParameter: the editor cannot be run or failed, or left something that is not UTF-8.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with NamedTemporaryFile("w", encoding="utf-8", newline="", prefix=prefix, suffix=".md", delete=False) as file:
        file.write(text)
    written = Path(file.name)
    try:
        code = subprocess.run([*shlex.split(editor), file.name], check=False).returncode  # noqa: S603 - the user's own
    except (OSError, ValueError) as error:
        written.unlink()
        raise typer.BadParameter(f"cannot run the editor {editor!r}: {error} (set VISUAL or EDITOR)") from None
    if code:
        raise typer.BadParameter(f"{editor!r} ended with {code}; what it wrote is in {file.name}")
    try:
        return written.read_text(encoding="utf-8"), written
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"cannot read what was written to {file.name}: {error}") from None
