"""``@type kubernetes_path``: namespace, pod and container from the path of a container's log file.

Kubernetes links ``/var/log/containers/POD_NAMESPACE_CONTAINER-ID.log``:
https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/kuberuntime/legacy.go. ``kubernetes_metadata`` of
fluent-plugin-kubernetes_metadata_filter is read as this; what that asks of the cluster is left out.
"""

import re
from functools import lru_cache
from typing import Any, ClassVar, Final

from eldonia_ops.model.errors import Level
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.filters.filter import Filtered, StatelessFilter
from eldonia_ops.pipeline.record_edits import as_text
from eldonia_ops.pipeline.record_fields import field_of, steps_of
from eldonia_ops.pipeline.section import SectionReader

_NAME: Final = re.compile(
    r"(?:^|[./])containers[./](?P<pod>[a-z0-9][a-z0-9.-]{0,252})_(?P<namespace>[a-z0-9][a-z0-9-]{0,62})_"
    r"(?P<container>[a-z0-9][a-z0-9._-]{0,252})-(?P<id>[a-f0-9]{64})\.log$",
    re.ASCII,
)
# /var/log/pods/NAMESPACE_POD_UID/CONTAINER/N.log, where the link leads to
_POD: Final = re.compile(
    r"(?:^|[./])pods[./](?P<namespace>[a-z0-9][a-z0-9-]{0,62})_(?P<pod>[a-z0-9][a-z0-9.-]{0,252})_"
    r"(?P<uid>[a-f0-9-]{32,36})[./](?P<container>[a-z0-9][a-z0-9_-]{0,252})[./][0-9]+\.log$",
    re.ASCII,
)


@lru_cache(maxsize=4_096)
def pod_of(path: str) -> dict[str, Any]:
    """The fields that a path or tag gives; none for one of another form."""
    match = _NAME.search(path) or _POD.search(path)
    if match is None:
        return {}
    groups = match.groupdict()
    found: dict[str, Any] = {
        "kubernetes": {
            "namespace_name": groups["namespace"],
            "pod_name": groups["pod"],
            "container_name": groups["container"],
            **({"pod_id": groups["uid"]} if groups.get("uid") else {}),
        }
    }
    if groups.get("id"):
        found["docker"] = {"container_id": groups["id"]}
    return found


class KubernetesPath(StatelessFilter):
    """Adds ``kubernetes`` and ``docker`` to records. The path is in the field ``path_key``, or else in the tag."""

    type: ClassVar[str] = "kubernetes_path"

    def __init__(self, reader: SectionReader) -> None:
        self._key = reader.string("path_key")
        try:
            steps_of(self._key)
        except ValueError as error:
            reader.problem(str(error), "path_key")
        if reader.section.type == "kubernetes_metadata":
            message = "labels and annotations are not asked of the cluster: names come from the path of the file"
            reader.problem(message, "@type", level=Level.WARNING)
            reader.ignore(*reader.section.parameters)

    def filter(self, batch: Batch) -> Filtered:
        """The events with their pods."""
        if not self._key:
            fields = pod_of(batch.tag)
            if not fields:
                return Filtered(batch.events)
            return Filtered(tuple([Event(event.time_ns, {**event.record, **fields}) for event in batch.events]))
        events = []
        for event in batch.events:
            fields = pod_of(as_text(field_of(event.record, self._key)))
            events.append(Event(event.time_ns, {**event.record, **fields}) if fields else event)
        return Filtered(tuple(events))
