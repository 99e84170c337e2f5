"""What a notification template sees: Alertmanager's ``.Status``, ``.Alerts``, ``.GroupLabels`` and kin.

Source: https://prometheus.io/docs/alerting/latest/notifications/#data
"""

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.labels import Labels
from eldonia_ops.template.instant import Instant
from eldonia_ops.template.values import StringMap, Struct


class Pair(Struct):
    """One label or annotation: ``.Name`` and ``.Value``."""

    go_names: ClassVar[Mapping[str, str]] = {"Name": "name", "Value": "value"}

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self.value = value


class Pairs(list[Pair]):
    """Pairs in order, with ``.Names`` and ``.Values``."""

    go_names: ClassVar[Mapping[str, str]] = {"Names": "names", "Values": "values", "String": "go_string"}

    def names(self) -> list[str]:
        """The names in order."""
        return [pair.name for pair in self]

    def values(self) -> list[str]:
        """The values in order."""
        return [pair.value for pair in self]

    def go_string(self) -> str:
        """``a=b, c=d``."""
        return ", ".join(f"{pair.name}={pair.value}" for pair in self)


class KV(StringMap):
    """Labels or annotations, with ``.SortedPairs``, ``.Names``, ``.Values``, ``.Remove``."""

    go_names: ClassVar[Mapping[str, str]] = {
        "SortedPairs": "sorted_pairs",
        "Names": "names",
        "Values": "sorted_values",
        "Remove": "remove",
        "String": "go_string",
    }

    def sorted_pairs(self) -> Pairs:
        """``alertname`` first, the rest by name."""
        ordered = sorted(self.items(), key=lambda pair: (pair[0] != "alertname", pair[0]))
        return Pairs(Pair(name, value) for name, value in ordered)

    def names(self) -> list[str]:
        """Names in the order of :meth:`sorted_pairs`."""
        return self.sorted_pairs().names()

    def sorted_values(self) -> list[str]:
        """Values in the order of :meth:`sorted_pairs`."""
        return self.sorted_pairs().values()

    def remove(self, names: Sequence[str]) -> "KV":
        """A copy without some names."""
        dropped = set(names)
        return KV({name: value for name, value in self.items() if name not in dropped})

    def go_string(self) -> str:
        """``a=b, c=d``."""
        return self.sorted_pairs().go_string()

    def escaped(self, escape: Callable[[str], str]) -> "KV":
        """A copy with every name and value passed through ``escape``."""
        return KV({escape(name): escape(value) for name, value in self.items()})


_NOT_YET: Final = Instant(None)


class AlertView(Struct):
    """One alert of a notification. A firing alert's ``.EndsAt`` is Go's zero time, as Alertmanager has it."""

    go_names: ClassVar[Mapping[str, str]] = {
        "Status": "status",
        "Labels": "labels",
        "Annotations": "annotations",
        "StartsAt": "starts_at",
        "EndsAt": "ends_at",
        "GeneratorURL": "generator_url",
        "Fingerprint": "fingerprint",
    }

    def __init__(self, alert: Alert, resolved: bool) -> None:
        self.status = "resolved" if resolved else "firing"
        self.labels = KV(alert.labels)
        self.annotations = KV(alert.annotations)
        self.starts_at = Instant(alert.starts_at)
        self.ends_at = Instant(alert.ends_at) if resolved else _NOT_YET
        self.generator_url = alert.generator_url
        self.fingerprint = alert.fingerprint

    def escaped(self, escape: Callable[[str], str]) -> "AlertView":
        """A copy with its labels, annotations and address passed through ``escape``."""
        view = copy.copy(self)
        view.labels, view.annotations = self.labels.escaped(escape), self.annotations.escaped(escape)
        view.generator_url = escape(self.generator_url)
        return view

    def go_json(self) -> dict[str, Any]:
        """As in Alertmanager's webhook payload."""
        return {
            "status": self.status,
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "startsAt": self.starts_at.rfc3339(),
            "endsAt": self.ends_at.rfc3339(),
            "generatorURL": self.generator_url,
            "fingerprint": self.fingerprint,
        }


class AlertViews(list[AlertView]):
    """Alerts, with ``.Firing`` and ``.Resolved``."""

    go_names: ClassVar[Mapping[str, str]] = {"Firing": "firing", "Resolved": "resolved"}

    def firing(self) -> list[AlertView]:
        """Those that fire."""
        return [alert for alert in self if alert.status == "firing"]

    def resolved(self) -> list[AlertView]:
        """Those that have ended."""
        return [alert for alert in self if alert.status == "resolved"]


class NotificationData(Struct):
    """The dot of a notification template. ``group_key`` and ``now`` are for the renderers, not for templates.

    ``incident_url`` is ours: the page of the incident that the alerts belong to, '' without one.
    """

    go_names: ClassVar[Mapping[str, str]] = {
        "Receiver": "receiver",
        "Status": "status",
        "Alerts": "alerts",
        "GroupLabels": "group_labels",
        "CommonLabels": "common_labels",
        "CommonAnnotations": "common_annotations",
        "ExternalURL": "external_url",
        "IncidentURL": "incident_url",
        "NotificationReason": "reason",
    }

    def __init__(
        self,
        *,
        receiver: str,
        group_labels: Mapping[str, str],
        alerts: Iterable[Alert],
        now: int,
        external_url: str = "",
        group_key: str = "",
        reason: str = "",
        incident_url: str = "",
    ) -> None:
        chosen = list(alerts)
        self.receiver = receiver
        self.alerts = AlertViews(AlertView(alert, alert.resolved(now)) for alert in chosen)
        self.status = "firing" if self.alerts.firing() else "resolved"
        self.group_labels = KV(group_labels)
        self.common_labels = _common([alert.labels for alert in chosen])
        self.common_annotations = _common([alert.annotations for alert in chosen])
        self.external_url = external_url.rstrip("/")
        self.group_key = group_key
        self.reason = reason
        self.incident_url = incident_url
        self.now = now

    def escaped(self, escape: Callable[[str], str]) -> "NotificationData":
        """A copy with all that came with the alerts passed through ``escape``.

        For targets with a markup of their own: what a template says stays markup, what labels and annotations
        say, which may be a stranger's words, becomes text.
        """
        data = copy.copy(self)
        data.alerts = AlertViews(alert.escaped(escape) for alert in self.alerts)
        data.group_labels = self.group_labels.escaped(escape)
        data.common_labels = self.common_labels.escaped(escape)
        data.common_annotations = self.common_annotations.escaped(escape)
        return data

    def go_json(self) -> dict[str, Any]:
        """As in Alertmanager's webhook payload, without its version and key."""
        return {
            "receiver": self.receiver,
            "status": self.status,
            "alerts": [alert.go_json() for alert in self.alerts],
            "groupLabels": dict(self.group_labels),
            "commonLabels": dict(self.common_labels),
            "commonAnnotations": dict(self.common_annotations),
            "externalURL": self.external_url,
        }


def _common(sets: Sequence[Labels]) -> KV:
    if not sets:
        return KV()
    shared = dict(sets[0].pairs)
    for other in sets[1:]:
        if not shared:
            break
        shared = {name: value for name, value in shared.items() if other.get(name) == value}
    return KV(shared)
