"""Parsed templates: one text, or a set of files that share their definitions."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from eldonia_ops.model.errors import Diagnostic, nearest
from eldonia_ops.template.errors import TemplateError
from eldonia_ops.template.execute import DEFAULT_LIMITS, RenderLimits, execute
from eldonia_ops.template.functions import BUILTINS, Function
from eldonia_ops.template.group_labels import GroupLabel, group_labels
from eldonia_ops.template.lexer import position
from eldonia_ops.template.nodes import Definition
from eldonia_ops.template.notification_data import KV
from eldonia_ops.template.notification_functions import notification_functions
from eldonia_ops.template.parser import parse_text
from eldonia_ops.template.rule_functions import rule_functions

ALL_FUNCTIONS: Mapping[str, Function] = {**rule_functions(), **notification_functions()}
"""Every function known by name; which of them a text may use is up to its place."""


@dataclass(frozen=True, slots=True)
class Template:
    """One parsed text with the definitions that it makes."""

    main: Definition
    definitions: Mapping[str, Definition]

    def execute(
        self,
        data: Any,
        functions: Mapping[str, Function] | None = None,
        *,
        variables: Mapping[str, Any] | None = None,
        zero_for_missing: bool = False,
        limits: RenderLimits = DEFAULT_LIMITS,
    ) -> str:
        """Render against data; ``functions`` are added to Go's own and replace those of the same name.

        Raises:
            TemplateError: with the place of what failed.
        """
        return execute(
            self.main,
            data,
            definitions=self.definitions,
            functions={**ALL_FUNCTIONS, **BUILTINS, **(functions or {})},
            variables=variables,
            zero_for_missing=zero_for_missing,
            limits=limits,
        )


def parse(
    text: str, name: str = "", *, functions: Collection[str] | None = None, variables: Collection[str] = ()
) -> Template:
    """Parse one text.

    ``functions`` names the functions it may call beside Go's own (default: all known);
    ``variables`` (with dollar signs) exist from the start.

    Raises:
        TemplateError: with line and column.
    """
    allowed = {*BUILTINS, *(ALL_FUNCTIONS if functions is None else functions)}
    parsed = parse_text(text, name, allowed, variables)
    return Template(parsed.main, {item.name: item for item in parsed.definitions})


class TemplateSet:
    """The definitions of several files, and the expansion of texts that use them.

    A later file replaces what an earlier one defined under the same name.
    """

    def __init__(self) -> None:
        self._definitions: dict[str, Definition] = {}
        self._functions = notification_functions()
        self._allowed = {*BUILTINS, *self._functions}
        self._cache: dict[str, tuple[Definition, Mapping[str, Definition]]] = {}

    @property
    def names(self) -> list[str]:
        """Names defined so far, sorted."""
        return sorted(self._definitions)

    def add(self, text: str, name: str) -> None:
        """Take the definitions of one file; its text outside of definitions is known by the file's name.

        Raises:
            TemplateError: the file does not parse; the set is unchanged.
        """
        parsed = parse_text(text, name, self._allowed)
        self._cache.clear()
        base = name.replace("\\", "/").rsplit("/", 1)[-1]
        main = Definition(base, parsed.main.body, text, name, 0, parsed.main.invokes)
        for definition in (main, *parsed.definitions):
            if definition.name not in self._definitions or not definition.blank:
                self._definitions[definition.name] = definition

    def _parsed(self, text: str) -> tuple[Definition, Mapping[str, Definition]]:
        known = self._cache.get(text)
        if known is None:
            parsed = parse_text(text, "", self._allowed)
            local = {item.name: item for item in parsed.definitions}
            known = (parsed.main, {**self._definitions, **local} if local else self._definitions)
            if len(self._cache) < 1_000:
                self._cache[text] = known
        return known

    def expand(self, text: str, data: Any, now: int | None = None, limits: RenderLimits = DEFAULT_LIMITS) -> str:
        """Render a text that may use the set's definitions; a missing label reads as empty.

        Raises:
            TemplateError: it does not parse, or fails.
        """
        if "{{" not in text:
            return text
        main, definitions = self._parsed(text)
        functions = self._functions if now is None else notification_functions(now)
        return execute(
            main,
            data,
            definitions=definitions,
            functions={**functions, **BUILTINS},
            zero_for_missing=True,
            limits=limits,
        )

    def check(self, text: str) -> list[tuple[str, int, int]]:
        """What is wrong with a text, as ``(message, line, column)``: its syntax, and templates it names
        that are not defined."""
        try:
            main, definitions = self._parsed(text)
        except TemplateError as error:
            return [(error.message, error.line, error.column)]
        own = [item for name, item in definitions.items() if self._definitions.get(name) is not item]
        return [
            (_undefined(invoke.name, definitions), *position(item.text, invoke.offset))
            for item in (main, *own)
            for invoke in item.invokes
            if invoke.name not in definitions
        ]

    def group_labels(self, text: str) -> list[GroupLabel]:
        """The labels of the group that a text reads by name; none for one that does not parse."""
        if "{{" not in text:
            return []
        try:
            main, definitions = self._parsed(text)
        except TemplateError:
            return []
        return group_labels(main, definitions, KV.go_names)

    def diagnostics(self) -> list[Diagnostic]:
        """Templates that the set's own definitions use and that are not defined."""
        return [
            Diagnostic(_undefined(invoke.name, self._definitions), item.origin, *position(item.text, invoke.offset))
            for item in self._definitions.values()
            for invoke in item.invokes
            if invoke.name not in self._definitions
        ]


def _undefined(name: str, known: Collection[str]) -> str:
    hint = nearest(name, known)
    return f"template {name!r} is not defined{f' ({hint})' if hint else ''}"
