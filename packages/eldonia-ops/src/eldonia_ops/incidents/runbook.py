"""Runbooks as data: which steps an incident's people are walked through (the seed's section 9.5.2).

The general procedure is a list of steps, each with the severities that it is for; a playbook adds
steps for one service or one alert. This module holds values; reading them from YAML is
:mod:`eldonia_ops.protocols.runbook_file`'s part.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from eldonia_ops.model.incidents import ChecklistItem, Severity, TimelineEntry

PHASES: Final = ("detect", "assess", "respond", "recover", "learn", "report")
"""The phases in the order in which they are walked."""

GENERAL: Final = "general"
"""The name that an incident carries when no playbook applies."""


@dataclass(frozen=True, slots=True)
class Text:
    """The same sentence in both languages."""

    en: str
    ja: str

    def in_(self, language: str) -> str:
        """The sentence in ``ja``, or in English for anything else."""
        return self.ja if language == "ja" and self.ja else self.en


NO_TEXT: Final = Text("", "")


@dataclass(frozen=True, slots=True)
class RunbookPhase:
    """One phase of the procedure: ``key`` is one of :data:`PHASES`."""

    key: str
    title: Text


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    ``key`` is unique in the file and is what an incident stores. ``teams`` says who, ``page`` which page
    of the UI shows what the step needs (``alerts``, ``logs``, ``traces``, ``incident`` ...), ``action`` which act of
    the incident page fulfils it (``acknowledge``, ``escalate``, ``resolve`` ...). Empty means none.
    """

    key: str
    phase: str
    text: Text
    severities: tuple[Severity, ...] = tuple(Severity)
    teams: tuple[str, ...] = ()
    hint: Text = NO_TEXT
    page: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class Playbook:
    """Further steps for incidents about certain alerts or services.

    It applies when the alert's name is in ``alertnames`` or its service in ``services``.
    """

    key: str
    title: Text
    alertnames: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Runbook:
    """The whole procedure."""

    phases: tuple[RunbookPhase, ...] = ()
    steps: tuple[Step, ...] = ()
    playbooks: tuple[Playbook, ...] = ()

    def select(self, alertname: str, service: str) -> str:
        """The key of the playbook for an alert: by alert name first, then by service, else ``general``."""
        for playbook in self.playbooks:
            if alertname in playbook.alertnames:
                return playbook.key
        for playbook in self.playbooks:
            if service in playbook.services:
                return playbook.key
        return GENERAL

    def playbook(self, key: str) -> Playbook | None:
        """The playbook of that key, or None (also for ``general``)."""
        return next((playbook for playbook in self.playbooks if playbook.key == key), None)

    def title(self, key: str, language: str) -> str:
        """The title of a playbook; empty for the general procedure."""
        found = self.playbook(key)
        return found.title.in_(language) if found else ""

    def step(self, key: str) -> Step | None:
        """The step of that key in any phase, or None."""
        return next((step for step in self._all_steps() if step.key == key), None)

    def steps_for(self, severity: Severity, playbook: str) -> list[Step]:
        """Steps in walking order: by phase, and within one the general ones before the playbook's."""
        special = self.playbook(playbook)
        candidates = [*self.steps, *(special.steps if special else ())]
        chosen = [step for step in candidates if severity in step.severities]
        return sorted(chosen, key=lambda step: PHASES.index(step.phase))

    def checklist(
        self, severity: Severity, playbook: str, before: Sequence[ChecklistItem] = ()
    ) -> tuple[ChecklistItem, ...]:
        """The checklist for a severity. What was done in ``before`` stays done and stays listed,
        even when the new severity would not ask for it."""
        done = {item.key: item for item in before if item.done_at}
        items = [done.pop(step.key, ChecklistItem(step.key, step.phase)) for step in self.steps_for(severity, playbook)]
        return tuple(sorted([*items, *done.values()], key=lambda item: _phase_index(item.phase)))

    def display(self, checklist: Iterable[ChecklistItem], language: str) -> list[dict[str, Any]]:
        """The checklist for people, in order.

        Each row has ``key, phase, phase_title, text, hint, teams, page, action, done_at, done_by``. A step
        that has left the runbook file since the incident opened is shown by its key.
        """
        titles = {phase.key: phase.title.in_(language) for phase in self.phases}
        steps = {step.key: step for step in self._all_steps()}
        rows: list[dict[str, Any]] = []
        for item in checklist:
            step = steps.get(item.key) or Step(item.key, item.phase, Text(item.key, item.key))
            rows.append(
                {
                    "key": item.key,
                    "phase": item.phase,
                    "phase_title": titles.get(item.phase, item.phase),
                    "text": step.text.in_(language),
                    "hint": step.hint.in_(language),
                    "teams": list(step.teams),
                    "page": step.page,
                    "action": step.action,
                    "done_at": item.done_at,
                    "done_by": item.done_by,
                }
            )
        return rows

    def named(self, entry: TimelineEntry, language: str) -> TimelineEntry:
        """An entry about a step of the checklist, with the step's text in the place of its key; others as they are."""
        found = self.step(str(entry.data.get("step", ""))) if entry.kind == "human.checklist" else None
        if found is None:
            return entry
        text = found.text.in_(language).rstrip(".。")
        return replace(entry, data={**entry.data, "step": text})

    def _all_steps(self) -> list[Step]:
        return [*self.steps, *(step for playbook in self.playbooks for step in playbook.steps)]


def _phase_index(phase: str) -> int:
    return PHASES.index(phase) if phase in PHASES else len(PHASES)
