"""What a running platform says of itself, over its API."""

from dataclasses import dataclass, field
from typing import Any

from eldonia_ops.cli.client import ApiError, Client


@dataclass(frozen=True, slots=True)
class PlatformFacts:
    """Answers of the API as they came. ``problem`` says why there are none; ``refused`` that it was the token."""

    url: str
    problem: str = ""
    refused: bool = False
    health: dict[str, Any] = field(default_factory=dict)
    reload: dict[str, Any] = field(default_factory=dict)
    targets: list[dict[str, Any]] = field(default_factory=list)
    integrations: list[dict[str, Any]] = field(default_factory=list)
    notifications: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)


def ask(client: Client) -> PlatformFacts:
    """Ask the platform; what it does not answer is empty."""
    try:
        return PlatformFacts(
            client.url,
            health=client.get("/platform"),
            reload=client.get("/reload"),
            targets=client.get("/targets"),
            integrations=client.get("/alerts/integrations"),
            notifications=client.get("/notifications", limit=1000),
            refusals=client.get("/refusals"),
        )
    except ApiError as fault:
        return PlatformFacts(client.url, str(fault), fault.status in (401, 403))
