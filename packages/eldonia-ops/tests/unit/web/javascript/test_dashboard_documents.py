"""The page and the server agree about documents: YAML is read back as it was, and every unit is known."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from required_tools import missing

from eldonia_ops.dashboards.reading import read_dashboard, to_plain
from eldonia_ops.dashboards.units import UNITS
from eldonia_ops.protocols.dashboard_file import examine_dashboard
from eldonia_ops.protocols.shipped_dashboards import shipped_dashboards

HERE = Path(__file__).parent
ROOT = HERE.parents[5]
LIBRARY = ROOT / "packages/eldonia-ops/src/eldonia_ops/web/static/js/lib"
WRITER = LIBRARY / "dashboards/yaml.js"
TEXTS = (
    "plain", "", " begins with a space", "ends with one ", "a: b", "a #b", "#a", "- a", "? a", "yes", "No",
    "true", "null", "~", "12", "1e3", "0x1f", "1:30", "2026-11-30", ".5", "[a]", "{a: b}", "a, b", "'a'", '"a"',
    "a\\b", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a`", "$name", "${name:csv}", "{{job}}", "/regex/",
    "(a|b)", "a\nb", "a\nb\n", "a\n\n  b\n\n", "\n", "\na", "  a\n b", "tab\there", "日本語: 値", "é\u2028x",
    "\x07bell", "a:", "::", "=", "<<", "<", "-", "--- a", "... b", "a\r\nb",
)  # fmt: skip


@pytest.fixture(scope="module")
def node() -> str:
    asked = [sys.executable, str(ROOT / "scripts" / "javascript.py"), "--node"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        missing(done.stderr.strip())
    return done.stdout.strip()


def written(node: str, folder: Path, documents: list[dict[str, Any]]) -> list[str]:
    shutil.copy(WRITER, folder / "yaml.mjs")
    (folder / "documents.json").write_text(json.dumps(documents), "utf-8")
    program = (
        "import { readFileSync } from 'node:fs'; import { yaml } from './yaml.mjs';"
        "console.log(JSON.stringify(JSON.parse(readFileSync('documents.json', 'utf-8')).map(yaml)));"
    )
    (folder / "write.mjs").write_text(program)
    done = subprocess.run([node, "write.mjs"], cwd=folder, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


def test_every_text_comes_back(node: str, tmp_path: Path) -> None:
    panels = [{"id": at + 1, "title": text, "description": {"en": text or "x"}, "options": {"content": text}}
              for at, text in enumerate(TEXTS)]  # fmt: skip
    given = to_plain(
        read_dashboard({"uid": "texts", "title": "T", "tags": ["a", "no", "1"], "panels": panels}, "texts")
    )
    (text,) = written(node, tmp_path, [given])
    read, found = examine_dashboard(text, "texts.yml")
    assert read is not None, found
    assert to_plain(read.dashboard) == given


def test_what_ships_comes_back(node: str, tmp_path: Path) -> None:
    given = [to_plain(one.dashboard) for one in shipped_dashboards()]
    assert given
    for document, text in zip(given, written(node, tmp_path, given), strict=True):
        read, found = examine_dashboard(text, f"{document['uid']}.yml")
        assert read is not None, found
        assert to_plain(read.dashboard) == document


def test_the_page_knows_every_unit(node: str, tmp_path: Path) -> None:
    tmp_path = tmp_path / "static" / "js"  # as the server serves it
    tmp_path.mkdir(parents=True)
    shutil.copytree(LIBRARY, tmp_path / "lib")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "i18n").mkdir()
    (tmp_path / "i18n" / "en.js").write_text("export default {};")
    program = (
        "globalThis.document = { documentElement: { lang: 'en' } };"
        "const { UNITS } = await import('./lib/units.js'); console.log(JSON.stringify(UNITS));"
    )
    (tmp_path / "units.js").write_text(program)
    done = subprocess.run([node, "units.js"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    known = set(json.loads(done.stdout))
    assert [unit.id for unit in UNITS if unit.id not in known] == []
