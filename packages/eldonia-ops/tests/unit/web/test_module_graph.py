import importlib.util
import re
import shutil
from pathlib import Path

from eldonia_ops.web.assets import Assets
from eldonia_ops.web.module_graph import imports_of

_PACKAGE = Path(__file__).parents[3]
_STATIC = _PACKAGE / "src/eldonia_ops/web/static"


def test_imports_are_followed_once_even_in_a_circle() -> None:
    found = imports_of(
        {
            "js/page.js": b'import { a } from "./lib/a.js";\nimport "./lib/b.js";\n// import "./lib/none.js"\n',
            "js/lib/a.js": b'export { c } from "../c.js";\nimport {\n  b,\n} from "./b.js";\n',
            "js/lib/b.js": b'import { a } from "./a.js";\nconst x = import("./late.js");\n',
            "js/lib/late.js": b"",
            "js/c.js": b'import x from "../missing.js"; import y from "library";\n',
        }
    )
    assert found["js/page.js"] == ("js/lib/a.js", "js/lib/b.js", "js/c.js")
    assert found["js/lib/b.js"] == ("js/lib/a.js", "js/c.js")
    assert found["js/c.js"] == ()


def test_every_page_asks_for_all_its_modules_at_once(tmp_path: Path) -> None:
    shutil.copytree(_STATIC, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("SOURCES"))
    assets = Assets(tmp_path)
    for page in sorted((tmp_path / "js/pages").glob("*.js")):
        asked = {address.partition("/js/")[2] for address in assets.modules(f"js/pages/{page.name}")}
        waiting, needed = [page], set()
        while waiting:  # by the file system, and not by the graph
            one = waiting.pop()
            for name in re.findall(
                r'^(?:import |(?:import|export)[^;"]* from )"(\.[^"]+)"', one.read_text(), re.MULTILINE
            ):
                other = (one.parent / name).resolve()
                if other not in needed:
                    needed.add(other)
                    waiting.append(other)
        assert {str(one.relative_to((tmp_path / "js").resolve())) for one in needed} <= asked


def test_joined_modules_are_served_as_long_as_they_are_of_these_modules(tmp_path: Path) -> None:
    source = importlib.util.spec_from_file_location("hatch_build", _PACKAGE / "hatch_build.py")
    assert source is not None
    assert source.loader is not None
    hook = importlib.util.module_from_spec(source)
    source.loader.exec_module(hook)
    static = tmp_path / hook.MODULES.parent
    shutil.copytree(_STATIC, static)
    joined = tmp_path / hook.VENDOR / hook.PAGES
    shutil.rmtree(joined, ignore_errors=True)
    joined.mkdir()
    (joined / "overview.js").write_text('import{a}from"./shared-A.js";import{b}from"./shared-B.js";a(b);')
    (joined / "shared-A.js").write_text("export{};")
    (joined / "shared-B.js").write_text('import{c}from"./shared-A.js";export{c};')
    (joined / hook.SOURCES).write_text(hook.modules_digest(tmp_path))
    assets = Assets(static)
    assert assets.url("js/pages/overview.js").endswith("/vendor/pages/overview.js")
    names = [address.rpartition("/")[2] for address in assets.modules("js/pages/overview.js")]
    assert names == ["shared-A.js", "shared-B.js"]
    with (static / "js/pages/overview.js").open("a") as module:
        module.write("// changed\n")
    assets = Assets(static)
    assert assets.url("js/pages/overview.js").endswith("/js/pages/overview.js")
    assert len(assets.modules("js/pages/overview.js")) > 5
