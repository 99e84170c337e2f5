"""The targets of a scrape job, after relabelling. Pure.

As in Prometheus: a target begins with ``__address__``, ``__scheme__``, ``__metrics_path__``, ``__scrape_interval__``,
``__scrape_timeout__``, ``__param_<name>``, ``job`` and the labels of its group; what is left of those with ``__`` in
front is taken off in the end, and ``instance`` is the address unless a rule set it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from eldonia_ops.collectors.scrape.config import ScrapeJob
from eldonia_ops.collectors.scrape.relabel_config import TargetGroup, first_values
from eldonia_ops.model.durations import format_duration, parse_duration
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.relabelling import relabelled

_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")


class TargetError(ValueError):
    """Relabelling leaves no address that can be fetched from; the message says what it leaves."""


@dataclass(frozen=True, slots=True)
class FoundTarget:
    """One target: its labels (``job`` and ``instance`` among them) and how it is fetched."""

    labels: Labels
    url: str
    interval_ms: int
    timeout_ms: int


def targets_of(job: ScrapeJob) -> Iterator[FoundTarget]:
    """The targets that rules do not drop, each once.

    Raises:
        TargetError: relabelling of one of them leaves no address, interval or scheme.
    """
    groups = (*([TargetGroup(job.targets, job.labels)] if job.targets else []), *job.static_configs)
    seen: set[FoundTarget] = set()
    for group in groups:
        for address in group.targets:
            found = _target(job, address, group.labels)
            if found is not None and found not in seen:
                seen.add(found)
                yield found


def _target(job: ScrapeJob, address: str, labels: Labels) -> FoundTarget | None:
    begun = {
        "job": job.job,
        "__address__": address,
        "__scheme__": job.scheme,
        "__metrics_path__": job.path,
        "__scrape_interval__": format_duration(job.interval),
        "__scrape_timeout__": format_duration(job.timeout),
        **{f"__param_{name}": value for name, value in first_values(job.params).items()},
        **labels,
    }
    left = relabelled(begun, job.relabel_configs)
    if left is None:
        return None
    where, scheme = left.get("__address__", ""), left.get("__scheme__", "")
    if _ADDRESS.fullmatch(where) is None or scheme not in ("http", "https"):
        raise TargetError(f"{address!r} becomes {scheme}://{where}, which is no address to scrape")
    try:
        interval, timeout = (parse_duration(left.get(f"__scrape_{name}__", "")) for name in ("interval", "timeout"))
    except ValueError as error:
        raise TargetError(f"{address!r}: {error}") from None
    kept = {name: value for name, value in left.items() if not name.startswith("__")}
    return FoundTarget(Labels({"instance": where, **kept}), _url(job, left, scheme, where), interval, timeout)


def _url(job: ScrapeJob, labels: dict[str, str], scheme: str, where: str) -> str:
    """The first value of each parameter is that of its label, which rules may have changed, added or removed."""
    prefix = "__param_"
    first = {name.removeprefix(prefix): value for name, value in labels.items() if name.startswith(prefix)}
    pairs: list[tuple[str, str]] = list(first.items())
    known: set[str] = set()
    for name, value in job.params:
        if name in known:
            pairs.append((name, value))
        known.add(name)
    path = quote(labels.get("__metrics_path__", "/"), safe="/%:@!$&'()*+,;=~-._")
    return f"{scheme}://{where}{path if path.startswith('/') else '/' + path}{'?' + urlencode(pairs) if pairs else ''}"
