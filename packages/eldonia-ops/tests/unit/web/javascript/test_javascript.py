"""The library of the pages' JavaScript under node's own test runner; ``*.test.js`` in this folder."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from required_tools import missing

from eldonia_ops.web.language import LANGUAGES, catalog

HERE = Path(__file__).parent
ROOT = HERE.parents[5]
SCRIPTS = ROOT / "packages" / "eldonia-ops" / "src" / "eldonia_ops" / "web" / "static" / "js"
FOLDERS = ("lib", "panels", "dashboard")  # what pages are made of; the pages themselves run when they are imported
MODULES = ROOT / "tools" / "javascript" / "node_modules"


@pytest.fixture(scope="module")
def node() -> str:
    asked = [sys.executable, str(ROOT / "scripts" / "javascript.py"), "--node"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        missing(done.stderr.strip())
    if not (MODULES / "happy-dom").is_dir():
        missing("tools/javascript is not installed (make check installs it)")
    return done.stdout.strip()


@pytest.mark.parametrize("name", sorted(path.name for path in HERE.glob("*.test.js")))
def test_library(node: str, name: str, tmp_path: Path) -> None:
    """Laid out as the server serves it: the texts are modules made of the catalogs."""
    tmp_path = tmp_path / "static" / "js"
    tmp_path.mkdir(parents=True)
    for folder in FOLDERS:
        shutil.copytree(SCRIPTS / folder, tmp_path / folder)
    (tmp_path / "i18n").mkdir()
    for language in LANGUAGES:
        (tmp_path / "i18n" / f"{language}.js").write_bytes(b"export default %b;\n" % _json(language))
    (tmp_path / "test").mkdir()
    for own in ("page.js", name):
        shutil.copy(HERE / own, tmp_path / "test")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "node_modules").symlink_to(MODULES)
    environment = {**os.environ, "TZ": "Asia/Tokyo"}
    command = [node, "--test", "--test-force-exit", "--test-reporter=tap", f"test/{name}"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.findall(r"^# pass (\d+)$", done.stdout, re.MULTILINE)[0]) >= 2


def _json(language: str) -> bytes:
    import msgspec

    return msgspec.json.encode(catalog(language))
