"""One outage is one incident and one page, in words that say what is broken: stories, with the shipped rules.

Each counts the pages and reads them. What a scrape and a probe would find is measured every 30 seconds.
"""

from pathlib import Path

import pytest
from service_world import MINUTE, SECOND, World
from site_world import ROUTING, SETTINGS, site, world_of

from eldonia_ops.app.loader import load_configuration
from eldonia_ops.model.incidents import IncidentStatus


def pages(world: World) -> list[tuple[str, str]]:
    """What the pager was sent: the action and the summary."""
    return [
        (one.payload["event_action"], one.payload.get("payload", {}).get("summary", ""))
        for one in world.receivers.at("pager")
    ]


async def incidents(world: World) -> list[tuple[str, IncidentStatus]]:
    return [(one.title, one.status) for one in await world.incidents.find()]


async def test_a_dead_nginx_is_one_page_and_one_end(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        site(world, True)
        await world.pass_time(5 * MINUTE)
        site(world, False)
        await world.pass_time(14 * MINUTE)
        assert [action for action, _ in pages(world)] == ["trigger"]
        assert await incidents(world) == [("site does not answer as it should", IncidentStatus.OPEN)]
        # Both alerts are on its timeline; that the budget burns is no news.
        merged = {entry.data["alertname"] for entry in await world.timeline() if entry.kind == "incident.merged"}
        assert merged == {"ProbeFailed"}
        [reason] = {line.reason for line in await world.ledger("TargetDown") if line.verdict == "inhibited"}
        assert reason == "of the outage that ProbeFailed is sent for: both are about 127.0.0.1:8080"

        site(world, True)
        recovered_at = world.clock.now()
        await world.pass_time(20 * MINUTE)
        assert [action for action, _ in pages(world)] == ["trigger", "resolve"]
        assert [status for _, status in await incidents(world)] == [IncidentStatus.RESOLVED]
        ended_at = next(at for at, one in reversed(world.receivers.arrived) if one.receiver == "pager")
        # It is kept firing for six minutes; the end does not wait for the group's next turn as well.
        assert 6 * MINUTE <= ended_at - recovered_at <= 7 * MINUTE


async def escalations(world: World) -> list[str]:
    entries = [entry for entry in await world.timeline() if entry.kind.startswith("escalation.")]
    return [entry.kind for entry in entries]


async def test_no_one_is_called_for_what_has_recovered_and_is_only_watched(tmp_path: Path) -> None:
    """It is kept firing beyond the time to respond; an end does not come late because of that, nor a call."""
    async with world_of(tmp_path) as world:
        site(world, False)
        await world.pass_time(13 * MINUTE)
        site(world, True)
        await world.pass_time(20 * MINUTE)
        assert await escalations(world) == ["escalation.recovered"]
        assert [one.purpose for _, one in world.receivers.arrived if one.purpose != "alert"] == []
        assert [status for _, status in await incidents(world)] == [IncidentStatus.RESOLVED]


async def test_what_fails_again_while_it_is_watched_calls_people_at_once(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        site(world, False)
        await world.pass_time(13 * MINUTE)
        site(world, True)
        await world.pass_time(5 * MINUTE)
        assert await escalations(world) == ["escalation.recovered"]
        site(world, False)
        await world.pass_time(4 * MINUTE)
        assert await escalations(world) == ["escalation.recovered", "escalation.tier"]
        assert [action for action, _ in pages(world)] == ["trigger"]


def service(world: World, name: str, *, answers: bool) -> None:
    world.measure("up", float(answers), job=name, instance=f"{name}:9000", service=name)


async def test_a_dead_database_with_three_services_behind_it_is_one_page(tmp_path: Path) -> None:
    """The services notice first, one after the other; the database's own alert is the one that is sent."""
    async with world_of(tmp_path) as world:
        for name in ("database", "shop", "mail", "reports"):
            service(world, name, answers=True)
        await world.pass_time(10 * MINUTE)
        for name in ("shop", "mail", "reports"):
            service(world, name, answers=False)
        await world.pass_time(25 * SECOND)
        service(world, "database", answers=False)
        await world.pass_time(20 * MINUTE)
        assert [action for action, _ in pages(world)] == ["trigger"]
        assert "database" in pages(world)[0][1]
        assert [title for title, _ in await incidents(world)] == ["database at database:9000 cannot be scraped"]
        for name in ("database", "shop", "mail", "reports"):
            service(world, name, answers=True)
        await world.pass_time(20 * MINUTE)
        assert [action for action, _ in pages(world)] == ["trigger", "resolve"]


async def test_services_that_notice_first_are_of_the_incident_of_their_database(tmp_path: Path) -> None:
    """They open it; then it is called after what they depend on, and says so of whom it affects."""
    async with world_of(tmp_path, SETTINGS.replace("evaluation_interval: 30s", "evaluation_interval: 15s")) as world:
        world.scrape_every = 15 * SECOND
        for name in ("database", "shop", "mail", "reports"):
            service(world, name, answers=True)
        await world.pass_time(10 * MINUTE)
        for name in ("mail", "reports"):
            service(world, name, answers=False)
        await world.pass_time(15 * SECOND)
        for name in ("database", "shop"):
            service(world, name, answers=False)
        while not (found := await world.incidents.find()):
            await world.pass_time(5 * SECOND)
        [opened] = found
        assert opened.service in ("mail", "reports"), "or this shows nothing"
        await world.pass_time(10 * MINUTE)
        assert [action for action, _ in pages(world)] == ["trigger"]
        [one] = await world.incidents.find()
        assert (one.title, one.service) == ("database at database:9000 cannot be scraped", "database")
        assert world.incidents.dependents(one.service) == {"mail", "reports", "shop"}
        for name in ("database", "shop", "mail", "reports"):
            service(world, name, answers=True)
        await world.pass_time(20 * MINUTE)
        assert [action for action, _ in pages(world)] == ["trigger", "resolve"]
        assert [status for _, status in await incidents(world)] == [IncidentStatus.RESOLVED]


async def serve(world: World, name: str, minutes: int, errors: float) -> None:
    """``errors`` responses with a 5xx status per second."""
    labels = {"job": name, "instance": f"{name}:9000", "service": name, "status": "500"}
    for _ in range(minutes * 2):
        served[name] = served.get(name, 0.0) + errors * 30
        world.measure("http_requests_total", served[name], **labels)
        await world.pass_time(30 * SECOND)


served: dict[str, float] = {}


async def test_services_that_answer_with_errors_because_their_database_is_dead_are_no_page(tmp_path: Path) -> None:
    """They run, so their targets are up; what they answer is what the rules on requests see."""
    async with world_of(tmp_path) as world:
        for name in ("database", "shop"):
            service(world, name, answers=True)
        await serve(world, "shop", 10, 0.0)
        service(world, "database", answers=False)
        await serve(world, "shop", 15, 1.0)
        assert [action for action, _ in pages(world)] == ["trigger"]
        assert await incidents(world) == [("database at database:9000 cannot be scraped", IncidentStatus.OPEN)]
        [reason] = {line.reason for line in await world.ledger("HighErrorRate") if line.verdict == "inhibited"}
        assert reason == "of the outage that TargetDown is sent for: shop depends on database"
        service(world, "database", answers=True)
        await serve(world, "shop", 20, 0.0)
        assert [action for action, _ in pages(world)] == ["trigger", "resolve"]
        assert [status for _, status in await incidents(world)] == [IncidentStatus.RESOLVED]


async def test_errors_of_a_site_whose_check_fails_are_no_second_page(tmp_path: Path) -> None:
    """`init` declares no services, but gives each that answers an objective: that says which alerts are about one."""
    async with world_of(tmp_path) as world:
        probe = {"job": "probe", "probe": "site", "instance": "http://127.0.0.1:8080/", "service": "site"}
        world.measure("probe_success", 1.0, **probe)
        await serve(world, "site", 10, 0.0)
        world.measure("probe_success", 0.0, **probe)
        await serve(world, "site", 15, 1.0)
        assert [action for action, _ in pages(world)] == ["trigger"]
        assert len(await incidents(world)) == 1


async def test_two_outages_at_once_are_two_pages(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        site(world, False)
        service(world, "database", answers=False)
        await world.pass_time(20 * MINUTE)
        assert [action for action, _ in pages(world)] == ["trigger", "trigger"]
        assert len(await incidents(world)) == 2


async def test_a_dead_nginx_and_a_full_disk_that_name_no_service_are_two_incidents(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        labels = {"job": "node", "instance": "localhost:9100", "device": "/dev/vda1", "mountpoint": "/", "fstype": "x"}
        world.measure("node_filesystem_size_bytes", 100e9, **labels)
        for name in ("free", "avail"):
            world.measure(f"node_filesystem_{name}_bytes", 0.0, **labels)
        world.measure("up", 0.0, job="nginx", instance="localhost:8080")
        await world.pass_time(15 * MINUTE)
        found = {(one.title, one.service) for one in await world.incidents.find()}
        assert found == {
            ("nginx localhost:8080 does not answer", "nginx"),
            ("Disk / of localhost:9100 is full", "infrastructure"),
        }


async def test_what_is_still_broken_when_its_cause_is_over_pages_then(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        for name in ("database", "shop"):
            service(world, name, answers=False)
        await world.pass_time(20 * MINUTE)
        service(world, "database", answers=True)
        await world.pass_time(4 * MINUTE)
        assert [action for action, _ in pages(world)] == ["trigger"]
        await world.pass_time(20 * MINUTE)
        assert sorted(action for action, _ in pages(world)) == ["resolve", "trigger", "trigger"]
        assert "shop" in pages(world)[-1][1] or "shop" in pages(world)[-2][1]
        [(_, status)] = await incidents(world)
        assert status is not IncidentStatus.RESOLVED


async def test_a_full_disk_warns_and_then_pages_once(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        labels = {"job": "node", "instance": "web-1:9100", "device": "/dev/vda1", "mountpoint": "/", "fstype": "ext4"}
        world.measure("node_filesystem_size_bytes", 100e9, **labels)
        for percent in range(80, 101):
            for name in ("free", "avail"):
                world.measure(f"node_filesystem_{name}_bytes", (100 - percent) * 1e9, **labels)
            await world.pass_time(3 * MINUTE)
        await world.pass_time(30 * MINUTE)
        assert [action for action, _ in pages(world)] == ["trigger"]
        assert "Disk / of web-1:9100 is full" in pages(world)[0][1] or "DiskFull" in pages(world)[0][1]
        assert len(world.receivers.at("team")) >= 1, "the warning came first"
        assert len(await incidents(world)) == 1


async def test_an_expired_certificate_is_one_page(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        world.measure(
            "probe_ssl_earliest_cert_expiry", world.clock.now() / 1000 - 60, job="probe", instance="tls://x:443"
        )
        await world.pass_time(80 * MINUTE)
        assert [action for action, _ in pages(world)] == ["trigger"]
        assert len(await incidents(world)) == 1


async def test_a_flapping_probe_is_one_page(tmp_path: Path) -> None:
    """Down for two minutes, up for three, for an hour."""
    async with world_of(tmp_path) as world:
        for _ in range(12):
            world.measure("probe_success", 0.0, job="probe", probe="other", instance="http://other/")
            await world.pass_time(2 * MINUTE)
            world.measure("probe_success", 1.0, job="probe", probe="other", instance="http://other/")
            await world.pass_time(3 * MINUTE)
        await world.pass_time(20 * MINUTE)
        assert [action for action, _ in pages(world)] == ["trigger", "resolve"]
        assert len(await incidents(world)) == 1


async def test_a_budget_that_burns_without_another_alert_pages_by_itself(tmp_path: Path) -> None:
    """One probe of ten fails: never long enough for ProbeFailed."""
    async with world_of(tmp_path) as world:
        for _ in range(12):
            site(world, False)
            await world.pass_time(30 * SECOND)
            site(world, True)
            await world.pass_time(270 * SECOND)
        assert [action for action, _ in pages(world)] == ["trigger"]
        assert await incidents(world) == [("site misses its objective site-availability", IncidentStatus.ESCALATED)]


async def test_a_single_failed_probe_burns_no_budget(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        site(world, False)
        await world.pass_time(20 * SECOND)
        site(world, True)
        await world.pass_time(20 * MINUTE)
        assert world.receivers.arrived == []


@pytest.mark.parametrize("joined", [True, False])
async def test_outages_are_joined_unless_the_settings_say_no(tmp_path: Path, joined: bool) -> None:
    settings = f"{SETTINGS}incidents: {{join_outages: {str(joined).lower()}}}\n"
    async with world_of(tmp_path, settings) as world:
        site(world, True)
        await world.pass_time(10 * MINUTE)
        site(world, False)
        await world.pass_time(20 * MINUTE)
        assert len(pages(world)) == (1 if joined else 2)


async def test_an_alert_whose_cause_goes_to_another_receiver_is_sent(tmp_path: Path) -> None:
    """Otherwise a route that keeps TargetDown from the pager would hide the whole outage."""
    async with world_of(tmp_path) as world:
        routing = ROUTING.replace(
            "    - {matchers: ['severity=\"critical\"'], receiver: pager}\n",
            "    - {matchers: ['alertname=\"TargetDown\"'], receiver: team}\n"
            "    - {matchers: ['severity=\"critical\"'], receiver: pager}\n",
        )
        assert routing != ROUTING
        (tmp_path / "alertmanager.yml").write_text(routing)
        await world.load(load_configuration(tmp_path / "eldonia-ops.yml", {}))
        site(world, False)
        await world.pass_time(20 * MINUTE)
        assert [action for action, _ in pages(world)] == ["trigger"]
        assert len(await incidents(world)) == 1


async def test_the_page_says_why_the_probe_fails(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        site(world, True)
        await world.pass_time(5 * MINUTE)
        site(world, False)
        reason = "the certificate is not trusted: certificate has expired"
        world.measure(
            "target_failure_info", 1.0, job="probe", probe="site", instance="http://127.0.0.1:8080/", reason=reason
        )
        await world.pass_time(14 * MINUTE)
        incident = await world.incident()
        said = f"http://127.0.0.1:8080/ has failed its check for more than a minute: {reason}."
        assert incident.description == said
