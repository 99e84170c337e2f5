"""Expanding the templates of a receiver so that a faulty one never costs the notification."""

from typing import Any

from eldonia_ops.template import NotificationData, TemplateError, TemplateSet


class Expansion:
    """Expands texts against one notification's data; what fails becomes a plain text that says so.

    A page with an ugly title is better than no page. ``errors`` collects what failed.
    """

    def __init__(self, data: NotificationData, templates: TemplateSet, errors: list[str] | None = None) -> None:
        self.data = data
        self.templates = templates
        self.errors: list[str] = [] if errors is None else errors

    def text(self, template: str, *, fallback: str = "") -> str:
        """The expanded template, or ``fallback`` when it fails."""
        try:
            return self.templates.expand(template, self.data, self.data.now)
        except TemplateError as error:
            self.errors.append(str(error))
            return fallback

    def complaint(self) -> str:
        """A sentence about what failed, or ''."""
        return f"(template error: {self.errors[0]})" if self.errors else ""

    def subject(self) -> str:
        """What happened, without any template."""
        names = ", ".join(dict.fromkeys(alert.labels.get("alertname", "alert") for alert in self.data.alerts))
        return f"[{self.data.status.upper()}] {names or 'alert'}"


def truncate(text: str, limit: int) -> str:
    """At most ``limit`` characters, the last an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def without_empty(mapping: dict[str, Any]) -> dict[str, Any]:
    """A copy without values that are empty texts or lists."""
    return {key: value for key, value in mapping.items() if value not in ("", [], None)}
