"""Looking at the platform and the receiver from outside, as a person with a browser would."""

import contextlib
from typing import Any

import httpx

from eldonia_ops.cli.client import ApiError, Client


class Observer:
    """Questions about what has happened so far; each answers None while there is nothing to see."""

    def __init__(self, client: Client, receiver_url: str) -> None:
        self.client = client
        self._receiver = httpx.Client(base_url=receiver_url, timeout=5.0, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()
        self._receiver.close()

    def ask(self, path: str, **params: Any) -> Any:
        """GET from the native API, None while the platform does not answer."""
        with contextlib.suppress(ApiError):
            return self.client.get(path, **params)
        return None

    def number(self, query: str) -> float:
        """The first value of an instant query, 0.0 when there is none."""
        result = self.ask("/query", query=query)
        if not result or not result["series"]:
            return 0.0
        with contextlib.suppress(TypeError, ValueError):
            return float(result["series"][0]["points"][-1][1])
        return 0.0

    def log_count(self) -> int:
        """How many log records the last ten minutes hold."""
        result = self.ask("/logs/histogram", since="-10m")
        return int(result["total"]) if result else 0

    def traces(self, service: str) -> list[dict[str, Any]]:
        """Traces of a service, newest first."""
        return self.ask("/traces", service=service, since="-10m", limit=20) or []

    def firing(self, service: str) -> dict[str, Any] | None:
        """A firing (or suppressed) alert about a service."""
        for alert in self.ask("/alerts") or []:
            if alert["labels"].get("service") == service and alert["state"] in ("firing", "suppressed"):
                return alert
        return None

    def incident_of(self, alertname: str, since_ms: int) -> dict[str, Any] | None:
        """The newest incident in which this alert has fired since an instant, opened or reopened by it."""
        for incident in self.ask("/incidents", limit=50) or []:
            whole = self.incident(incident["id"])
            if whole and any(
                entry["kind"] == "alert.firing"
                and entry["at"] >= since_ms
                and entry["data"].get("alertname") == alertname
                for entry in whole["timeline"]
            ):
                return whole
        return None

    def incident(self, id: str) -> dict[str, Any] | None:
        """An incident's fields, with its ``timeline``."""
        found = self.ask(f"/incidents/{id}")
        return {**found["incident"], "timeline": found["timeline"]} if found else None

    def received(self) -> list[dict[str, Any]]:
        """Everything that arrived at the receiver, oldest first."""
        with contextlib.suppress(httpx.HTTPError, ValueError, KeyError):
            body = self._receiver.get("/received").json()
            return list(body["received"])
        return []

    def findings(self) -> list[dict[str, Any]]:
        """Security findings, newest first."""
        return self.ask("/security/findings", limit=50) or []

    def recovery(self, service: str) -> dict[str, Any] | None:
        """The recovery state of a service."""
        return next((view for view in self.ask("/recovery") or [] if view["service"] == service), None)


def mentions(message: dict[str, Any], *words: str) -> bool:
    """Whether a received message has all the words somewhere in its body."""
    text = str(message)
    return all(word in text for word in words)
