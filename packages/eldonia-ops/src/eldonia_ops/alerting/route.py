"""The routing tree: which receivers hear about an alert, and how it is grouped for them.

Source of the semantics: https://prometheus.io/docs/alerting/latest/configuration/#route
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import Matcher, all_match


@dataclass(frozen=True, slots=True)
class Route:
    """One node of the tree, its inherited settings filled in.

    ``id`` is unique within the tree and stable while the tree keeps its shape; ``key`` spells the
    matchers from the root down, as Alertmanager's group keys do (siblings may share it). Durations
    are milliseconds. ``line`` is the route's line in its file, 0 if unknown.
    """

    id: str
    key: str
    receiver: str
    matchers: tuple[Matcher, ...] = ()
    continues: bool = False
    group_by: tuple[str, ...] = ()
    group_by_all: bool = False
    group_wait: int = 30_000
    group_interval: int = 300_000
    repeat_interval: int = 14_400_000
    mute_time_intervals: tuple[str, ...] = ()
    active_time_intervals: tuple[str, ...] = ()
    routes: tuple["Route", ...] = ()
    line: int = 0

    def match(self, labels: Mapping[str, str]) -> list["Route"]:
        """The routes that take an alert, in order: the deepest that match; a matching route ends the
        search among its siblings unless it continues. Empty when this route does not match."""
        if not all_match(self.matchers, labels):
            return []
        found: list[Route] = []
        for child in self.routes:
            matched = child.match(labels)
            found += matched
            if matched and not child.continues:
                break
        return found or [self]

    def walk(self) -> Iterator["Route"]:
        """This route and all below it, parents first."""
        yield self
        for child in self.routes:
            yield from child.walk()

    def group_labels(self, labels: Labels) -> Labels:
        """The labels that an alert's group is named by."""
        if self.group_by_all:
            return labels
        return _named(self.group_by, tuple([labels.get(name, "") for name in self.group_by]))


@lru_cache(maxsize=10_000)
def _named(names: tuple[str, ...], values: tuple[str, ...]) -> Labels:
    """These labels; a storm asks for those of a few groups thousands of times."""
    return Labels(zip(names, values, strict=True))


def spell_matchers(matchers: tuple[Matcher, ...]) -> str:
    """Matchers in braces, in the order in which Alertmanager spells them."""
    ordered = sorted(matchers, key=lambda matcher: (matcher.name, matcher.value, matcher.op.value))
    return "{" + ",".join(str(matcher) for matcher in ordered) + "}"


def spell_group_key(route: Route, labels: Labels) -> str:
    """Alertmanager's group key, such as ``{}/{severity="critical"}:{alertname="Down"}``."""
    return f"{route.key}:{labels}"
