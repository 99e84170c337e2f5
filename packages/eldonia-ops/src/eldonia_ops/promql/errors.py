"""What can go wrong between a query's text and its result."""


class PromQLError(ValueError):
    """Any fault of a query: in its text, in what it asks for, or met while computing it.

    ``position`` is the 0-based character offset in the query where the fault lies, -1 when unknown.
    """

    def __init__(self, message: str, position: int = -1) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


class ParseError(PromQLError):
    """A query whose text is not PromQL, or whose types do not fit.

    ``position`` and ``end`` delimit the offending text (0-based character offsets, end exclusive);
    ``line`` and ``column`` count from 1. ``str()`` reads as Prometheus prints it, ``1:5: parse error: ...``.
    """

    def __init__(self, message: str, query: str, position: int, end: int | None = None) -> None:
        position = max(0, min(position, len(query)))
        self.end = position + 1 if end is None else end
        before = query[:position]
        self.line = before.count("\n") + 1
        self.column = position - (before.rfind("\n") + 1) + 1
        self.query = query
        super().__init__(message, position)

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: parse error: {self.message}"


class LimitError(PromQLError):
    """A query that asks for more than the limits allow."""


class EvaluationError(PromQLError):
    """A query that is well formed but has no result for this data, such as many-to-many matching."""


class UnsupportedError(EvaluationError):
    """A query that needs of native histograms what this implementation does not have."""


class UnsupportedSyntaxError(ParseError):
    """A query whose syntax is right and means something only for start timestamps."""
