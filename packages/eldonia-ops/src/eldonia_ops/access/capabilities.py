"""What each role may do. Whatever is not written here is refused."""

from enum import StrEnum
from typing import Final

from eldonia_ops.model.access import Role


class Capability(StrEnum):
    """What a route asks for.

    ``ingest`` writes telemetry; ``read`` sees it and everything derived from it; ``respond`` acts on
    alerts, silences, incidents and findings; ``administer`` reloads, backs up and hands out tokens.
    """

    INGEST = "ingest"
    READ = "read"
    RESPOND = "respond"
    ADMINISTER = "administer"


_GRANTED: Final[dict[Role, frozenset[Capability]]] = {
    Role.INGEST: frozenset({Capability.INGEST}),
    Role.VIEWER: frozenset({Capability.READ}),
    Role.RESPONDER: frozenset({Capability.READ, Capability.RESPOND}),
    Role.ADMIN: frozenset(Capability),
}


def permits(role: Role | None, capability: Capability) -> bool:
    """Whether a role may do something; no role (not signed in), or an unknown one, may do nothing."""
    return role is not None and capability in _GRANTED.get(role, frozenset())
