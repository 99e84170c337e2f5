"""Errors of a search, with what Elasticsearch's clients read of one."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any


class DslError(ValueError):
    """A request that cannot be answered. ``type`` and ``reason`` are as Elasticsearch writes them.

    ``details`` stand beside them (``line``, ``col``, ``caused_by``). With ``of_phase`` it is a fault that Elasticsearch
    finds on a shard, and wraps into a ``search_phase_execution_exception``. ``name`` is the key of the body at which
    it was found, '' when unknown.
    """

    def __init__(
        self,
        type: str,
        reason: str,
        *,
        status: int = 400,
        details: Mapping[str, Any] | None = None,
        of_phase: bool = False,
        name: str = "",
    ) -> None:
        super().__init__(reason)
        self.type = type
        self.reason = reason
        self.status = status
        self.details = dict(details or {})
        self.of_phase = of_phase
        self.name = name

    def body(self) -> dict[str, Any]:
        """The ``error`` object of an answer."""
        cause = {"type": self.type, "reason": self.reason, **self.details}
        if not self.of_phase:
            plain = {key: value for key, value in cause.items() if key != "caused_by"}
            return {"root_cause": [plain], **cause}
        shard = {"shard": 0, "index": "logs", "node": "eldonia-ops", "reason": cause}
        return {
            "root_cause": [cause],
            "type": "search_phase_execution_exception",
            "reason": "all shards failed",
            "phase": "query",
            "grouped": True,
            "failed_shards": [shard],
        }


def parsing(reason: str, name: str = "") -> DslError:
    """A part of the body that is not as it should be."""
    return DslError("parsing_exception", reason, name=name)


def illegal(reason: str) -> DslError:
    """A value that is not one of those allowed."""
    return DslError("illegal_argument_exception", reason)


def unknown(kind: str, name: str, known: Iterable[str]) -> DslError:
    """A query or aggregation that we do not have, with the names that are near."""
    near = difflib.get_close_matches(name, list(known), 3, 0.7)
    hint = "" if not near else f" did you mean [{near[0]}]?" if len(near) == 1 else f" did you mean any of {near}?"
    return DslError(
        "parsing_exception",
        f"unknown {kind} [{name}]{hint.replace(chr(39), '')}",
        details={"caused_by": {"type": "named_object_not_found_exception", "reason": f"unknown field [{name}]"}},
        name=name,
    )


def placed(error: DslError, body: bytes) -> DslError:
    """The same error with line and column of its key in the body, both from 1, where they are known."""
    if not error.name or "line" in error.details:
        return error
    key = f'"{error.name}"'.encode("utf-8", "replace")
    place = body.find(key)
    while place >= 0 and body[place + len(key) :].lstrip()[:1] != b":":
        place = body.find(key, place + 1)
    if place < 0:
        return error
    rest = body[place + len(key) :].lstrip()[1:].lstrip()
    before = body[: len(body) - len(rest)]
    line, column = before.count(b"\n") + 1, len(before) - (before.rfind(b"\n") + 1) + 1
    cause = error.details.pop("caused_by", None)
    error.details |= {"line": line, "col": column}
    if cause:
        error.details["caused_by"] = {**cause, "reason": f"[{line}:{column}] {cause['reason']}"}
    return error
