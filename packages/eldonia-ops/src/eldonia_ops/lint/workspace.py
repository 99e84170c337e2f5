"""What the files say together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from eldonia_ops.alerting.routing import Routing
from eldonia_ops.lint.places import place_of
from eldonia_ops.model.concealed import Concealed
from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.protocols.dashboard_file import ReadFile
from eldonia_ops.rules.groups import RuleGroup
from eldonia_ops.settings import Settings

SHIPPED: Final = "(shipped)"
"""Written in place of the path of a file that the platform ships."""


@dataclass(slots=True)
class Workspace:
    """Everything that could be read, by file, of faulty ones as well. ``concealed`` is what no message may show."""

    texts: Mapping[str, str]
    settings: dict[str, Settings] = field(default_factory=dict)
    routings: dict[str, Routing] = field(default_factory=dict)
    rules: dict[str, list[RuleGroup]] = field(default_factory=dict)
    dashboards: dict[str, ReadFile] = field(default_factory=dict)
    concealed: Concealed = field(default_factory=Concealed)

    def at(
        self,
        file: str,
        message: str,
        steps: Sequence[str | int],
        hint: str = "",
        level: Level = Level.ERROR,
    ) -> Diagnostic:
        """A diagnostic at the value that ``steps`` lead to in a YAML file."""
        line, column = place_of(self.texts.get(file, ""), file, *steps)
        return Diagnostic(message, file, line, column, hint, level)
