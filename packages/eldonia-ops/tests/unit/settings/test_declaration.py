"""Every declared field is read by some part of the platform: a setting that does nothing is a defect."""

import ast
import types
import typing
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import eldonia_ops
from eldonia_ops.app.configuration import Configuration
from eldonia_ops.app.foundation import Foundation
from eldonia_ops.protocols.secret_keys import SECRET_KEY
from eldonia_ops.settings import declaration
from eldonia_ops.settings.collectors import CollectorSections
from eldonia_ops.settings.containers import ByName, Items, Section
from eldonia_ops.settings.declaration import Setting, adopt, declared
from eldonia_ops.settings.document import Settings
from eldonia_ops.settings.incidents import IncidentSettings
from eldonia_ops.settings.objects import Inline
from eldonia_ops.settings.recovery import ProcessAction, RecoveryAction

SOURCE = Path(eldonia_ops.__file__).parent


def declared_classes(cls: type = Settings) -> Iterator[type]:
    yield cls
    for field in declared(cls):
        if isinstance(field.kind, Section | Items | ByName | Inline):
            yield from declared_classes(field.kind.cls)
        if isinstance(field.kind, CollectorSections):
            for part in field.kind.parts(ours=True).values():
                if isinstance(part.kind, Section | Items):
                    yield from declared_classes(part.kind.cls)
    if cls is Settings:
        yield from typing.get_args(RecoveryAction)


CLASSES = {cls.__name__: cls for cls in declared_classes()}
KNOWN = {**CLASSES, "Configuration": Configuration, "Foundation": Foundation}
"""The sections, and what carries the settings to those that read them."""


class Readers(ast.NodeVisitor):
    """Finds ``class.field`` pairs that a module reads. It follows the types of names as far as annotations,
    assignments, loops and patterns tell them; what it cannot follow does not count."""

    def __init__(self) -> None:
        self.found: set[tuple[str, str]] = set()
        self.names: dict[str, object] = {}
        self.attributes: dict[str, object] = {}

    def annotated(self, node: ast.expr | None) -> object:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node = ast.parse(node.value, mode="eval").body
        if isinstance(node, ast.Name):
            return KNOWN.get(node.id)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Literal":
            return None  # its texts are values, no types
        if isinstance(node, ast.Subscript):
            inner = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
            one = self.annotated(inner)
            if isinstance(node.value, ast.Name) and node.value.id == "Annotated":
                return one
            return [one] if one else None
        return None

    def type_of(self, node: ast.expr) -> object:
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if isinstance(node, ast.Attribute):
            if is_self(node.value) and node.attr in self.attributes:
                return self.attributes[node.attr]
            owner = self.type_of(node.value)
            return member(owner, node.attr) if isinstance(owner, type) else None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return KNOWN.get(node.func.id)
        return None

    def bind(self, target: ast.expr, value: object) -> None:
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif value is not None and isinstance(target, ast.Attribute) and is_self(target.value):
            self.attributes[target.attr] = value

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        outer, self.attributes = self.attributes, {}
        # What __init__ and the annotations of a class bind is known in all of its methods.
        for statement in ast.walk(node):
            named = isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
            if named and (kind := self.annotated(statement.annotation)):
                self.attributes[statement.target.id] = kind
        if own := CLASSES.get(node.name):
            self.names["self"] = own
        for function in sorted(ast.iter_child_nodes(node), key=lambda one: getattr(one, "name", "") != "__init__"):
            self.visit(function)
        self.attributes = outer
        self.names.pop("self", None)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        outer = self.names
        self.names = dict(outer)
        for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]:
            if argument.arg != "self":
                self.names[argument.arg] = self.annotated(argument.annotation)
        self.generic_visit(node)
        self.names = outer

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        for target in node.targets:
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                for one, value in zip(target.elts, node.value.elts, strict=False):
                    self.bind(one, self.type_of(value))
            else:
                self.bind(target, self.type_of(node.value))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.generic_visit(node)
        if kind := self.annotated(node.annotation):
            self.bind(node.target, kind)

    def loop(self, target: ast.expr, iterated: ast.expr) -> None:
        kind = self.type_of(iterated)
        self.bind(target, kind[0] if isinstance(kind, list) else None)

    def visit_For(self, node: ast.For) -> None:
        self.loop(node.target, node.iter)
        self.generic_visit(node)

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        for one in node.generators:
            self.loop(one.target, one.iter)
        self.generic_visit(node)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = comprehension

    def visit_match_case(self, node: ast.match_case) -> None:
        match node.pattern:
            case ast.MatchAs(name=str(name), pattern=ast.MatchClass(cls=ast.Name(id=cls))):
                self.names[name] = CLASSES.get(cls)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        owner = self.type_of(node.value)
        if isinstance(owner, type) and isinstance(node.ctx, ast.Load):
            self.found.add((owner.__name__, node.attr))
        self.generic_visit(node)


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def member(owner: type, name: str) -> object:
    """The declared class that a field holds, in a list where it holds several."""
    hint = typing.get_type_hints(owner).get(name)
    arguments = typing.get_args(hint)
    if isinstance(hint, type) and not arguments:
        return KNOWN.get(hint.__name__)
    # The kinds of a union (of actions) differ by patterns.
    inner = [one for one in arguments if isinstance(one, type) and one.__name__ in CLASSES]
    return [inner[-1]] if inner and not isinstance(hint, types.UnionType) else None


def read_fields(*paths: Path) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for path in paths:
        readers = Readers()
        readers.visit(ast.parse(path.read_text("utf-8")))
        found |= readers.found
    return found


@cache  # takes a second, which no other worker that collects this file has to spend
def everything_read() -> set[tuple[str, str]]:
    # Where a section is declared it is only checked.
    outside = [path for path in SOURCE.rglob("*.py") if path.parent.name != "settings" and path.name != "config.py"]
    found = read_fields(*outside)
    # Methods of the sections hand their own fields on to the core.
    for name in ("noticing", "incidents", "recovery", "document", "log_metrics"):
        found |= read_methods(SOURCE / "settings" / f"{name}.py")
    for path in (SOURCE / "collectors").glob("*/config.py"):
        found |= read_methods(path)
    return found


def read_methods(path: Path) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name in CLASSES:
            readers = Readers()
            readers.visit(node)
            found |= {pair for pair in readers.found if pair[0] in {node.name, "StorageSettings"}}
    return found


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_every_setting_is_read(cls: type) -> None:
    unread = [field.name for field in declared(cls) if (cls.__name__, field.name) not in everything_read()]
    assert not unread, f"{cls.__name__}: nothing reads {', '.join(unread)}"


def test_a_field_that_nothing_reads_is_found(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        "class Service:\n"
        "    def __init__(self, settings: Settings) -> None:\n"
        "        self._limits = settings.limits\n"
        "    def work(self, other: Other) -> int:\n"
        "        return self._limits.series + other.query_samples + sum(job.timeout for job in other.scrape)\n"
    )
    assert read_fields(module) == {("Settings", "limits"), ("LimitSettings", "series")}


def test_a_declaration_needs_a_field() -> None:
    with pytest.raises(TypeError, match="ProcessAction has no field pidfile"):
        adopt(ProcessAction, pidfile=Setting(declared(ProcessAction)[0].kind))
    assert ProcessAction not in declaration._ADOPTED


def test_fields_without_a_declaration_are_not_of_the_file() -> None:
    names = {field.name for field in declared(Settings)}
    assert {"file", "concealed"}.isdisjoint(names)
    assert {"data", "limits"} <= names
    assert [field.key for field in declared(IncidentSettings)][:2] == ["opens", "response_targets"]


def test_the_keys_of_secrets_are_known_to_what_cleans_messages() -> None:
    """Messages are cleaned before the file is understood, so there keys are known by their names."""
    secret = [field.key for cls in CLASSES.values() for field in declared(cls) if field.kind.secret]
    assert {"state", "telemetry", "dsn", "password", "bearer_token", "url", "headers", "body"} <= set(secret)
    assert [key for key in secret if not SECRET_KEY.search(key)] == []
