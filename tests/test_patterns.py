"""Every regular expression of both packages takes time linear in its text.

A header, a log line or a label of some thousand characters must not hold the process. RE2 promises that for the
patterns that people write; those that we write are found here, wherever they are, and judged.
"""

import ast
import importlib
import multiprocessing
import re
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import pytest
from pattern_ambiguity import TooComplexError, judge, pumps

_SOURCES = [
    Path(__file__).parents[1] / "packages" / package / "src" for package in ("eldonia-ops", "eldonia-telemetry")
]
_ANCHORED = {"match", "fullmatch"}
_ANYWHERE = {"search", "sub", "subn", "split", "findall", "finditer"}
_OPERATIONS = _ANCHORED | _ANYWHERE
_LONG = 20_000

BOUNDED: dict[str, int] = {
    # Files of ours, in tests alone.
    "eldonia_ops.promql.testing:": 500,
    # _LONGEST_READ: lines are cut before they are masked.
    "eldonia_ops.lint.report:": 1_024,
    # MAX_CHARACTERS of a message. They begin at no place within a run, which the judge does not see.
    "eldonia_ops.log_patterns.shapes:'(?<![A-Za-z0-9_.+%-])": 400,
    "eldonia_ops.log_patterns.shapes:'(?<![A-Za-z0-9])(?:": 400,
    "eldonia_ops.log_patterns.shapes:'(?<![A-Za-z0-9_])([A-Za-z_]*+)0": 400,
    # Address of an endpoint in our own settings.
    "eldonia_telemetry.settings:'//.*@'": 500,
    # MAX_BODY
    "eldonia_telemetry.security.body:": 16_384,
    # _MAX_TEXT
    "eldonia_telemetry.security.certainty:'(?:--": 2_048,
    # _EDGE and PROSE; the parts of a request of MAX_LENGTH, in which runs of spaces are one
    "eldonia_telemetry.security.detection:": 2_000,
}
"""Patterns (``module:`` or more of the place) that may be slow, because no longer text ever comes to them."""


ENDS = ("eldonia_telemetry.credentials:'(-----BEGIN",)
"""Patterns whose last alternative is the end of the text: what they began to match never breaks off there."""


@dataclass(frozen=True)
class Use:
    """One pattern with the operations that apply it."""

    place: str
    pattern: "re.Pattern[Any]"
    operations: frozenset[str]

    @property
    def search(self) -> bool:
        return bool(self.operations & _ANYWHERE)

    @property
    def full(self) -> bool:
        return "fullmatch" in self.operations


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for source in _SOURCES:
        for path in sorted(source.rglob("*.py")):
            if "migrations" in path.parts:
                continue
            parts = path.relative_to(source).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def _aliases(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name for alias in node.names if alias.name == "re"}
        if isinstance(node, ast.ImportFrom) and node.module == "re":
            assert {alias.name for alias in node.names} <= {"Pattern", "Match"}, "import re, so that its uses are found"
    return found


def _operation(node: ast.Call, aliases: set[str]) -> str:
    """The function of ``re`` that a call names, '' for another call."""
    function = node.func
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id in aliases:
        return function.attr
    return ""


@cache
def _operations_of_names() -> dict[tuple[str, str], frozenset[str]]:
    """What is done with each name of each module: ``_NAME.search`` there, or where it is imported."""
    found: dict[tuple[str, str], set[str]] = {}
    for name, tree in _modules():
        imported = {
            alias.asname or alias.name: (node.module or "", alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in _OPERATIONS:
                owner = imported.get(node.value.id, (name, node.value.id))
                found.setdefault(owner, set()).add(node.attr)
    return {owner: frozenset(operations) for owner, operations in found.items()}


@cache
def uses() -> tuple[list[Use], list[str]]:
    """Every pattern, and every call whose pattern is not known before it runs."""
    found: list[Use] = []
    unknown: list[str] = []
    for name, tree in _modules():
        aliases = _aliases(tree)
        if not aliases:
            continue
        calls = [
            (node, done)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and (done := _operation(node, aliases)) in _OPERATIONS | {"compile"}
        ]
        if not calls:
            continue
        module = importlib.import_module(name)
        names = {
            id(node.value): target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        for call, done in calls:
            place = f"{name}:{ast.unparse(call.args[0])}"
            try:
                compiled = eval(compile(ast.Expression(_compiling(call, done)), place, "eval"), vars(module))
            except NameError:
                unknown.append(place)
                continue
            if done == "compile":
                operations = _operations_of_names().get((name, names.get(id(call), "")), frozenset(_OPERATIONS))
            else:
                operations = frozenset({done})
            found.append(Use(place, compiled, operations))
        # Those that a function compiled from a table of the module.
        written = {use.pattern.pattern for use in found}
        found += [
            Use(f"{name}: {pattern.pattern!r}", pattern, frozenset(_OPERATIONS))
            for pattern in _patterns_in(vars(module), 0)
            if pattern.pattern not in written
        ]
    return found, unknown


def _compiling(call: ast.Call, done: str) -> ast.expr:
    """The call that compiles the pattern of a call, with its flags."""
    count = {"compile": 1, "match": 2, "fullmatch": 2, "search": 2, "findall": 2, "finditer": 2, "split": 3}.get(
        done, 4
    )
    flags = list(call.args[count:]) + [one.value for one in call.keywords if one.arg == "flags"]
    function = ast.Attribute(call.func.value, "compile", ast.Load())  # type: ignore[attr-defined]
    return ast.fix_missing_locations(ast.copy_location(ast.Call(function, [call.args[0], *flags], []), call))


def _patterns_in(value: Any, depth: int) -> Iterator["re.Pattern[Any]"]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 5 and isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _patterns_in(item, depth + 1)
    elif depth < 5 and type(value) is dict:
        for item in list(value.values()):
            yield from _patterns_in(item, depth + 1)


def test_no_pattern_is_made_where_this_test_cannot_see_it() -> None:
    _, unknown = uses()
    known = {
        "eldonia_ops.promql.testing:case.fail_pattern": "a file of ours, in tests alone",
        "eldonia_ops.model.timestamps:form": "a table of the module, whose patterns are found there",
        "eldonia_ops.promql.testing:text": "a file of ours, in tests alone",
        "eldonia_telemetry.security.detection:rule": "a table of the module, whose patterns are found there",
    }
    assert set(unknown) <= set(known)


def test_every_pattern_is_linear() -> None:
    slow: list[str] = []
    for use in uses()[0]:
        if _bound(use) < _LONG:
            continue
        if use.place.startswith(ENDS):
            assert use.pattern.pattern.endswith(r"|\Z)"), use.place
            continue
        try:
            verdict = judge(use.pattern, search=use.search, full=use.full)
        except TooComplexError as error:
            slow.append(f"{use.place}: {error}")
            continue
        if not verdict:
            slow.append(f"{use.place}: {verdict.degree}, by repeating {verdict.pump!r} ({', '.join(use.operations)})")
    assert not slow, "\n".join(slow)


def test_no_pattern_is_read_otherwise_by_an_older_python() -> None:
    """Debian 12 has Python 3.11.2, in which a possessive repetition around a look-ahead never matches. An atomic group
    around the repetition says the same and is right there: ``(?>(?:(?!x).)*)``."""
    wrong = [use.place for use in uses()[0] if _looks_around(_parser.parse(use.pattern.pattern, use.pattern.flags))]
    assert not wrong
    assert _looks_around(_parser.parse(r"a(?:(?!b).)*+"))


def _looks_around(tree: Any, possessive: bool = False) -> bool:
    for operation, argument in tree:
        if operation in (_constants.ASSERT, _constants.ASSERT_NOT) and possessive:
            return True
        inside = possessive or operation is _constants.POSSESSIVE_REPEAT
        if any(_looks_around(part, inside) for part in _parts(argument)):
            return True
    return False


def _parts(argument: Any) -> Iterator[Any]:
    if isinstance(argument, _parser.SubPattern):
        yield argument
    elif isinstance(argument, tuple | list):
        for one in argument:
            yield from _parts(one)


def _bound(use: Use) -> int:
    return min((bound for place, bound in BOUNDED.items() if use.place.startswith(place)), default=_LONG)


def _apply(use: Use, length: int) -> None:
    for text in pumps(use.pattern, length):
        subject: Any = text.encode("latin-1", "replace") if isinstance(use.pattern.pattern, bytes) else text
        for operation in use.operations & {"match", "fullmatch", "search", "findall"} or {"search"}:
            getattr(use.pattern, operation)(subject)


def _apply_all(seconds: int, last: Any) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    for index, use in enumerate(uses()[0]):
        last.value = index
        _apply(use, _bound(use))
    last.value = -1


def test_every_pattern_ends_on_long_texts_that_lead_it_round_its_loops() -> None:
    """The proof above rests on a model of the matcher; this is the matcher. A quadratic pattern would need hours."""
    context = multiprocessing.get_context("fork")
    last = context.Value("i", 0)
    child = context.Process(target=_apply_all, args=(120, last))
    child.start()
    child.join()
    assert last.value == -1, f"no end of {uses()[0][last.value].place}"


@pytest.mark.parametrize(
    ("pattern", "search", "full", "degree"),
    [
        (r"(?:a*)*b", False, True, "exponential"),
        (r"(?:a|a)*b", False, True, "exponential"),
        (r"(?:(a?)?b)*c", False, True, "exponential"),
        (r"(?:ab|a|b)*c", False, True, "exponential"),
        (r"(?:a+)+", False, True, "exponential"),
        (r"(?:a+)+", False, False, "linear"),
        (r"(?:a?)*b", False, True, "linear"),
        (r"a*a*b", False, True, "polynomial"),
        (r"a*ba*b", False, True, "linear"),
        (r"a*+a*b", False, True, "linear"),
        (r"a*b", True, True, "polynomial"),
        (r"a+", True, False, "linear"),
        (r"\s++$", True, True, "polynomial"),
        (r"\s+$", True, False, "polynomial"),
        (r"\s+\Z", True, False, "polynomial"),
        (r"a$", True, False, "linear"),
        (r'"(?:[^"\\]|\\.)*"', False, True, "linear"),
        (r'(?:W/)?"[!#-~]*"(?:[ \t]*,[ \t]*(?:"[!#-~]*")?)*[ \t]*', False, True, "exponential"),
    ],
)
def test_what_is_slow_is_called_slow(pattern: str, search: bool, full: bool, degree: str) -> None:
    assert judge(re.compile(pattern), search=search, full=full).degree == degree
