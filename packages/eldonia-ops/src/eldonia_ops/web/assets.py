"""Static files under an address that changes with their content, so that browsers may keep them without limit.

All files share one hash, which is in the folder part of the address: modules then import each
other by relative paths without knowing it. Files are read once, and a text is compressed when it is first asked for.

The modules of the pages are served as the build of the package joined them, if it did so from the modules that are
here: who changes one sees the change after a restart, without a build.
"""

import functools
import gzip
import hashlib
import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from eldonia_ops.web.access import Permission
from eldonia_ops.web.gate import GuardedRoute
from eldonia_ops.web.language import LANGUAGES, catalog
from eldonia_ops.web.module_graph import imports_of
from eldonia_ops.web.problems import ApiDialect

_FOLDER: Final = Path(__file__).parent / "static"
_JOINED: Final = "vendor/pages"
_NEEDED: Final = ("vendor/uplot/uPlot.js", "vendor/uplot/uPlot.css")
_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json"}


@dataclass(frozen=True)
class Asset:
    """One file, ready to be sent."""

    content: bytes
    media_type: str
    is_text: bool

    @functools.cached_property
    def packed(self) -> bytes:
        """The content compressed; empty where that does not pay."""
        packed = gzip.compress(self.content, 9, mtime=0) if self.is_text else b""
        return packed if len(packed) < len(self.content) * 0.9 else b""


class Assets:
    """The static files of the pages.

    Raises:
        FileNotFoundError: a library that the build brings is missing; the message says how to bring it.
    """

    def __init__(self, folder: Path = _FOLDER) -> None:
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in _files(folder)}
        missing = [name for name in _NEEDED if name not in files]
        if missing:
            raise FileNotFoundError(
                f"{', '.join(missing)} missing below {folder}: install the package "
                "(pip install -e packages/eldonia-ops), which brings the libraries of the pages"
            )
        for language in LANGUAGES:
            texts = json.dumps(dict(catalog(language)), ensure_ascii=False, separators=(",", ":"))
            files[f"js/i18n/{language}.js"] = f"export default {texts};\n".encode()
        digest = hashlib.sha256()
        for name in sorted(files):
            digest.update(f"{name}\0{len(files[name])}\0".encode())
            digest.update(files[name])
        self.version: Final = digest.hexdigest()[:16]
        self._joined = files.get(f"{_JOINED}/SOURCES", b"").decode() == _modules_digest(files)
        folder_of_modules = f"{_JOINED}/" if self._joined else "js/"
        self._imports = imports_of({name: one for name, one in files.items() if name.startswith(folder_of_modules)})
        self._assets: Final[Mapping[str, Asset]] = {name: _asset(name, content) for name, content in files.items()}

    def url(self, name: str) -> str:
        """The address of a file; that of a module which a page begins with is where it was joined with others.

        Raises:
            KeyError: there is no such file; a template names one that does not exist.
        """
        name = self._served(name)
        if name not in self._assets:
            raise KeyError(name)
        return f"/static/{self.version}/{name}"

    def _served(self, name: str) -> str:
        joined = f"{_JOINED}/{name.rpartition('/')[2]}"
        return joined if self._joined and name.startswith("js/") and joined in self._assets else name

    def modules(self, *names: str) -> list[str]:
        """The addresses of all that modules import, each once.

        Raises:
            KeyError: there is no such module.
        """
        served = [self._served(name) for name in names]
        found = dict.fromkeys(one for name in served for one in self._imports[name])
        return [self.url(name) for name in found if name not in served]

    def route(self) -> GuardedRoute:
        """The route that serves the files, without sign-in."""
        return GuardedRoute(
            "/static/{version}/{name:path}", self._serve, demand=Permission.PUBLIC, family=ApiDialect.PAGE
        )

    async def _serve(self, request: Request) -> Response:
        asset = self._assets.get(request.path_params["name"])
        if asset is None:
            return PlainTextResponse("not found\n", status_code=404)
        # An old page may ask for its old version: it gets today's file, but must not keep it under that address.
        current = request.path_params["version"] == self.version
        headers = {
            "Content-Type": asset.media_type,
            "Cache-Control": "public, max-age=31536000, immutable" if current else "no-store",
            "Vary": "Accept-Encoding",
        }
        if "gzip" in request.headers.get("accept-encoding", "") and asset.packed:
            return Response(asset.packed, headers=headers | {"Content-Encoding": "gzip"})
        return Response(asset.content, headers=headers)


def _modules_digest(files: Mapping[str, bytes]) -> str:
    """As ``hatch_build.py`` makes it when it joins the modules."""
    digest = hashlib.sha256()
    for name in sorted(name for name in files if name.startswith("js/") and not name.startswith("js/i18n/")):
        digest.update(f"{name.removeprefix('js/')}\0{len(files[name])}\0".encode())
        digest.update(files[name])
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]


def _asset(name: str, content: bytes) -> Asset:
    suffix = Path(name).suffix
    media_type = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    is_text = media_type.startswith("text/") or suffix in (".svg", ".json")
    if is_text and not media_type.startswith("image/"):
        media_type += "; charset=utf-8"
    return Asset(content, media_type, is_text)


@functools.lru_cache(1)
def shipped_assets() -> Assets:
    """The files of this package, read once in a process."""
    return Assets()
