"""Which container writes a log file, by the name of the file: what the kubelet and docker call their files.

Names are OpenTelemetry's: https://opentelemetry.io/docs/specs/semconv/resource/k8s/. The kubelet's are described in
https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md; a name of a namespace, pod
or container has no underscore.
"""

import re
from collections.abc import Mapping
from typing import Final

NAMESPACE: Final = "k8s.namespace.name"
POD: Final = "k8s.pod.name"
POD_UID: Final = "k8s.pod.uid"
CONTAINER: Final = "k8s.container.name"
RESTARTS: Final = "k8s.container.restart_count"
CONTAINER_ID: Final = "container.id"

_NAME: Final = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
_FORMS: Final = (
    # A link of the kubelet: POD_NAMESPACE_CONTAINER-ID.log
    (
        re.compile(rf"(?:.*/)?containers/({_NAME})_({_NAME})_({_NAME})-([0-9a-f]{{64}})\.log"),
        (POD, NAMESPACE, CONTAINER, CONTAINER_ID),
    ),
    # Where it leads to: NAMESPACE_POD_UID/CONTAINER/RESTARTS.log
    (
        re.compile(rf"(?:.*/)?pods/({_NAME})_({_NAME})_([0-9a-zA-Z-]{{1,64}})/({_NAME})/([0-9]{{1,9}})\.log"),
        (NAMESPACE, POD, POD_UID, CONTAINER, RESTARTS),
    ),
    # docker's json-file: ID/ID-json.log
    (re.compile(r"(?:.*/)?containers/([0-9a-f]{64})/\1-json\.log"), (CONTAINER_ID,)),
)


def container_of(path: str) -> Mapping[str, str]:
    """What the path of a log file says of its container, by OpenTelemetry's names; empty for any other file."""
    if len(path) > 1_024:
        return {}
    for form, names in _FORMS:
        if match := form.fullmatch(path):
            return dict(zip(names, match.groups(), strict=True))
    return {}
