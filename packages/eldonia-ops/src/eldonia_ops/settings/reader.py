"""Values that only the settings have: paths, sizes, URLs, secrets, labels, addresses."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.secret import Secret
from eldonia_ops.protocols.yaml_document import MappingReader, Problems, YamlNode

_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB|k|M|G|KB|MB|GB)?")
_UNITS = {
    **{"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30},
    **{"k": 10**3, "KB": 10**3, "M": 10**6, "MB": 10**6, "G": 10**9, "GB": 10**9},
}
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
_LONGEST_SECRET = 65_536
MINIMUM_INTERVAL = 100
"""Nothing periodic runs more often (milliseconds)."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a file refers to: the folder of relative paths, the home of ``~``, and how to read a secret's file.

    ``lines`` are the lines of the file itself, ``lines_of`` those of files that were joined to it, ``env`` is the
    environment. ``read`` holds the sections that were read so far, for those that refer to them.
    """

    directory: Path
    home: Path
    read_file: Callable[[Path], str]
    lines: list[str] = field(default_factory=list)
    env: Mapping[str, str] = field(default_factory=dict)
    read: dict[str, Any] = field(default_factory=dict)
    lines_of: dict[str, list[str]] = field(default_factory=dict)

    def lines_at(self, node: YamlNode) -> list[str]:
        """The lines of the file that a value is from."""
        return self.lines_of.get(node.file, self.lines)

    def path(self, text: str) -> Path:
        """The absolute path that a text names."""
        if text == "~" or text.startswith("~/"):
            return self.home / text[2:]
        return self.directory / text


class SettingsReader(MappingReader):
    """A :class:`MappingReader` that knows what settings are made of."""

    def __init__(self, node: YamlNode, problems: Problems, what: str, around: Surroundings) -> None:
        super().__init__(node, problems, what)
        self.around = around
        self.values: dict[str, Any] = {}
        """The fields of this mapping that were read so far, by their names."""

    def section(self, key: str) -> "SettingsReader | None":
        """A reader for a nested mapping, or None when the key is missing."""
        node = self.get(key)
        return None if node is None else self.at(node, key)

    def list_of(self, key: str) -> "list[SettingsReader]":
        """A reader for each mapping of a list."""
        return [self.at(node, f"{key}[{index}]") for index, node in enumerate(self.elements(key))]

    def at(self, node: YamlNode, what: str) -> "SettingsReader":
        """A reader for a mapping found elsewhere."""
        return SettingsReader(node, self.problems, what, self.around)

    def fault(self, key: str, message: str, hint: str = "") -> None:
        """Note a fault at the value of a key, or at the mapping when the key is missing."""
        self.problems.add(self.get(key) or self.node, message, hint)

    def period(self, key: str, default: int, *, minimum: int = MINIMUM_INTERVAL) -> int:
        """A duration in ms, not shorter than ``minimum``."""
        found = self.duration(key, default)
        if found >= minimum:
            return found
        self.fault(key, f"{key} is too short", f"at least {minimum}ms")
        return default

    def size(self, key: str, default: int) -> int:
        """A positive number of bytes, such as ``16MiB`` or ``65536``."""

        def convert(node: YamlNode) -> int:
            match = _SIZE.fullmatch(node.text.strip())
            if match is None or int(match[1]) == 0:
                raise ValueError("write it like 16MiB or 65536")
            return int(match[1]) * _UNITS[match[2] or "B"]

        return self._convert(key, default, False, "a size", convert)

    def absolute(self, key: str) -> Path | None:
        """A path, made absolute; None when the key is missing or empty."""
        text = self.string(key)
        return self.around.path(text) if text else None

    def glob(self, key: str, *, required: bool = False) -> str:
        """A glob, made absolute."""
        text = self.string(key, required=required)
        return str(self.around.path(text)) if text else ""

    def globs(self, key: str) -> tuple[str, ...]:
        """A list of globs, made absolute."""
        return tuple(str(self.around.path(text)) for text in self.strings(key))

    def url(self, key: str, default: str = "", *, required: bool = False, schemes: tuple[str, ...] = ()) -> str:
        """A URL with a host; its text is never repeated in messages, for it may hold a password."""
        text = self.string(key, default, required=required)
        if not text or text == default:
            return text
        wanted = schemes or ("http", "https")
        if not is_url(text, wanted):
            self.fault(key, f"{key} is not a URL of the kind {' or '.join(f'{name}://host' for name in wanted)}")
            return default
        return text

    def secret(self, key: str, *, required: bool = False) -> Secret:
        """The text at ``key``, or that of the file which ``<key>_file`` names (less the line's end)."""
        file_key = f"{key}_file"
        direct, path_text = self.string(key), self.string(file_key)
        if direct and path_text:
            self.fault(file_key, f"{self.what} has both {key} and {file_key}", "keep one of them")
        if path_text:
            return self._secret_from(file_key, self.around.path(path_text))
        if required and not direct:
            self.problems.add(self.node, f"{self.what} needs {key} or {file_key}")
        return Secret(direct)

    def _secret_from(self, key: str, path: Path) -> Secret:
        try:
            text = self.around.read_file(path)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8 text"
            self.fault(key, f"cannot read {path}: {reason}")
            return Secret("")
        text = text.rstrip("\r\n")
        if not text or len(text) > _LONGEST_SECRET:
            self.fault(key, f"{path} {'is empty' if not text else 'is too long for a secret'}")
            return Secret("")
        self.problems.concealed.add(text)
        return Secret(text)

    def labels(self, key: str = "labels", *, reserved: tuple[str, ...] = ()) -> Labels:
        """A label set for everything that comes from here, without the names that are ``reserved``."""
        found = self.string_map(key)
        node = self.get(key)
        if node is not None:
            for name in (key for key, _ in node.items()):
                if not _LABEL.fullmatch(name.text) or name.text.startswith("__"):
                    self.problems.add(
                        name, f"{name.text!r} cannot be a label's name", "letters, digits and underscores"
                    )
                elif name.text in reserved:
                    self.problems.add(name, f"the label {name.text} is given by the platform", "choose another name")
        return Labels(found)

    def headers(self, key: str = "headers") -> Mapping[str, Secret]:
        """Headers of an HTTP request; their values are not to be shown."""
        found = self.string_map(key)
        if any(_HEADER.fullmatch(name) is None for name in found):
            self.fault(key, f"{key} holds a name that is not one of a header", "letters, digits and hyphens")
        if any(_HEADER_VALUE.fullmatch(value) is None for value in found.values()):
            self.fault(key, f"{key} holds a value with a line break, or one that is not ASCII")
        return {name: Secret(value) for name, value in found.items()}

    def plain_map(self, key: str) -> dict[str, Any] | None:
        """A mapping whose values may have any shape; None when the key is missing."""
        node = self.get(key)
        if node is None:
            return None
        if not node.is_mapping:
            self.problems.add(node, f"{key} must be a mapping, not {node.describe()}")
            return None
        return node.plain()


def is_url(text: str, schemes: tuple[str, ...] = ("http", "https")) -> bool:
    """Whether a text is a URL of one of the schemes, with a host and, if any, a possible port."""
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def unique(readers: "list[tuple[SettingsReader, str]]", key: str, what: str) -> None:
    """Note every name that occurs twice; ``readers`` pairs each mapping with its name."""
    seen: set[str] = set()
    for reader, name in readers:
        if name and name in seen:
            reader.fault(key, f"there are two {what} called {name!r}")
        seen.add(name)
