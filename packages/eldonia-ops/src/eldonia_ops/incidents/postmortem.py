"""A postmortem draft in Markdown, in which every statement names its evidence.

``[T3]`` refers to the third entry of the appendix, which lists the timeline in order. What the record
does not show is not stated; what only people can know is left for them and plainly marked.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Final

from eldonia_ops.incidents.metrics import time_to_acknowledge, time_to_detect, time_to_resolve
from eldonia_ops.incidents.runbook import Runbook
from eldonia_ops.incidents.timeline import describe, format_span, format_time, word
from eldonia_ops.model.incidents import Incident, TimelineEntry

TEXTS: Final = {
    "en": {
        "heading": "Postmortem",
        "draft": "Draft written from the timeline at {at}. References such as [T1] name entries of the appendix.",
        "summary": "Summary",
        "incident": "{reference} had severity {severity}",
        "about": "The service concerned was {service}",
        "state": "Status at the time of writing: {status}.",
        "impact": "Impact",
        "users": "Users affected: {users}",
        "revenue": "Revenue lost: {revenue}",
        "reputation": "Reputation: {reputation}",
        "times": "Detection, response, recovery",
        "detect": "From the first evidence of the fault to detection: {span}",
        "acknowledge": "From detection to acknowledgement: {span}",
        "reacknowledge": "From the latest reopening to acknowledgement: {span}",
        "resolve": "From detection to resolution: {span}",
        "target_met": "The response target ({at}) was met",
        "target_missed": "The response target ({at}) was missed",
        "no_acknowledgement": "No acknowledgement is on record.",
        "unresolved": "No resolution is on record.",
        "course": "What happened",
        "automatic": "What was tried automatically",
        "no_automatic": "No automatic recovery is on record.",
        "notifications": "Who was notified",
        "no_notifications": "No notification is on record.",
        "receiver": "{receiver} ({integration}): {outcomes}",
        "delivered": "delivered {count}×",
        "retry": "retried {count}×",
        "failed": "failed {count}×",
        "queued": "queued {count}×",
        "people": "What people did",
        "no_people": "No act of a person is on record.",
        "cause": "Root cause",
        "resolution": "Resolution",
        "lessons": "Lessons learned",
        "todo": "**To be written by people.**",
        "actions": "Action items",
        "open_steps": "Steps of the runbook that were not ticked:",
        "no_actions": "Every step of the runbook was ticked.",
        "no_checklist": "This incident had no checklist.",
        "measures": "Measures against a recurrence, with owner and date:",
        "appendix": "Appendix: evidence",
        "columns": "| No. | Time | Kind | Who | What |",
    },
    "ja": {
        "heading": "ポストモーテム",
        "draft": "{at} にタイムラインから作成した下書き。[T1] などの番号は付録の記録を指す。",
        "summary": "概要",
        "incident": "{reference} の深刻度は{severity}",
        "about": "対象は {service}",
        "state": "作成時点の状態：{status}。",
        "impact": "影響",
        "users": "影響を受けた利用者数：{users}",
        "revenue": "売上への影響：{revenue}",
        "reputation": "信用への影響：{reputation}",
        "times": "検知・応答・復旧にかかった時間",
        "detect": "障害の最初の兆候から検知まで：{span}",
        "acknowledge": "検知から対応開始まで：{span}",
        "reacknowledge": "直近の再開から対応開始まで：{span}",
        "resolve": "検知から解決まで：{span}",
        "target_met": "応答目標（{at}）を達成",
        "target_missed": "応答目標（{at}）を超過",
        "no_acknowledgement": "対応開始の記録はない。",
        "unresolved": "解決の記録はない。",
        "course": "経過",
        "automatic": "自動で試みたこと",
        "no_automatic": "自動復旧の記録はない。",
        "notifications": "通知とその結果",
        "no_notifications": "通知の記録はない。",
        "receiver": "{receiver}（{integration}）：{outcomes}",
        "delivered": "到達 {count} 回",
        "retry": "再送 {count} 回",
        "failed": "失敗 {count} 回",
        "queued": "登録 {count} 回",
        "people": "人が行ったこと",
        "no_people": "人による操作の記録はない。",
        "cause": "根本原因",
        "resolution": "対処内容",
        "lessons": "教訓",
        "todo": "**担当者が記入すること。**",
        "actions": "アクション項目",
        "open_steps": "手順書のうち未完了の手順：",
        "no_actions": "手順書の全手順が完了している。",
        "no_checklist": "このインシデントにチェックリストはない。",
        "measures": "再発防止策（担当者と期限を付けること）：",
        "appendix": "付録：記録",
        "columns": "| 番号 | 時刻 | 種別 | 主体 | 内容 |",
    },
}

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~])")
COURSE_LIMIT: Final = 200
"""At most so many entries in the narrative; the appendix has all."""


def escape(text: str) -> str:
    """Text as literal Markdown on one line, so that a note cannot forge a heading, link or reference."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


@dataclass(frozen=True, slots=True)
class _Draft:
    incident: Incident
    entries: Sequence[TimelineEntry]
    language: str
    zone: tzinfo

    def text(self, key: str, **facts: object) -> str:
        return TEXTS[self.language][key].format(**facts)

    def cite(self, *wanted: Callable[[TimelineEntry], bool]) -> str:
        """References to the first entry that satisfies each condition; '' unless every one is on record."""
        numbers: list[int] = []
        for condition in wanted:
            number = next((index for index, entry in enumerate(self.entries, 1) if condition(entry)), 0)
            if not number:
                return ""
            if number not in numbers:
                numbers.append(number)
        return _references(numbers)

    def last(self, condition: Callable[[TimelineEntry], bool]) -> str:
        numbers = [index for index, entry in enumerate(self.entries, 1) if condition(entry)]
        return _references(numbers[-1:])

    def numbered(self, *prefixes: str) -> list[tuple[int, TimelineEntry]]:
        return [(index, entry) for index, entry in enumerate(self.entries, 1) if entry.kind.startswith(prefixes)]

    def sentence(self, number: int, entry: TimelineEntry) -> str:
        return f"- {format_time(entry.at, self.zone)} {escape(describe(entry, self.language, self.zone))} [T{number}]"


def _references(numbers: Iterable[int]) -> str:
    return " ".join(f"[T{number}]" for number in numbers)


def draft(
    incident: Incident,
    entries: Iterable[TimelineEntry],
    now: int,
    *,
    language: str = "en",
    runbook: Runbook | None = None,
    zone: tzinfo = UTC,
) -> str:
    """Write the draft.

    ``entries`` is the incident's whole timeline in any order, ``now`` (Unix ms) goes into the heading,
    ``runbook`` gives the texts of checklist steps (else their keys), ``zone`` the clock of all times.
    """
    ordered = tuple(sorted(entries, key=lambda entry: (entry.at, entry.id)))
    paper = _Draft(incident, ordered, language if language in TEXTS else "en", zone)
    sections = [
        [f"# {paper.text('heading')} {incident.reference}: {escape(incident.title)}"],
        [f"_{paper.text('draft', at=format_time(now, zone))}_"],
        _summary(paper),
        _impact(paper),
        _times(paper),
        _course(paper),
        _automatic(paper),
        _notifications(paper),
        _people(paper),
        _for_people(paper),
        _actions(paper, runbook or Runbook()),
        _appendix(paper),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def _summary(paper: _Draft) -> list[str]:
    incident = paper.incident
    opened = paper.cite(lambda entry: entry.kind == "incident.opened")
    severity = paper.last(lambda entry: entry.kind in ("incident.opened", "incident.severity"))
    lines = [f"## {paper.text('summary')}", ""]
    if severity:
        name = escape(word(incident.severity.value, paper.language))
        lines.append(f"- {paper.text('incident', reference=incident.reference, severity=name)} {severity}")
    if opened and incident.service:
        lines.append(f"- {paper.text('about', service=escape(incident.service))} {opened}")
    alerts = [(number, entry) for number, entry in paper.numbered("alert.firing")]
    seen: set[object] = set()
    for number, entry in alerts:
        if entry.data.get("fingerprint") not in seen:
            seen.add(entry.data.get("fingerprint"))
            lines.append(f"- {escape(describe(entry, paper.language, paper.zone))} [T{number}]")
    status = paper.last(
        lambda entry: (
            entry.kind
            in (
                "incident.opened",
                "incident.resolved",
                "incident.reopened",
                "human.status",
                "human.acknowledged",
                "escalation.tier",
                "escalation.tier.unreached",
            )
        )
    )
    if status:
        lines.append(f"- {paper.text('state', status=word(incident.status.value, paper.language))} {status}")
    return lines


def _impact(paper: _Draft) -> list[str]:
    impact = paper.incident.impact
    evidence = paper.last(
        lambda entry: entry.kind == "human.fields" and "impact" in str(entry.data.get("names", "")).split(", ")
    )
    lines = [f"## {paper.text('impact')}", ""]
    if not evidence:
        return [*lines, paper.text("todo")]
    lines.append(f"- {paper.text('users', users=impact.users)} {evidence}")
    lines.append(f"- {paper.text('revenue', revenue=f'{impact.revenue:,.2f}')} {evidence}")
    if impact.reputation:
        lines.append(f"- {paper.text('reputation', reputation=escape(impact.reputation))} {evidence}")
    return lines


def _times(paper: _Draft) -> list[str]:
    incident = paper.incident
    lines = [f"## {paper.text('times')}", ""]

    def state(key: str, span: int | None, evidence: str) -> None:
        if span is not None and evidence:
            lines.append(f"- {paper.text(key, span=format_span(span, paper.language))} {evidence}")

    def opened(entry: TimelineEntry) -> bool:
        return entry.kind == "incident.opened"

    def reopened(entry: TimelineEntry) -> bool:
        return entry.at == incident.reopened_at and entry.kind in ("incident.reopened", "human.status")

    def acknowledged(entry: TimelineEntry) -> bool:
        return entry.at == incident.acknowledged_at and entry.kind in ("human.acknowledged", "human.status")

    def resolved(entry: TimelineEntry) -> bool:
        return entry.at == incident.resolved_at and entry.kind in ("incident.resolved", "human.status")

    state(
        "detect",
        time_to_detect(incident),
        paper.cite(lambda entry: entry.at <= incident.started_at, opened)
        or paper.cite(lambda entry: entry.kind == "alert.firing", opened)
        or paper.cite(opened),
    )
    response = time_to_acknowledge(incident)
    if response is None:
        lines.append(f"- {paper.text('no_acknowledgement')}")
    elif incident.reopened_at:
        state("reacknowledge", response, paper.cite(reopened, acknowledged))
    else:
        state("acknowledge", response, paper.cite(opened, acknowledged))
    if incident.acknowledged_at and incident.respond_by:
        key = "target_met" if incident.acknowledged_at <= incident.respond_by else "target_missed"
        evidence = paper.cite(acknowledged)
        if evidence:
            lines.append(f"- {paper.text(key, at=format_time(incident.respond_by, paper.zone))} {evidence}")
    if incident.resolved_at:
        state("resolve", time_to_resolve(incident), paper.cite(opened, resolved))
    else:
        lines.append(f"- {paper.text('unresolved')}")
    return lines


def _course(paper: _Draft) -> list[str]:
    chosen = paper.numbered("alert.", "incident.", "escalation.tier", "security.")[:COURSE_LIMIT]
    return [f"## {paper.text('course')}", "", *(paper.sentence(number, entry) for number, entry in chosen)]


def _automatic(paper: _Draft) -> list[str]:
    found = [paper.sentence(number, entry) for number, entry in paper.numbered("recovery.")[:COURSE_LIMIT]]
    return [f"## {paper.text('automatic')}", "", *(found or [paper.text("no_automatic")])]


def _notifications(paper: _Draft) -> list[str]:
    outcomes: dict[tuple[str, str], dict[str, list[int]]] = {}
    for number, entry in paper.numbered("notification."):
        who = (str(entry.data.get("receiver", "")), str(entry.data.get("integration", "")))
        outcomes.setdefault(who, {}).setdefault(entry.kind.removeprefix("notification."), []).append(number)
    lines = [f"## {paper.text('notifications')}", ""]
    for (receiver, integration), by_outcome in sorted(outcomes.items()):
        parts = [
            f"{paper.text(outcome, count=len(by_outcome[outcome]))} {_references(by_outcome[outcome][:10])}"
            for outcome in ("delivered", "failed", "retry", "queued")
            if outcome in by_outcome
        ]
        facts = {
            "receiver": escape(receiver) or "-",
            "integration": escape(integration) or "-",
            "outcomes": ", ".join(parts),
        }
        lines.append(f"- {paper.text('receiver', **facts)}")
    return lines if outcomes else [*lines, paper.text("no_notifications")]


def _people(paper: _Draft) -> list[str]:
    chosen = paper.numbered("human.", "escalation.requested")[:COURSE_LIMIT]
    found = [paper.sentence(number, entry) for number, entry in chosen]
    return [f"## {paper.text('people')}", "", *(found or [paper.text("no_people")])]


def _for_people(paper: _Draft) -> list[str]:
    lines: list[str] = []
    for key, name, value in (
        ("cause", "root_cause", paper.incident.root_cause),
        ("resolution", "resolution", paper.incident.resolution),
        ("lessons", "lessons_learned", paper.incident.lessons_learned),
    ):
        if lines:
            lines.append("")
        lines += [f"## {paper.text(key)}", ""]
        if not value:
            lines.append(paper.text("todo"))
            continue
        evidence = paper.last(
            lambda entry, name=name: (
                entry.kind == "human.fields" and name in str(entry.data.get("names", "")).split(", ")
            )
        )
        lines.append(f"{escape(value)} {evidence}".rstrip())
    return lines


def _actions(paper: _Draft, runbook: Runbook) -> list[str]:
    lines = [f"## {paper.text('actions')}", ""]
    rows = runbook.display(paper.incident.checklist, paper.language)
    opened = paper.last(lambda entry: entry.kind in ("incident.opened", "incident.severity"))
    unticked = [row for row in rows if not row["done_at"]]
    if not rows:
        lines.append(paper.text("no_checklist"))
    elif not unticked:
        lines.append(f"{paper.text('no_actions')} {paper.last(lambda entry: entry.kind == 'human.checklist')}".rstrip())
    else:
        lines += [f"{paper.text('open_steps')} {opened}".rstrip(), ""]
        lines += [f"- [ ] {escape(str(row['phase_title']))}: {escape(str(row['text']))}" for row in unticked]
    return [*lines, "", paper.text("measures"), "", paper.text("todo")]


def _appendix(paper: _Draft) -> list[str]:
    lines = [f"## {paper.text('appendix')}", "", paper.text("columns"), "|---|---|---|---|---|"]
    for number, entry in enumerate(paper.entries, 1):
        what = escape(describe(entry, paper.language, paper.zone))
        cells = (f"T{number}", format_time(entry.at, paper.zone), escape(entry.kind), escape(entry.actor), what)
        lines.append(f"| {' | '.join(cells)} |")
    return lines
