"""From label matchers to series: an inverted index in memory."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.matchers import Matcher, MatchOp

_MAX_VERDICTS: Final = 1_000_000
"""How many answers of matchers about values are kept, each matcher counted as one more: some 100 MB at most."""


class SeriesIndex:
    """Postings by label name and value.

    Series are numbered by the caller. ``generation`` changes whenever a series comes or goes, so
    that callers can keep what they derived from a selection.
    """

    def __init__(self) -> None:
        self.generation = 0
        self._labels: dict[int, Labels] = {}
        self._postings: dict[str, dict[str, set[int]]] = {}
        # What a matcher says of a value never changes, so values that are gone may stay: the bound below holds anyway.
        self._verdicts: OrderedDict[Matcher, dict[str, bool]] = OrderedDict()
        self._verdict_count = 0

    def __len__(self) -> int:
        return len(self._labels)

    def add(self, number: int, labels: Labels) -> None:
        """Enter a series under an unused number."""
        self.generation += 1
        self._labels[number] = labels
        for name, value in labels.pairs:
            self._postings.setdefault(name, {}).setdefault(value, set()).add(number)

    def remove(self, number: int) -> None:
        """Forget a series."""
        self.generation += 1
        for name, value in self._labels.pop(number).pairs:
            values = self._postings[name]
            values[value].discard(number)
            if not values[value]:
                del values[value]
                if not values:
                    del self._postings[name]

    def select(self, matchers: Sequence[Matcher]) -> list[int]:
        """Numbers of the series that satisfy every matcher, ascending."""
        required: list[set[int]] = []
        excluded: list[set[int]] = []
        for matcher in matchers:
            postings = self._postings.get(matcher.name, {})
            if matcher.matches_value(""):
                # A series without the label satisfies it: only values that do not match rule a series out.
                excluded += [postings[value] for value in self._values(matcher, postings, wanted=False)]
            else:
                found = [postings[value] for value in self._values(matcher, postings, wanted=True)]
                if not found:
                    return []
                required.append(found[0] if len(found) == 1 else set().union(*found))
        if required:
            required.sort(key=len)
            numbers = set.intersection(*required)
        else:
            numbers = set(self._labels)
        for gone in excluded:
            numbers = numbers - gone
        return sorted(numbers)

    def _values(self, matcher: Matcher, postings: dict[str, set[int]], *, wanted: bool) -> Iterable[str]:
        if matcher.op is MatchOp.EQUAL and wanted:
            return [matcher.value] if matcher.value in postings else []
        verdicts = self._verdicts.get(matcher)
        if verdicts is None:
            verdicts = self._verdicts[matcher] = {}
            self._verdict_count += 1
        else:
            self._verdicts.move_to_end(matcher)
        known = len(verdicts)
        found: list[str] = []
        for value in postings:
            verdict = verdicts.get(value)
            if verdict is None:
                verdict = verdicts[value] = matcher.matches_value(value)
            if verdict is wanted:
                found.append(value)
        self._verdict_count += len(verdicts) - known
        while self._verdict_count > _MAX_VERDICTS:
            _, oldest = self._verdicts.popitem(last=False)
            self._verdict_count -= 1 + len(oldest)
        return found


def metric_name(matchers: Sequence[Matcher]) -> str:
    """The metric name that the matchers pin down, or an empty string."""
    for matcher in matchers:
        if matcher.name == METRIC_NAME and matcher.op is MatchOp.EQUAL:
            return matcher.value
    return ""
