"""What a route is about: the kind of its subject and what it does to it, from its path and method alone. Pure."""

from dataclasses import dataclass
from typing import Final

NATIVE: Final = "/api/ops/v1"

# The longest prefix counts.
_KINDS: Final = {
    f"{NATIVE}/account": "account",
    f"{NATIVE}/account/tokens": "token",
    f"{NATIVE}/accounts": "account",
    f"{NATIVE}/alerts/receivers": "receiver",
    f"{NATIVE}/changes": "change",
    f"{NATIVE}/configuration": "configuration",
    f"{NATIVE}/dashboards": "dashboard",
    f"{NATIVE}/incidents": "incident",
    f"{NATIVE}/logs/erasures": "erasure",
    f"{NATIVE}/logs/retention": "log_retention",
    f"{NATIVE}/logs/searches": "saved_search",
    f"{NATIVE}/notifications": "notification",
    f"{NATIVE}/promql/searches": "saved_search",
    f"{NATIVE}/recovery": "service",
    f"{NATIVE}/reload": "configuration",
    f"{NATIVE}/security/findings": "finding",
    f"{NATIVE}/sessions": "session",
    f"{NATIVE}/silences": "silence",
    f"{NATIVE}/tokens": "token",
    "/-/reload": "configuration",
    "/api/v2/silence": "silence",
    "/api/v2/silences": "silence",
    "/sign-out": "session",
}
_BY_METHOD: Final = {"POST": "created", "PUT": "changed", "PATCH": "changed", "DELETE": "deleted"}
_NAMED: Final = {"/-/reload": "reload", f"{NATIVE}/reload": "reload", "/sign-out": "signed_out"}


@dataclass(frozen=True, slots=True)
class Act:
    """What a route does: ``action`` (a verb, or the last word of its path) to a subject of ``kind``.

    ``parameter`` names the part of the path that is the subject's id, '' where there is none.
    """

    kind: str
    action: str
    parameter: str


def act_of(path: str, method: str) -> Act:
    """The act of a route with this pattern of a path. A kind that is not known is the first word of the path."""
    fitting = [one for one in _KINDS if path == one or path.startswith(one + "/")]
    kind = _KINDS[max(fitting, key=len)] if fitting else path.removeprefix(NATIVE).strip("/").partition("/")[0]
    parts = path.strip("/").split("/")
    parameters = [part.strip("{}").partition(":")[0] for part in parts if part.startswith("{")]
    own = path == f"{NATIVE}/account" or (path.startswith(f"{NATIVE}/account/") and kind == "account")
    named = parts[-1] if parameters and not parts[-1].startswith("{") else ""
    if own and path != f"{NATIVE}/account":
        named = parts[-1]
    action = _NAMED.get(path) or named or _BY_METHOD.get(method, method.lower())
    return Act(kind, action, parameters[0] if parameters else "")
