"""What the platform said, in the language of the reader who asks (``lang``).

Texts are kept in the language of the settings, since that is what messages are sent in. Without ``lang`` an answer has
them as they were kept.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from eldonia_ops.incidents.brief import Brief
from eldonia_ops.model.alerts import LedgerEntry
from eldonia_ops.model.errors import Diagnostic
from eldonia_ops.model.incidents import TimelineEntry
from eldonia_ops.model.labels import Labels
from eldonia_ops.protocols.shipped_rules import shipped_groups
from eldonia_ops.protocols.shipped_sentences import described, said, said_of_alert, worded_entry
from eldonia_ops.rules.tuning import names_of
from eldonia_ops.services.api.managed import MachineView, RuleCardView, TrialView
from eldonia_ops.web.language import LANGUAGES
from eldonia_ops.web.native.incident_schemas import IncidentSummaryShape
from eldonia_ops.web.native.schemas import AlertShape, RuleGroupShape
from eldonia_ops.web.problems import Problem

_T = TypeVar("_T")


class Wording:
    """Texts in ``language``; '' leaves them as they were kept."""

    def __init__(self, language: str) -> None:
        self.language = language

    def reason(self, text: str) -> str:
        """An error or a reason, or several with semicolons between them."""
        if not self.language:
            return text
        now = said(text, self.language)
        return now if now != text or "; " not in text else "; ".join(map(self.reason, text.split("; ")))

    def of_alert(self, text: str) -> str:
        """The summary of an alert, or the title of its incident."""
        return said_of_alert(text, self.language) if self.language else text

    def description(self, text: str) -> str:
        """The description of an alert or of its incident."""
        return described(text, self.language) if self.language else text

    def reasons(self, found: Iterable[_T], *fields: str) -> list[_T]:
        """Dataclasses or structs with these fields, errors or reasons all, in the reader's language."""
        return [self._changed(one, {name: self.reason(getattr(one, name)) for name in fields}) for one in found]

    def annotations(self, annotations: Labels) -> Labels:
        """The annotations of an alert: the same object where nothing is different."""
        now = {
            name: self.description(text) if name == "description" else self.of_alert(text)
            for name, text in annotations.pairs
        }
        return annotations if now == dict(annotations.pairs) else Labels(now)

    def alert(self, shape: AlertShape) -> AlertShape:
        """An alert."""
        return self._changed(shape, {"annotations": self.annotations(shape.annotations)})

    def rule_group(self, shape: RuleGroupShape) -> RuleGroupShape:
        """A group of rules with what is said about them."""
        rules = [
            self._changed(
                rule,
                {
                    "comment": self.reason(rule.comment),
                    "annotations": self.annotations(rule.annotations),
                    "alerts": [self.alert(one) for one in rule.alerts],
                },
            )
            for rule in shape.rules
        ]
        return self._changed(shape, {"rules": rules})

    def ledger(self, entry: LedgerEntry) -> LedgerEntry:
        """A line of the ledger."""
        return self._changed(entry, {"reason": self.reason(entry.reason)})

    def incident(self, shape: IncidentSummaryShape) -> IncidentSummaryShape:
        """An incident."""
        return self._changed(
            shape, {"title": self.of_alert(shape.title), "description": self.description(shape.description)}
        )

    def entry(self, entry: TimelineEntry) -> TimelineEntry:
        """An entry of a timeline, with what it quotes of alerts and deliveries. What people wrote stays as it is."""
        return worded_entry(entry, self.language) if self.language else entry

    def brief(self, brief: Brief) -> Brief:
        """The first screen of an incident."""
        return self._changed(brief, {"description": self.description(brief.description)})

    def machine(self, view: MachineView) -> MachineView:
        """What was found on this machine."""
        found = tuple(self.reasons(view.found, "why", "step"))
        return self._changed(view, {"found": found, "remarks": tuple(map(self.reason, view.remarks))})

    def diagnostics(self, found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
        """What is wrong with a file."""
        return tuple(self.reasons(found, "message", "hint"))

    def trial(self, view: TrialView) -> TrialView:
        """What an entry would bring."""
        wanted = {"message": self.reason(view.message), "diagnostics": self.diagnostics(view.diagnostics)}
        return self._changed(view, wanted)

    def problem(self, problem: Problem) -> Problem:
        """What is wrong with a request."""
        return self._changed(problem, {"message": self.reason(problem.message), "hint": self.reason(problem.hint)})

    def cards(self, cards: Iterable[RuleCardView]) -> list[RuleCardView]:
        """Cards of rules; shipped ones have their texts in both languages."""
        if not self.language:
            return list(cards)
        texts = names_of(shipped_groups(self.language))
        return [
            replace(one, summary=texts[one.name][0].annotations.get("summary", ""))
            if one.shipped and one.name in texts
            else one
            for one in cards
        ]

    def _changed(self, one: _T, wanted: dict[str, Any]) -> _T:
        """The same object where nothing is different, so that what was encoded of it still counts."""
        different = {name: value for name, value in wanted.items() if getattr(one, name) != value}
        if not different:
            return one
        if isinstance(one, msgspec.Struct):
            return msgspec.structs.replace(one, **different)
        return replace(one, **different)  # pyright: ignore[reportArgumentType] - a dataclass


def wording_of(request: Request) -> Wording:
    """The wording that a request asks for."""
    wanted = request.query_params.get("lang", "")
    return Wording(wanted if wanted in LANGUAGES else "")
