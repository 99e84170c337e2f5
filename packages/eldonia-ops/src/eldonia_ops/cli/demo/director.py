"""Runs the story: breaks things, acts as the people would, and watches until each stage is seen.

Nothing here reaches into the platform. It asks the HTTP API and the receiver, as any client does, and a
stage counts only when it was observed from there.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx

from eldonia_ops.cli.client import ApiError, Client
from eldonia_ops.cli.demo.display import Progress
from eldonia_ops.cli.demo.files import GATEWAY_SERVICE, SHOP_SERVICE, Ports
from eldonia_ops.cli.demo.observer import Observer, mentions
from eldonia_ops.cli.demo.processes import Process, wait_for_port
from eldonia_ops.cli.demo.stages import Outcome, Stage
from eldonia_ops.model.plurals import counted

PERSON = "Sato Yuki"
_POLL_SECONDS = 0.25
_CRASH = ("ServiceDown", "TargetDown", "ProbeFailed")
"""Recovery, scrape and probe see the shop's crash; which is first depends on how busy the machine is."""
_GATEWAY = ("payment-gateway", "PaymentGatewayError")


class StageMissed(RuntimeError):  # noqa: N818 - it is an outcome, not a fault of this program
    """A stage was not seen in time; ``key`` names it."""

    def __init__(self, key: str, detail: str) -> None:
        super().__init__(detail)
        self.key = key


class Director:
    """One run of the story.

    ``watched`` are the processes whose end would end the story; ``figures`` collects what was
    measured, in seconds.
    """

    def __init__(
        self,
        progress: Progress,
        observer: Observer,
        person: Client,
        processes: dict[str, Process],
        watched: dict[str, Process],
        ports: Ports,
        directory: Path,
    ) -> None:
        self._progress = progress
        self._see = observer
        self._person = person
        self._processes = processes
        self._watched = watched
        self._ports = ports
        self._directory = directory
        self._at: dict[str, float] = {}
        self.figures: dict[str, float] = {}

    def run(self) -> None:
        """Play every stage.

        Raises:
            StageMissed: one was not observed in time.
        """
        incidents: dict[str, str] = {}
        for stage in self._progress.stages:
            self._progress.started(stage.key)
            play: Callable[[Stage, dict[str, str]], str] = getattr(self, f"_{stage.key.replace('-', '_')}")
            try:
                note = play(stage, incidents)
            except (ApiError, httpx.HTTPError) as error:
                note = f"{error or type(error).__name__}"
                self._progress.finished(stage.key, Outcome.MISSED, note)
                raise StageMissed(stage.key, note) from None
            except StageMissed as missed:
                self._progress.finished(stage.key, Outcome.MISSED, str(missed))
                raise
            self._at[stage.key] = time.monotonic()
            self._progress.finished(stage.key, Outcome.OBSERVED, note)
        self._measure()

    def _wait(self, stage: Stage, look: Callable[[], Any], missing: str) -> Any:
        deadline = time.monotonic() + stage.limit_seconds
        while time.monotonic() < deadline:
            for process in self._watched.values():
                if not process.running:
                    raise StageMissed(stage.key, f"{process.name} has ended:\n{process.last_words()}")
            found = look()
            if found:
                return found
            time.sleep(_POLL_SECONDS)
        raise StageMissed(stage.key, f"not seen within {stage.limit_seconds:g} s: {missing}")

    # --- act 0 -------------------------------------------------------------------------------

    def _platform(self, stage: Stage, _: dict[str, str]) -> str:
        self._wait(stage, lambda: self._see.ask("/overview"), "an answer from the platform")
        return f"http://127.0.0.1:{self._ports.platform}"

    def _shop(self, stage: Stage, _: dict[str, str]) -> str:
        def healthy() -> dict[str, Any] | None:
            view = self._see.recovery(SHOP_SERVICE)
            return view if view and view["healthy"] else None

        self._wait(stage, healthy, "the shop healthy")
        self._processes["traffic"].start()
        return "customers come in"

    def _metrics(self, stage: Stage, _: dict[str, str]) -> str:
        query = f'sum(rate(http_requests_total{{job="{SHOP_SERVICE}"}}[10s]))'
        rate = self._wait(stage, lambda: max(0.0, self._see.number(query) - 1), query) + 1
        return f"{rate:.0f} requests/s"

    def _logs(self, stage: Stage, _: dict[str, str]) -> str:
        return f"{counted(self._wait(stage, self._see.log_count, 'log records'), 'record')}"

    def _traces(self, stage: Stage, _: dict[str, str]) -> str:
        found = self._wait(stage, lambda: self._see.traces(SHOP_SERVICE), "a trace")
        return f"{counted(len(found), 'trace')}, the newest with {counted(found[0]['spans'], 'span')}"

    # --- act 1 -------------------------------------------------------------------------------

    def _crash(self, _stage: Stage, incidents: dict[str, str]) -> str:
        incidents["crash-since"] = str(int(time.time() * 1000) - 1)
        with contextlib.suppress(httpx.RemoteProtocolError, httpx.ReadError):
            # On a busy machine the process may be gone before its answer is out.
            self._fault(self._ports.shop, {"fault": "crash"})
        return "SIGKILL"

    def _crash_detected(self, stage: Stage, incidents: dict[str, str]) -> str:
        self._wait(stage, lambda: self._incident_with("ServiceDown", incidents["crash-since"]), "ServiceDown firing")
        return f"{self._since('crash'):.1f} s after the fault"

    def _crash_incident(self, stage: Stage, incidents: dict[str, str]) -> str:
        since = incidents["crash-since"]
        found = self._wait(stage, lambda: self._incident_with("ServiceDown", since), "its incident")
        incidents["crash"] = found["id"]
        return f"{found['reference']}, {found['severity']}"

    def _crash_paged(self, stage: Stage, incidents: dict[str, str]) -> str:
        self._wait(stage, lambda: self._first_message(_CRASH, "pagerduty", "trigger"), "a PagerDuty trigger")
        return f"{self._since('crash'):.1f} s after the fault"

    def _crash_restarted(self, stage: Stage, incidents: dict[str, str]) -> str:
        entry = self._wait(stage, lambda: self._entry(incidents["crash"], "recovery.verified"), "recovery.verified")
        return (
            f"after {counted(entry['data'].get('attempt', 1), 'restart')}, {self._since('crash'):.1f} s after the fault"
        )

    def _crash_resolved(self, stage: Stage, incidents: dict[str, str]) -> str:
        def resolved() -> dict[str, Any] | None:
            whole = self._see.incident(incidents["crash"])
            return whole if whole and whole["resolved_at"] else None

        whole = self._wait(stage, resolved, "the incident resolved")
        return f"{counted(len(whole['timeline']), 'timeline entry', 'timeline entries')}"

    # --- act 2 -------------------------------------------------------------------------------

    def _gateway(self, _stage: Stage, incidents: dict[str, str]) -> str:
        incidents["gateway-since"] = str(int(time.time() * 1000) - 1)
        self._fault(self._ports.gateway, {"fault": "error"})
        return "HTTP 500 for every charge"

    def _gateway_detected(self, stage: Stage, _: dict[str, str]) -> str:
        found = self._wait(stage, lambda: self._see.firing(GATEWAY_SERVICE), "an alert about payments firing")
        return f"{found['name']}, {self._since('gateway'):.1f} s after the fault"

    def _killed(self, stage: Stage, _: dict[str, str]) -> str:
        platform = self._processes["platform"]
        if self._first_message(_GATEWAY, "pagerduty", "trigger"):
            raise StageMissed(stage.key, "the page had left before the platform could be killed")
        platform.kill()
        if self._first_message(_GATEWAY, "pagerduty", "trigger"):
            raise StageMissed(stage.key, "the page had left before the platform could be killed")
        platform.start()
        if not wait_for_port(self._ports.platform, platform, stage.limit_seconds):
            raise StageMissed(stage.key, f"the platform did not come back:\n{platform.last_words()}")
        self._wait(stage, lambda: self._see.ask("/overview"), "the platform ready again")
        return "no page had left; the platform is back"

    def _gateway_incident(self, stage: Stage, incidents: dict[str, str]) -> str:
        since = incidents["gateway-since"]
        found = self._wait(stage, lambda: self._incident_with("PaymentGatewayError", since), "its incident")
        if found["severity"] != "critical" or not found["checklist"] or not found["respond_by"]:
            raise StageMissed(stage.key, f"incomplete: {found['severity']}, {len(found['checklist'])} steps")
        incidents["gateway"] = found["id"]
        target = (found["respond_by"] - found["detected_at"]) / 1000
        return f"{found['reference']}, {len(found['checklist'])} steps, respond within {target:g} s"

    def _gateway_paged(self, stage: Stage, _: dict[str, str]) -> str:
        def notified() -> bool:
            return bool(
                self._first_message(_GATEWAY, "pagerduty", "trigger") and self._first_message(_GATEWAY, "slack")
            )

        self._wait(stage, notified, "both messages")
        return f"{self._since('gateway'):.1f} s after the fault"

    def _gateway_escalated(self, stage: Stage, incidents: dict[str, str]) -> str:
        self._wait(stage, lambda: self._entry(incidents["gateway"], "escalation.tier"), "escalation.tier")
        self._wait(stage, lambda: self._message("slack", "#eldonia-infrastructure"), "a message to infrastructure")
        return "#eldonia-infrastructure was notified"

    def _gateway_acknowledged(self, stage: Stage, incidents: dict[str, str]) -> str:
        path = f"/incidents/{incidents['gateway']}"
        self._person.post(f"{path}/acknowledge")
        steps = self._person.get(f"{path}/runbook")
        for step in steps[:3]:
            self._person.post(f"{path}/checklist", {"key": step["key"], "done": True})
        self._person.post(f"{path}/notes", {"text": "The gateway answers 500 to every charge; called their hotline."})
        whole = self._wait(stage, lambda: self._see.incident(incidents["gateway"]), "the incident")
        done = sum(1 for step in whole["checklist"] if step["done_at"])
        if not whole["acknowledged_at"] or done < 3:
            raise StageMissed(stage.key, f"acknowledged: {whole['acknowledged_at']}, steps done: {done}")
        return f"{PERSON}, {done} of {len(steps)} steps"

    def _gateway_repaired(self, stage: Stage, incidents: dict[str, str]) -> str:
        self._fault(self._ports.gateway, {"fault": "reset"})

        def resolved() -> dict[str, Any] | None:
            whole = self._see.incident(incidents["gateway"])
            return whole if whole and whole["resolved_at"] else None

        whole = self._wait(stage, resolved, "the incident resolved")
        return f"open for {(whole['resolved_at'] - whole['detected_at']) / 1000:.1f} s"

    def _gateway_notified(self, stage: Stage, _: dict[str, str]) -> str:
        self._wait(stage, lambda: self._first_message(_GATEWAY, "pagerduty", "resolve"), "PagerDuty's resolve")
        return "PagerDuty: resolve"

    def _gateway_postmortem(self, stage: Stage, incidents: dict[str, str]) -> str:
        text = self._person.get(f"/incidents/{incidents['gateway']}/postmortem/draft")
        cited = sum(1 for line in text.splitlines() if "[T" in line)
        if cited < 5:
            raise StageMissed(stage.key, f"only {cited} lines name their evidence")
        file = self._directory / "postmortem.md"
        file.write_text(text, encoding="utf-8")
        return f"{cited} lines with evidence"

    # --- act 3 -------------------------------------------------------------------------------

    def _attack(self, _stage: Stage, incidents: dict[str, str]) -> str:
        incidents["attack-since"] = str(int(time.time() * 1000) - 1)
        self._processes["attack"].start()
        return "from 203.0.113.66"

    def _attack_found(self, stage: Stage, _: dict[str, str]) -> str:
        def found() -> list[dict[str, Any]]:
            findings = [item for item in self._see.findings() if item["source"] == "203.0.113.66"]
            types = {item["type"] for item in findings}
            return findings if {"failed_login", "sql_injection_attempt"} <= types else []

        findings = self._wait(stage, found, "findings of failed logins and SQL injection")
        return ", ".join(sorted({item["type"] for item in findings}))

    def _attack_paged(self, stage: Stage, _: dict[str, str]) -> str:
        self._wait(stage, lambda: self._message("slack", "#eldonia-security", "203.0.113.66"), "a security message")
        return f"#eldonia-security, {self._since('attack'):.1f} s after the first request"

    def _attack_judged(self, stage: Stage, _: dict[str, str]) -> str:
        findings = [item for item in self._see.findings() if item["source"] == "203.0.113.66"]
        for finding in findings:
            path = f"/security/findings/{finding['id']}/status"
            self._person.post(path, {"status": "investigating", "note": "address blocked at the edge"})
            self._person.post(path, {"status": "resolved", "note": "no account was entered"})
        left = [item for item in self._see.findings() if item["status"] != "resolved" and item in findings]
        if left:
            raise StageMissed(stage.key, f"{counted(len(left), 'finding is', 'findings are')} not resolved")
        return f"{counted(len(findings), 'finding')} settled by {PERSON}"

    # --- parts -------------------------------------------------------------------------------

    def _fault(self, port: int, body: dict[str, Any]) -> None:
        response = httpx.post(f"http://127.0.0.1:{port}/faults", json=body, timeout=5.0, trust_env=False)
        response.raise_for_status()

    def _since(self, key: str) -> float:
        return time.monotonic() - self._at[key]

    def _incident_with(self, alertname: str, since: str) -> dict[str, Any] | None:
        return self._see.incident_of(alertname, int(since))

    def _message(self, kind: str, *words: str) -> dict[str, Any] | None:
        return next(
            (
                item
                for item in self._see.received()
                if item["kind"] == kind and item["accepted"] and mentions(item, *words)
            ),
            None,
        )

    def _first_message(self, names: Sequence[str], kind: str, *words: str) -> dict[str, Any] | None:
        """The message about an outage that several alerts see: the first of them is sent."""
        found = (self._message(kind, *words, name) for name in names)
        return next((item for item in found if item is not None), None)

    def _entry(self, incident: str, kind: str) -> dict[str, Any] | None:
        whole = self._see.incident(incident)
        return next((entry for entry in whole["timeline"] if entry["kind"] == kind), None) if whole else None

    def _measure(self) -> None:
        at = self._at
        self.figures = {
            "crash: fault to page": at["crash-paged"] - at["crash"],
            "crash: page to verified recovery": at["crash-restarted"] - at["crash-paged"],
            "gateway: fault to page": at["gateway-paged"] - at["gateway"],
            "gateway: page to resolution": at["gateway-repaired"] - at["gateway-paged"],
            "attack: first request to page": at["attack-paged"] - at["attack"],
        }
