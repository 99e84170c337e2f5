"""Reading what is to be checked, each file once."""

import glob
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.protocols.text_file import read_text_file

MAX_FILES: Final = 1_000
_SUFFIXES: Final = (".yml", ".yaml", ".rules", ".tmpl")


class Files:
    """Texts by path as given. What cannot be read becomes a diagnostic, once."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.diagnostics: list[Diagnostic] = []
        self._failed: set[str] = set()

    def read(self, path: str) -> str | None:
        """The text of a file, or None (and a diagnostic) when it has none."""
        if path in self.texts or path in self._failed:
            return self.texts.get(path)
        try:
            self.texts[path] = read_text_file(path)
        except ConfigError as error:
            self._failed.add(path)
            self.diagnostics += error.diagnostics
        return self.texts.get(path)

    def matching(self, pattern: str) -> Mapping[str, str]:
        """The texts of all files that a glob names, by path."""
        found = sorted(glob.glob(pattern, recursive=True))[:MAX_FILES]
        texts = {path: self.read(path) for path in found if os.path.isfile(path)}
        return {path: text for path, text in texts.items() if text is not None}

    def listed(self, paths: Iterable[str | Path]) -> list[str]:
        """The files meant by some paths: a folder means the YAML files and templates in it."""
        found: list[str] = []
        for path in map(str, paths):
            if os.path.isdir(path):
                inside = [item.path for item in os.scandir(path) if item.is_file() and item.name.endswith(_SUFFIXES)]
                found += sorted(inside)
                if not inside:
                    self.diagnostics.append(
                        Diagnostic("a folder without files to check", path, hint=f"looked for *{', *'.join(_SUFFIXES)}")
                    )
            else:
                found.append(path)
        return list(dict.fromkeys(found))
