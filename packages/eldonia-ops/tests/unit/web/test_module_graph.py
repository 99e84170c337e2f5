import re
from pathlib import Path

from eldonia_ops.web.assets import Assets
from eldonia_ops.web.module_graph import imports_of


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


def test_every_page_asks_for_all_its_modules_at_once() -> None:
    assets = Assets()
    folder = Path(__file__).parents[3] / "src/eldonia_ops/web/static"
    for page in sorted((folder / "js/pages").glob("*.js")):
        asked = {address.partition("/js/")[2] for address in assets.modules(f"js/pages/{page.name}")}
        waiting, needed = [page], set()
        while waiting:  # by the file system, and not by the graph
            one = waiting.pop()
            for name in re.findall(r'^(?:import|export)[^;"]*"(\.[^"]+)"', one.read_text(), re.MULTILINE):
                other = (one.parent / name).resolve()
                if other not in needed:
                    needed.add(other)
                    waiting.append(other)
        assert {str(one.relative_to((folder / "js").resolve())) for one in needed} <= asked
