"""Judges what a running platform says of itself, and what the linter says of its files. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from eldonia_ops.cli.doctor.findings import Finding, error, note, ok, warning
from eldonia_ops.cli.doctor.platform_facts import PlatformFacts
from eldonia_ops.model.errors import Diagnostic, Level

_MOST: Final = 8
_SKEW_MS: Final = 5_000


def judge_platform(facts: PlatformFacts, *, version: str, now_ms: int, held_by: int = 0) -> Iterator[Finding]:
    """Findings about a running platform. ``held_by`` is the process that holds the data folder, 0 for none."""
    if facts.refused:
        means = "its state could not be looked at"
        yield warning("platform", f"{facts.url} does not take our token", means, "give one with --token")
        return
    if facts.problem and held_by:
        means = "it is starting, or it hangs, or listens elsewhere than the settings say"
        yield error(
            "platform", f"process {held_by} holds the data folder, but {facts.problem}", means, "look at its log"
        )
        return
    if facts.problem:
        yield note("platform", facts.problem, "it does not run, so only files and machine were looked at")
        return
    yield from _health(facts.health, version, now_ms)
    yield from _reload(facts.reload)
    yield from _targets(facts.targets)
    yield from _receivers(facts.integrations, facts.notifications)
    for one in facts.refusals[:_MOST]:
        said = f"{one['count']} {one['signal']} of {one['source']} were refused: {one['reason']}"
        yield warning("telemetry", said, "they are not stored", "mend the sender, or raise limits: in the settings")


def _health(health: dict[str, Any], version: str, now_ms: int) -> Iterator[Finding]:
    failing = [loop for loop in health["loops"] if loop["failing"]]
    if health["ready"]:
        yield ok("platform", f"it answers and is ready; {health['resident_bytes'] >> 20} MiB of memory")
    elif not failing:
        yield warning("platform", "it answers and is not ready", "it is starting or stopping", "look again in a moment")
    for loop in failing[:_MOST]:
        said = f"the loop {loop['name']} failed {loop['in_row']} times in a row ({loop['error']})"
        yield error("loops", said, "what it is for does not happen", "its log says why: look for the name of the loop")
    if (running := health["versions"].get("eldonia-ops", "")) != version:
        said = f"{running} runs and {version} is installed"
        yield warning("versions", said, "the new version is not in use yet", "restart the platform")
    if abs(health["now"] - now_ms) > _SKEW_MS:
        said = f"its clock differs from ours by {abs(health['now'] - now_ms) / 1000:.0f} s"
        yield warning("clock", said, "times do not fit together", "keep time by NTP on both machines")
    if health["detached_parts"]:
        said = f"{health['detached_parts']} parts of the telemetry store are broken and left out of answers"
        yield warning(
            "storage", said, "the disk or a copy of the folder lost data", "see operating.md; restore a backup"
        )
    if health["lost_samples"]:
        said = f"{health['lost_samples']} samples were lost since the start"
        yield warning("storage", said, "the store did not take them in time", "look at disk and log")
    if failed := health["queues"].get("notifications_failed", 0):
        yield warning(
            "receivers", f"{failed} messages were given up", "people were not notified", "see the alerts page"
        )


def _reload(found: dict[str, Any]) -> Iterator[Finding]:
    if not found["successful"]:
        reasons = "; ".join(f"{one['file']}:{one['line']}: {one['message']}" for one in found["diagnostics"][:3])
        means = "the configuration before it is in force"
        yield error("reload", f"the last reload by {found['by']} failed: {reasons}", means, "mend the files, reload")
    elif found["needs_restart"]:
        said = f"the files differ from what runs in: {', '.join(found['needs_restart'])}"
        yield warning("reload", said, "these take effect with the next start alone", "restart the platform")
    else:
        yield ok("reload", "the files that were read last are in force")


def _targets(targets: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    down = [one for one in targets if one["health"] == "down"]
    for one in down[:_MOST]:
        said = f"{one['kind']} {one['name']} is down: {one['error'] or 'no reason is known'}"
        yield warning("targets", said, "nothing is read from it", "mend it, or remove its entry")
    if len(down) > _MOST:
        yield warning(
            "targets", f"{len(down) - _MOST} more are down", "nothing is read from them", "eldonia-ops targets"
        )
    empty = [one for one in targets if one["health"] == "unknown" and one["error"]]
    for one in empty[:_MOST]:
        yield note("targets", f"{one['kind']} {one['name']}: {one['error']}")
    if not targets:
        yield note("targets", "nothing is watched", do="eldonia-ops init proposes what to watch")
    elif not down:
        yield ok("targets", f"{len(targets)} are watched, none is down")


def _receivers(integrations: Sequence[dict[str, Any]], sent: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    for one in integrations:
        name = f"{one['receiver']} ({one['title'] or one['kind']})"
        if one["obstacle"]:
            means = "nothing is delivered to it, pages neither"
            yield warning("receivers", f"{name}: {one['obstacle']}", means, "complete it in the routing file")
            continue
        own = [
            message
            for message in sent
            if (message["receiver"], message["integration"], message["index"])
            == (one["receiver"], one["kind"], one["index"])
        ]
        trying = [message for message in own if message["status"] == "pending" and message["last_error"]]
        ended = [message for message in own if message["status"] != "pending"]
        if trying or (ended and ended[0]["status"] == "failed"):
            reason = (trying or ended)[0]["last_error"]
            yield error("receivers", f"{name} fails: {reason}", "people are not notified by it", "mend it, then retry")
        elif not ended:
            means = "whether a page arrives is not known"
            test = f"eldonia-ops receivers test {one['receiver']}"
            yield note("receivers", f"{name} has had no alert yet", means, f"try it now: {test}")
        else:
            yield ok("receivers", f"{name} took its last message")
    if not integrations:
        means = "no one is notified of anything"
        yield warning("receivers", "no receiver has a way to be notified", means, "write alertmanager: {file: ...}")


def judge_files(found: Sequence[Diagnostic], file: str) -> Iterator[Finding]:
    """What the linter says, each as one finding."""
    for item in found[: 2 * _MOST]:
        place = ":".join(str(part) for part in (item.file, item.line) if part)
        said = f"{place}: {item.message}"
        if item.level is Level.ERROR:
            yield error(
                "settings", said, "the platform does not start with these files", item.hint or "eldonia-ops check"
            )
        else:
            yield warning("settings", said, "it works, perhaps not as meant", item.hint or "eldonia-ops check")
    if len(found) > 2 * _MOST:
        yield note("settings", f"{len(found) - 2 * _MOST} more; eldonia-ops check shows all")
    if not found:
        yield ok("settings", f"no faults found in {file}")
