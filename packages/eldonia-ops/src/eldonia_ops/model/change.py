"""What was changed on purpose: a deploy, a configuration. The first question in an incident is what changed before."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

APART: Final = "; "
"""Between the things that one change changed, in its title."""


class ChangeKind(StrEnum):
    """What kind of thing was changed."""

    DEPLOY = "deploy"
    CONFIGURATION = "configuration"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Change:
    """One change. ``at`` is when it was made (Unix milliseconds); ``service`` is empty when it is about no single one.

    ``version`` and ``url`` (the release, the pull request) are empty when not known. ``by`` is the person or token
    that reported it.
    """

    id: str
    at: int
    kind: ChangeKind
    service: str
    title: str
    version: str = ""
    url: str = ""
    by: str = ""

    @property
    def is_own(self) -> bool:
        """Whether it is one of the settings of this platform, which it records itself."""
        return self.kind is ChangeKind.CONFIGURATION and not self.service
