"""Who may do what with the platform's own interfaces."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a token may do. ``ingest`` writes telemetry and reads nothing; ``viewer`` reads and
    changes nothing; ``responder`` also acts on alerts and incidents; ``admin`` does everything."""

    INGEST = "ingest"
    VIEWER = "viewer"
    RESPONDER = "responder"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Token:
    """A stored access token. Only the SHA-256 of the secret is kept (``digest``, 64 hex digits).

    Instants are Unix milliseconds; 0 is "never", for ``expires_at`` too.
    """

    id: str
    name: str
    role: Role
    digest: str
    created_at: int
    last_used_at: int = 0
    revoked_at: int = 0
    expires_at: int = 0

    def live(self, now: int) -> bool:
        """Whether it opens anything at an instant. A revoked token stays so, whatever the clock is set to."""
        return not self.revoked_at and not 0 < self.expires_at <= now
