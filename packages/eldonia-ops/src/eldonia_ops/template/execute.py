"""Runs a parsed template against data, within limits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from eldonia_ops.model.errors import nearest
from eldonia_ops.template.errors import TemplateError
from eldonia_ops.template.functions import Function, convert, index_step
from eldonia_ops.template.lexer import position
from eldonia_ops.template.nodes import (
    Action,
    Break,
    Chain,
    Command,
    Continue,
    Definition,
    Dot,
    Field,
    Identifier,
    If,
    Invoke,
    Literal,
    Nil,
    Node,
    Pipeline,
    Range,
    Text,
    Variable,
    With,
)
from eldonia_ops.template.text_limit import MAX_TEXT
from eldonia_ops.template.values import NO_VALUE, StringMap, Struct, format_value, is_sequence, kind, truth


@dataclass(frozen=True, slots=True)
class RenderLimits:
    """How much one execution may do: characters of output (and of any one text computed on the way), steps,
    templates nested within each other.

    A step is a node visited, an item of a list that a function made (items of items too, each as often as it is
    reached: that is how often it would be printed), or so many characters that a function read or wrote. A message is
    rendered inside the transaction that decides it, so the steps are what a fraction of a second suffices for.
    """

    output: int = MAX_TEXT
    steps: int = 300_000
    depth: int = 100


DEFAULT_LIMITS: Final = RenderLimits()

_CHARACTERS_PER_STEP: Final = 16
_VARIABLES_PER_STEP: Final = 16


class _BreakLoop(Exception):  # noqa: N818 - not an error, a way out
    pass


class _ContinueLoop(Exception):  # noqa: N818
    pass


_NOTHING: Final = object()
"""No value has come down the pipeline."""


def execute(
    definition: Definition,
    data: Any,
    *,
    definitions: Mapping[str, Definition],
    functions: Mapping[str, Function],
    variables: Mapping[str, Any] | None = None,
    zero_for_missing: bool = False,
    limits: RenderLimits = DEFAULT_LIMITS,
) -> str:
    """Render a definition.

    ``zero_for_missing`` is Go's ``missingkey=zero``: a missing key of a :class:`StringMap` reads as
    the empty string instead of ``<no value>``.

    Raises:
        TemplateError: with the place of the action that failed or exceeded a limit.
    """
    run = _Execution(definitions, functions, zero_for_missing, limits)
    frame = _Frame(definition, [("$", data), *(variables or {}).items()])
    try:
        run.walk_all(definition.body, data, frame)
    except RecursionError:
        raise TemplateError("nested too deeply", template=definition.origin) from None
    return "".join(run.out)


class _Frame:
    """One definition being run: its variables, and the text its nodes point into."""

    __slots__ = ("definition", "variables")

    def __init__(self, definition: Definition, variables: list[tuple[str, Any]]) -> None:
        self.definition = definition
        self.variables = variables

    def get(self, name: str) -> Any:
        for known, value in reversed(self.variables):
            if known == name:
                return value
        raise KeyError(name)

    def assign(self, name: str, value: Any) -> None:
        for index in range(len(self.variables) - 1, -1, -1):
            if self.variables[index][0] == name:
                self.variables[index] = (name, value)
                return


class _Execution:
    def __init__(
        self,
        definitions: Mapping[str, Definition],
        functions: Mapping[str, Function],
        zero_for_missing: bool,
        limits: RenderLimits,
    ) -> None:
        self.definitions = definitions
        self.functions = functions
        self.zero_for_missing = zero_for_missing
        self.limits = limits
        self.out: list[str] = []
        self.written = 0
        self.steps = 0
        self.depth = 0

    def fail(self, message: str, node: Node, frame: _Frame) -> TemplateError:
        return TemplateError(message, *position(frame.definition.text, node.offset), frame.definition.origin)

    def write(self, text: str, node: Node, frame: _Frame) -> None:
        self.written += len(text)
        if self.written > self.limits.output:
            raise self.fail(f"output longer than {self.limits.output} characters", node, frame)
        self.out.append(text)

    # --- statements

    def walk_all(self, nodes: tuple[Node, ...], dot: Any, frame: _Frame) -> None:
        for node in nodes:
            self.walk(node, dot, frame)

    def spend(self, steps: int, node: Node, frame: _Frame) -> None:
        self.steps += steps
        if self.steps > self.limits.steps:
            raise self.fail(f"more than {self.limits.steps} steps", node, frame)

    def weight(self, value: Any, node: Node, frame: _Frame) -> None:
        """Spend the steps that a value is worth which a function was given or has made."""
        if isinstance(value, str):
            self.spend(len(value) // _CHARACTERS_PER_STEP, node, frame)
            return
        queue = [value]
        while queue:
            item = queue.pop()
            if isinstance(item, str):
                self.spend(1 + len(item) // _CHARACTERS_PER_STEP, node, frame)
            elif isinstance(item, Struct):
                self.spend(1, node, frame)
            elif isinstance(item, Mapping):
                self.spend(len(item), node, frame)
                queue += item.values()
            elif is_sequence(item):
                self.spend(len(item), node, frame)
                queue += item

    def walk(self, node: Node, dot: Any, frame: _Frame) -> None:
        self.spend(1, node, frame)
        match node:
            case Text(text=text):
                self.write(text, node, frame)
            case Action(pipeline=pipeline):
                value = self.pipeline(pipeline, dot, frame)
                if not pipeline.variables:
                    self.weight(value, node, frame)
                    shown = "<no value>" if value is None or value is NO_VALUE else format_value(value)
                    self.write(shown, node, frame)
            case If(pipeline=pipeline, body=body, otherwise=otherwise):
                scope = len(frame.variables)
                taken = truth(self.pipeline(pipeline, dot, frame))
                self.walk_all(body if taken else otherwise, dot, frame)
                del frame.variables[scope:]
            case With(pipeline=pipeline, body=body, otherwise=otherwise):
                scope = len(frame.variables)
                value = self.pipeline(pipeline, dot, frame)
                if truth(value):
                    self.walk_all(body, value, frame)
                else:
                    self.walk_all(otherwise, dot, frame)
                del frame.variables[scope:]
            case Range():
                self.range(node, dot, frame)
            case Invoke():
                self.invoke(node, dot, frame)
            case Break():
                raise _BreakLoop
            case Continue():
                raise _ContinueLoop

    def range(self, node: Range, dot: Any, frame: _Frame) -> None:
        scope = len(frame.variables)
        names = node.pipeline.variables
        value = self.pipeline(node.pipeline, dot, frame, bind=False)
        items = self.items(value, node, frame)
        empty = True
        base = len(frame.variables)
        for key, item in items:
            empty = False
            self.spend(1, node, frame)
            bound = (item,) if len(names) == 1 else (key, item)
            for name, content in zip(names, bound, strict=False):
                if node.pipeline.assigns:
                    frame.assign(name, content)
                else:
                    frame.variables.append((name, content))
            try:
                self.walk_all(node.body, item, frame)
            except _ContinueLoop:
                pass
            except _BreakLoop:
                break
            finally:
                del frame.variables[base:]
        if empty:
            self.walk_all(node.otherwise, dot, frame)
        del frame.variables[scope:]

    def items(self, value: Any, node: Node, frame: _Frame) -> Any:
        if value is None or value is NO_VALUE:
            return ()
        if isinstance(value, Mapping):
            # Go visits keys in sorted order.
            return sorted(value.items(), key=lambda pair: (str(type(pair[0])), pair[0]))
        if is_sequence(value):
            return enumerate(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return ((index, index) for index in range(value))
        raise self.fail(f"range cannot go over {kind(value)}", node, frame)

    def invoke(self, node: Invoke, dot: Any, frame: _Frame) -> None:
        target = self.definitions.get(node.name)
        if target is None:
            hint = nearest(node.name, self.definitions)
            raise self.fail(f"template {node.name!r} is not defined{f' ({hint})' if hint else ''}", node, frame)
        self.depth += 1
        if self.depth > self.limits.depth:
            raise self.fail(f"templates nested more than {self.limits.depth} deep", node, frame)
        value = self.pipeline(node.pipeline, dot, frame) if node.pipeline is not None else None
        self.walk_all(target.body, value, _Frame(target, [("$", value)]))
        self.depth -= 1

    # --- values

    def pipeline(self, node: Pipeline, dot: Any, frame: _Frame, *, bind: bool = True) -> Any:
        value: Any = _NOTHING
        for command in node.commands:
            value = self.command(command, dot, frame, value)
        if bind:
            for name in node.variables:
                if node.assigns:
                    self.spend(len(frame.variables) // _VARIABLES_PER_STEP, node, frame)
                    frame.assign(name, value)
                else:
                    frame.variables.append((name, value))
        return value

    def command(self, node: Command, dot: Any, frame: _Frame, final: Any) -> Any:
        first, *rest = node.arguments
        match first:
            case Identifier(name=name):
                return self.call(name, first, tuple(rest), dot, frame, final)
            case Field(names=names):
                return self.fields(dot, names, first, tuple(rest), dot, frame, final)
            case Variable(name=name, names=names):
                self.spend(len(frame.variables) // _VARIABLES_PER_STEP, first, frame)
                value = frame.get(name)
                if names:
                    return self.fields(value, names, first, tuple(rest), dot, frame, final)
            case Chain(base=base, names=names):
                value = self.value(base, dot, frame)
                return self.fields(value, names, first, tuple(rest), dot, frame, final)
            case _:
                value = self.value(first, dot, frame)
        if rest or final is not _NOTHING:
            raise self.fail("arguments given to something that is not a function", first, frame)
        return value

    def value(self, node: Node, dot: Any, frame: _Frame) -> Any:
        self.spend(1, node, frame)
        match node:
            case Literal(value=value):
                return value
            case Dot():
                return dot
            case Nil():
                return None
            case Field(names=names):
                return self.fields(dot, names, node, (), dot, frame, _NOTHING)
            case Variable(name=name, names=names):
                self.spend(len(frame.variables) // _VARIABLES_PER_STEP, node, frame)
                return self.fields(frame.get(name), names, node, (), dot, frame, _NOTHING)
            case Chain(base=base, names=names):
                return self.fields(self.value(base, dot, frame), names, node, (), dot, frame, _NOTHING)
            case Pipeline():
                return self.pipeline(node, dot, frame)
            case Identifier(name=name):
                return self.call(name, node, (), dot, frame, _NOTHING)
            case _:
                raise self.fail("cannot be evaluated", node, frame)

    def arguments(self, nodes: tuple[Node, ...], dot: Any, frame: _Frame, final: Any) -> list[Any]:
        values = [self.value(node, dot, frame) for node in nodes]
        if final is not _NOTHING:
            values.append(final)
        return values

    def fields(
        self,
        value: Any,
        names: tuple[str, ...],
        node: Node,
        arguments: tuple[Node, ...],
        dot: Any,
        frame: _Frame,
        final: Any,
    ) -> Any:
        """Follow a chain of names; only the last may be a method with arguments."""
        for index, name in enumerate(names):
            last = index == len(names) - 1
            given = self.arguments(arguments, dot, frame, final) if last else []
            value = self.field(value, name, given, node, frame)
        return value

    def field(self, value: Any, name: str, given: list[Any], node: Node, frame: _Frame) -> Any:
        if value is NO_VALUE:
            return NO_VALUE
        offered: Mapping[str, str] = getattr(type(value), "go_names", {})
        if name in offered:
            found = getattr(value, offered[name])
            if callable(found):
                return self.guarded(lambda: found(*given), f"method {name}", node, frame)
            if given:
                raise self.fail(f"{name} has arguments but is not a method", node, frame)
            return found
        if given:
            raise self.fail(f"{name} is not a method but has arguments", node, frame)
        if isinstance(value, Mapping):
            return value[name] if name in value else self.missing(value)
        if value is None:
            raise self.fail(f"nil has no field {name}", node, frame)
        hint = nearest(name, offered)
        what = kind(value)
        raise self.fail(f"no field or method {name} in {what}{f' ({hint})' if hint else ''}", node, frame)

    def missing(self, value: Mapping[Any, Any]) -> Any:
        return "" if self.zero_for_missing and isinstance(value, StringMap) else NO_VALUE

    def call(
        self, name: str, node: Identifier, arguments: tuple[Node, ...], dot: Any, frame: _Frame, final: Any
    ) -> Any:
        function = self.functions.get(name)
        if function is None:
            raise self.fail(f"function {name!r} is not defined", node, frame)
        count = len(arguments) + (final is not _NOTHING)
        self.guarded(lambda: function.check_count(count), name, node, frame)
        if name in ("and", "or"):
            return self.short_circuit(name, arguments, dot, frame, final)
        values = self.arguments(arguments, dot, frame, final)
        if name != "index":
            for value in values:
                self.weight(value, node, frame)

        def run() -> Any:
            if name == "index":
                return self.index(values)
            ready = [convert(value, function.parameter(index)) for index, value in enumerate(values)]
            return function.call(*ready)

        return self.guarded(run, name, node, frame)

    def index(self, values: list[Any]) -> Any:
        value = values[0]
        for key in values[1:]:
            # Unlike a field, index yields Go's zero value for a missing key whatever the option.
            value = index_step(value, key, missing="" if isinstance(value, StringMap) else NO_VALUE)
        return value

    def short_circuit(self, name: str, arguments: tuple[Node, ...], dot: Any, frame: _Frame, final: Any) -> Any:
        value: Any = NO_VALUE
        for node in arguments:
            value = self.value(node, dot, frame)
            if truth(value) is (name == "or"):
                return value
        return value if final is _NOTHING else final

    def guarded(self, run: Callable[[], Any], what: str, node: Node, frame: _Frame) -> Any:
        """Run foreign code; what it complains about gets the place of the action."""
        try:
            result = run()
        except TemplateError:
            raise
        except (ValueError, TypeError, OverflowError, ArithmeticError, LookupError) as error:
            raise self.fail(f"error calling {what}: {error}", node, frame) from None
        if isinstance(result, str) and len(result) > self.limits.output:
            raise self.fail(f"{what} made a text longer than {self.limits.output} characters", node, frame)
        if isinstance(result, str | Mapping) or is_sequence(result):
            self.weight(result, node, frame)
        return result


__all__ = ["DEFAULT_LIMITS", "RenderLimits", "Struct", "execute"]
