"""The label ``service`` of servers that are watched by what they say of themselves."""

from collections.abc import Iterable

from eldonia_ops.model.labels import Labels
from eldonia_ops.settings.services import ServiceSettings


def server_labels(services: Iterable[ServiceSettings], job: str, instance: str, service: str, own: Labels) -> Labels:
    """The labels of a server's series.

    A server whose name is that of a service in the settings, or of one that a service there depends on, is that
    service: else an outage of the database that ``depends_on: [main-db]`` names would not be known to be one.
    """
    known = {name for one in services for name in (one.name, *one.depends_on)}
    found = service or (instance if instance in known else "")
    return Labels({"job": job, "instance": instance, **({"service": found} if found else {}), **own})
