"""An incident in one screen."""

from dataclasses import replace

from eldonia_ops.incidents.brief import (
    LOOK_BACK_MS,
    Notified,
    brief_of,
    changes_before,
    in_a_row,
    next_action,
    notified_of,
    recovery_of,
)
from eldonia_ops.incidents.policy import Policy, Tier
from eldonia_ops.incidents.runbook import Playbook, Runbook, RunbookPhase, Step, Text
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.change import Change, ChangeKind
from eldonia_ops.model.incidents import ChecklistItem, Incident, IncidentStatus, Severity, TimelineEntry
from eldonia_ops.model.labels import Labels

START = 100_000_000
NONE = Text("", "")
RUNBOOK = Runbook(
    (RunbookPhase("detect", NONE),),
    (Step("acknowledge", "detect", NONE), Step("look", "detect", NONE)),
    (Playbook("disk", NONE, ("DiskFull",), (), (Step("disk/free", "detect", NONE),)),),
)
POLICY = Policy(runbook=RUNBOOK)
INCIDENT = Incident(
    "i", 1, "The disk is full", "", Severity.CRITICAL, IncidentStatus.OPEN, "db", started_at=START,
    detected_at=START + 5_000, escalate_at=START + 900_000, runbook="disk", fingerprints=("f",), firing=("f",),
    checklist=tuple(ChecklistItem(key, "detect") for key in ("acknowledge", "look", "disk/free")),
)  # fmt: skip


def change(at: int, service: str = "", id: str = "c") -> Change:
    return Change(id, at, ChangeKind.DEPLOY, service, "t")


def test_what_the_rule_names_comes_first() -> None:
    urls = ("https://wiki.test/disk", "javascript:alert(1)", "https://wiki.test/disk", "https://wiki.test/db")
    timeline = [
        TimelineEntry(0, "i", START, "alert.firing", data={"runbook_url": url, "description": "No space left."})
        for url in urls
    ]
    brief = brief_of(INCIDENT, timeline, POLICY, [change(START - 1, "db")], {"shop", "db", "app"})
    assert brief.runbooks == ("https://wiki.test/disk", "https://wiki.test/db")
    assert brief.description == "No space left."
    assert brief.dependents == ("app", "shop")
    assert (brief.steps, brief.general) == (("disk/free",), ("acknowledge", "look"))
    assert (brief.next_tier, brief.next_tier_at) == ("infrastructure", START + 900_000)
    assert brief.next_receiver == ""
    assert len(brief.changes) == 1
    assert brief.action == "acknowledge"


def test_the_next_action_follows_the_incident() -> None:
    steps = ("disk/free",)
    taken = replace(INCIDENT, acknowledged_at=START + 10_000, assigned_to="yu")
    assert next_action(INCIDENT, steps) == ("acknowledge", "")
    assert next_action(replace(taken, assigned_to=""), steps) == ("assign", "")
    assert next_action(taken, steps) == ("step", "disk/free")
    freed = replace(taken, checklist=(*taken.checklist[:2], replace(taken.checklist[2], done_at=1)))
    assert next_action(freed, steps) == ("step", "look")
    assert next_action(replace(taken, firing=()), steps) == ("resolve", "")
    over = replace(taken, status=IncidentStatus.RESOLVED)
    assert next_action(over, steps) == ("postmortem", "")
    assert next_action(replace(over, postmortem="We learned."), steps) == ("close", "")
    assert next_action(replace(over, status=IncidentStatus.CLOSED), steps) == ("", "")
    assert brief_of(over, [], POLICY).next_tier == ""


def test_changes_before_it_begin_with_those_of_its_service() -> None:
    old, other = change(START - LOOK_BACK_MS - 1, id="old"), change(START - 50, "shop", "other")
    own, newest = change(START - 90, "db", "own"), change(START + 4_000, "db", "newest")
    after = change(START + 6_000, "db", "after")
    assert [one.id for one in changes_before(INCIDENT, [after, newest, other, own, old])] == ["newest", "own", "other"]


def test_a_tier_without_a_receiver_of_its_own_names_the_one_that_gets_it() -> None:
    assert brief_of(INCIDENT, [], POLICY, default_receiver="team").next_receiver == "team"
    pager = Policy(tiers=(Tier("a"), Tier("b", "pager", {Severity.CRITICAL: 900_000})), runbook=RUNBOOK)
    assert brief_of(INCIDENT, [], pager, default_receiver="team").next_receiver == "pager"
    taken = replace(INCIDENT, acknowledged_at=START)
    assert brief_of(taken, [], POLICY, default_receiver="team").next_receiver == ""


def test_changes_of_the_configuration_in_a_row_are_one() -> None:
    def made(at: int, title: str, by: str = "admin") -> Change:
        return Change(f"c{at}", at, ChangeKind.CONFIGURATION, "", title, by=by)

    minute = 60_000
    start = START - 60 * minute
    row = [made(start, "added a (probes)"), made(start + minute, "added b (logs)"), made(start + 9 * minute, "x")]
    again = made(start + 20 * minute, "added b (logs)")
    found = in_a_row([*row, again, made(start + 21 * minute, "y", "yu"), change(start + 22 * minute)])
    assert [(one.at - start, one.title) for one in found] == [
        (22 * minute, "t"), (21 * minute, "y"), (20 * minute, "added b (logs)"),
        (9 * minute, "x; added b (logs); added a (probes)"),
    ]  # fmt: skip
    assert changes_before(INCIDENT, row)[0].title == "x; added b (logs); added a (probes)"


def test_each_receiver_is_named_once_by_what_became_of_its_messages() -> None:
    def line(kind: str, receiver: str, at: int) -> TimelineEntry:
        return TimelineEntry(0, "i", at, f"notification.{kind}", data={"receiver": receiver})

    timeline = [
        line("queued", "slack", 1), line("queued", "pager", 2), line("failed", "pager", 3),
        line("delivered", "slack", 4), line("queued", "mail", 5), line("delivered", "slack", 6),
        line("delivered", "pager", 7), line("failed", "x", 8),
    ]  # fmt: skip
    assert notified_of(timeline) == (
        Notified("slack", 4), Notified("pager", 7), Notified("mail", 0), Notified("x", 8, failed=True)
    )  # fmt: skip


def test_an_act_of_the_page_fulfils_its_steps() -> None:
    runbook = Runbook((), (Step("take", "detect", NONE, action="acknowledge"), Step("look", "detect", NONE)))
    items = (ChecklistItem("take", "detect"), ChecklistItem("look", "detect"))
    done = runbook.fulfilled(items, "acknowledge", "yu", 7)
    assert done == (ChecklistItem("take", "detect", 7, "yu"), items[1])
    assert runbook.fulfilled(done, "acknowledge", "mika", 9) == done
    assert runbook.fulfilled(items, "resolve", "yu", 7) == items


def test_an_incident_has_recovered_when_all_its_alerts_have() -> None:
    held = Alert(Labels({"alertname": "A"}), evidence={"recovered_at": 5_000, "held_until": 9_000})
    later = Alert(Labels({"alertname": "B"}), evidence={"recovered_at": 6_000, "held_until": 8_000})
    firing = Alert(Labels({"alertname": "C"}))
    assert recovery_of([held, later]) == (6_000, 9_000)
    assert recovery_of([held, firing]) == (0, 0)
    assert recovery_of([]) == (0, 0)
