"""What the platform refuses, and why."""


class NotFoundError(LookupError):
    """The thing named does not exist; the message says what was looked for."""


class RefusedError(ValueError):
    """The request is understood and not allowed in the present state; the message says why and what to do."""


class OverloadedError(RuntimeError):
    """More waits than may wait; nothing of the request was taken. The sender should come back in a moment."""


class PreconditionError(RuntimeError):
    """What the caller required of the stored text does not hold; the message says what became of it."""


class QueryError(ValueError):
    """A query, in PromQL or of logs, that cannot be parsed or answered.

    ``position`` is the 0-based character offset of the fault, or -1. ``kind`` is Prometheus' errorType:
    ``bad_data``, ``execution``, ``timeout``. ``hint`` says what to do about it. ``field`` names the parameter that
    holds the text, where there are several.
    """

    def __init__(
        self, message: str, position: int = -1, kind: str = "bad_data", hint: str = "", field: str = ""
    ) -> None:
        super().__init__(message)
        self.field = field
        self.position = position
        self.kind = kind
        self.hint = hint
