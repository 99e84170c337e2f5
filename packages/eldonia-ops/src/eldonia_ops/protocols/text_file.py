"""Reading the files that people write."""

import os
import stat
from pathlib import Path
from typing import Final

from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.protocols.yaml_nodes import MAX_BYTES

_WIDE: Final = (b"\xff\xfe", b"\xfe\xff")
"""How UTF-16 begins, and UTF-32 of one kind."""


def read_text_file(path: str | Path, shown_as: str = "") -> str:
    """The text of a UTF-8 file, its lines ended by newlines alone.

    Raises:
        ConfigError: it is not there, no plain file (reading a pipe or a device may never end), larger than 8 MiB, or
            not UTF-8; the diagnostic is about ``shown_as``, or the path.
    """
    name = shown_as or str(path)
    try:
        # Without waiting: a pipe without a writer would have us wait for one.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            is_plain = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            data = file.read(MAX_BYTES + 1) if is_plain else b""
    except OSError as error:
        raise ConfigError(Diagnostic(f"cannot be read: {error.strerror or type(error).__name__}", name)) from None
    except ValueError:  # a NUL in the path
        raise ConfigError(Diagnostic("cannot be read: no file can be called so", name)) from None
    if not is_plain:
        raise ConfigError(Diagnostic("no file", name))
    if len(data) > MAX_BYTES:
        raise ConfigError(Diagnostic(f"larger than {MAX_BYTES} bytes", name))
    return decoded(data, name)


def decoded(data: bytes, name: str) -> str:
    """Bytes of a file as text.

    Raises:
        ConfigError: they are not UTF-8; UTF-16, in which some editors save, is named.
    """
    if data.startswith(_WIDE) or b"\x00" in data[:4]:
        raise ConfigError(Diagnostic("this is UTF-16 or binary, not UTF-8 text", name, 1, hint="save it as UTF-8"))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            Diagnostic(f"not UTF-8 text (byte {error.start})", name, line, hint="save it as UTF-8")
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
