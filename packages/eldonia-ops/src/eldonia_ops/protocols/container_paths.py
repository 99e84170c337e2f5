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

_NAME: Final = re.compile(r"[a-z0-9.-]{1,253}")
_ID: Final = re.compile(r"[0-9a-f]{64}")
_UID: Final = re.compile(r"[0-9a-zA-Z-]{1,64}")
_COUNT: Final = re.compile(r"[0-9]{1,9}")
_LONGEST: Final = 1_024


def container_of(path: str) -> Mapping[str, str]:
    """What the path of a log file says of its container, by OpenTelemetry's names; empty for any other file."""
    folders = path.split("/") if len(path) <= _LONGEST else []
    if len(folders) < 2 or not folders[-1].endswith(".log"):
        return {}
    name = folders[-1].removesuffix(".log")
    if folders[-2] == "containers":
        return _linked(name)
    if folders[-3:-2] == ["containers"]:
        return {CONTAINER_ID: folders[-2]} if _ID.fullmatch(folders[-2]) and name == f"{folders[-2]}-json" else {}
    return _of_pod(folders[-3], folders[-2], name) if folders[-4:-3] == ["pods"] else {}


def _linked(name: str) -> Mapping[str, str]:
    """A link of the kubelet: ``POD_NAMESPACE_CONTAINER-ID``."""
    names, _, id = name.rpartition("-")
    parts = names.split("_")
    if len(parts) != 3 or not all(map(_is_name, parts)) or not _ID.fullmatch(id):
        return {}
    return dict(zip((POD, NAMESPACE, CONTAINER, CONTAINER_ID), (*parts, id), strict=True))


def _of_pod(folder: str, container: str, restarts: str) -> Mapping[str, str]:
    """Where that leads to: ``NAMESPACE_POD_UID``, ``CONTAINER`` and ``RESTARTS``."""
    parts = folder.split("_")
    known = len(parts) == 3 and all(map(_is_name, (*parts[:2], container)))
    if not known or not _UID.fullmatch(parts[2]) or not _COUNT.fullmatch(restarts):
        return {}
    return dict(zip((NAMESPACE, POD, POD_UID, CONTAINER, RESTARTS), (*parts, container, restarts), strict=True))


def _is_name(text: str) -> bool:
    return bool(_NAME.fullmatch(text)) and text[0] not in ".-" and text[-1] not in ".-"
