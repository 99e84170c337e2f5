"""What the documents say exists: links, headings, files, make targets, commands, options, settings, pictures."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer.main
import yaml

from eldonia_ops.cli.main import app
from eldonia_ops.settings.tables import with_tables

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "packages/*/README.md", "examples/*/README.md")
    for path in ROOT.glob(pattern)
)
# Where a path in backticks may start.
BASES = (
    ROOT,
    ROOT / "packages/eldonia-ops/src/eldonia_ops",
    ROOT / "packages/eldonia-telemetry/src/eldonia_telemetry",
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SETTINGS = ROOT / "packages/eldonia-ops/src/eldonia_ops/defaults/eldonia-ops.yml"

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def prose(document: Path) -> str:
    return FENCE.sub("", document.read_text("utf-8"))


def shell_lines(document: Path) -> list[str]:
    """Lines of shell blocks, and inline code."""
    text = document.read_text("utf-8")
    lines = [line for kind, body in FENCE.findall(text) if kind in ("sh", "ini", "") for line in body.splitlines()]
    return lines + INLINE.findall(FENCE.sub("", text))


def anchors(document: Path) -> set[str]:
    """The names that the forge gives to a document's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_there_are_documents_in_both_languages():
    names = {path.name for path in DOCUMENTS}
    assert {"README.md", "README.ja.md", "CHANGELOG.md", "architecture.md", "configuration.md"} <= names


@every_document
def test_links_lead_somewhere(document):
    for link in LINK.findall(prose(document)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), f"{link} does not exist"
        assert target.is_relative_to(ROOT), f"{link} leaves the repository"
        if anchor:
            assert anchor in anchors(target), f"{link}: no such heading"


@every_document
def test_files_that_are_named_exist(document):
    top = {path.name for base in BASES for path in base.iterdir()}
    for code in INLINE.findall(prose(document)):
        if not re.fullmatch(r"[\w.-]+(/[\w.-]*)+", code) or code.split("/")[0] not in top:
            continue
        assert any((base / code).exists() for base in BASES), f"`{code}` does not exist"


@every_document
def test_make_targets_that_are_named_exist(document):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for line in shell_lines(document):
        if match := re.match(r"\s*make ([a-z-]+)", line):
            assert match[1] in targets, f"there is no target for: {line}"


def commands_in(line: str) -> list[list[str]]:
    found = []
    for match in re.finditer(r"(?:^|[\s;&/`])eldonia-ops ((?:'[^']*'|\"[^\"]*\"|[^;&|'\"])*)", line):
        words = shlex.split(match[1].rstrip("`"), comments=True)
        if words and re.fullmatch(r"[a-z-]+", words[0]):
            found.append(words)
    return found


@every_document
def test_commands_that_are_named_exist_with_their_options(document):
    for line in shell_lines(document):
        for words in commands_in(line):
            command = typer.main.get_command(app)
            rest = list(words)
            while getattr(command, "commands", None):
                alone = command.commands.get(command.name)  # what a group does without a command
                if alone is not None and (not rest or rest[0] not in command.commands):
                    command = alone
                    break
                if not rest or rest[0].startswith("-"):
                    break
                assert rest[0] in command.commands, f"no such command: {line}"
                command = command.commands[rest.pop(0)]
            known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
            options = {word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
            assert options <= known, f"no such option: {line}"


def test_commands_are_recognised():
    assert commands_in(". x && eldonia-ops check && eldonia-ops silence add a=b --for 2h") == [
        ["check"],
        ["silence", "add", "a=b", "--for", "2h"],
    ]


def test_the_overview_of_commands_is_complete():
    """The page of commands lists every one, in both languages."""
    names = set(typer.main.get_command(app).commands)
    for name in ("docs/commands.md", "docs/commands.ja.md"):
        text = (ROOT / name).read_text("utf-8")
        listed = {code.split()[0] for code in INLINE.findall(text)}
        assert names <= listed, f"{name} leaves out {sorted(names - listed)}"


# --- docs/configuration.md against the shipped settings ----------------------------------------


def shipped() -> dict:
    """The shipped file with its examples switched on; where a key is there twice, the first counts."""
    lines: list[str] = []
    for line in SETTINGS.read_text("utf-8").splitlines():
        # Prose has one space behind the '#', an example none, or as many as it is indented by.
        example = re.match(r"^(\s*)#(?! \S)(.+)$", line)
        if example and example[2].startswith(("state:", "telemetry:", "external_url:", "trusted_proxies:")):
            continue
        if example and re.match(r"^\w+:$", example[2]):
            # `logs: []` gives way to the example below it.
            lines = [one for one in lines if one not in (f"{example[2]} []", f"{example[2]} {{}}")]
        lines.append(example[1] + example[2] if example else re.sub(r"^(\s*)# .*$", "", line))
    return yaml.safe_load("\n".join(lines))


def described() -> dict[str, dict[str, str]]:
    """Keys with what is in the column of defaults, by section."""
    sections: dict[str, dict[str, str]] = {}
    for part in re.split(r"^## ", (ROOT / "docs/configuration.md").read_text("utf-8"), flags=re.MULTILINE)[1:]:
        heading = part.splitlines()[0].strip("`")
        rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", part, re.MULTILINE)
        sections[heading] = {key: default.strip("` ") for key, default in rows}
    return sections


def text_of(value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return '""' if value == "" else str(value)


def test_every_setting_is_described_with_its_default():
    documented, file = described(), shipped()
    page = (ROOT / "docs/configuration.md").read_text("utf-8")
    keys = {key for key, value in file.items() if not isinstance(value, (dict, list)) or value == []}
    assert set(documented["Top level"]) == keys
    for name, section in file.items():
        if name in keys:
            continue
        entry = section[0] if isinstance(section, list) else section
        # Several entries may show different keys.
        known = {key for one in section for key in one} if isinstance(section, list) else set(entry)
        # A section within a section has a heading and a table of its own.
        known = {key for key in known if f"### `{name}.{key}`" not in page}
        windows = set(file["security"]["windows"]) if name == "security" else set()
        assert known | windows <= set(documented[name]), f"section {name}"


def test_the_tables_of_fields_are_those_of_the_declarations():
    """`make docs` writes them."""
    page = (ROOT / "docs/configuration.md").read_text("utf-8")
    assert with_tables(page) == page


def test_the_documented_defaults_are_those_shipped():
    documented, file = described(), shipped()
    for name in ("retention", "host", "rules", "limits"):
        for key, value in file[name].items():
            assert documented[name][key] == text_of(value), f"{name}.{key}"
    for key in ("listen", "external_url", "language", "state", "telemetry"):
        assert documented["Top level"][key] == text_of(file[key]), key
    for type_, window in file["security"]["windows"].items():
        row = f"| `{type_}` | {window['threshold']} | {window['window']} | {window['quiet']} | {window['severity']} |"
        assert row in (ROOT / "docs/configuration.md").read_text("utf-8")


# --- dependencies ----------------------------------------------------------------------------------


def test_every_dependency_is_explained():
    text = (ROOT / "docs/dependencies.md").read_text("utf-8")
    words = set(re.findall(r"[\w.-]*\w", text.lower()))
    for file in ROOT.glob("packages/*/pyproject.toml"):
        project = tomllib.loads(file.read_text("utf-8"))
        wanted = list(project["project"]["dependencies"]) + project["build-system"]["requires"]
        wanted += [one for extra in project["project"].get("optional-dependencies", {}).values() for one in extra]
        names = {re.match(r"[\w.-]+", one)[0].lower() for one in wanted} - {"eldonia-telemetry"}
        assert names <= words, f"{file.parent.name}: {sorted(names - words)}"
    for name in (ROOT / "requirements-dev.txt").read_text("utf-8").splitlines():
        if name and not name.startswith("#"):
            assert re.match(r"[\w.-]+", name)[0].lower() in words, name


# --- pictures ------------------------------------------------------------------------------------


def test_pictures_are_used_and_light():
    text = "".join(document.read_text("utf-8") for document in DOCUMENTS)
    for picture in (ROOT / "docs/images").iterdir():
        assert picture.name in text, f"{picture.name} is shown nowhere"
        assert picture.stat().st_size <= 300_000, f"{picture.name} is too heavy"
