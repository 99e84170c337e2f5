"""Remarks on a result: something was odd, though there is an answer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Annotation:
    """A remark and the place in the query (0-based offset) that it is about; ``warning`` is graver than info."""

    message: str
    position: int = 0
    warning: bool = True

    def render(self, query: str = "") -> str:
        """The remark as Prometheus words it, with line and column when the query is given."""
        kind = "warning" if self.warning else "info"
        before = query[: self.position]
        line, column = before.count("\n") + 1, self.position - (before.rfind("\n") + 1) + 1
        place = f" ({line}:{column})" if query else ""
        return f"PromQL {kind}: {self.message}{place}"


class Annotations:
    """Remarks gathered during one evaluation, each once."""

    def __init__(self) -> None:
        self._found: dict[Annotation, None] = {}

    def warn(self, message: str, position: int) -> None:
        """Add a warning."""
        self._found.setdefault(Annotation(message, position, warning=True))

    def inform(self, message: str, position: int) -> None:
        """Add an info."""
        self._found.setdefault(Annotation(message, position, warning=False))

    def all(self) -> tuple[Annotation, ...]:
        """Everything so far, in order."""
        return tuple(self._found)
