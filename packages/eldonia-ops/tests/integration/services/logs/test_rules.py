"""Rules whose expression is a search of logs: from the record to the alert, and what a rule would have done."""

from service_world import MINUTE, World, open_world

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.rules.log_expression import read_log_expression
from eldonia_ops.services.logs.rules import LogRules

RULES = """
groups:
  - name: logs
    interval: 1m
    rules:
      - alert: ManyErrors
        logs: level:error | stats count() as errors by http.service, service | where errors >= 3
        range: 2m
        for: 1m
        labels: {severity: critical}
        annotations: {summary: "{{ $value }} errors of {{ $labels.service }}"}
      - record: logs:slow:p50
        logs: "* | extract /took (?<ms>[0-9]+) ms/ | where ms:* | stats p50(ms) by service"
        range: 10m
      - alert: Unusable
        logs: "* | stats count() by user_id | sort user_id"
        labels: {severity: warning}
"""


async def _log(world: World, count: int, message: str = "x", level: LogLevel = LogLevel.ERROR) -> None:
    at = world.clock.now() * 10**6
    await world.telemetry.logs.insert_logs(
        [LogRecord(timestamp_ns=at - n - 1, message=message, level=level, service="shop") for n in range(count)]
    )


async def test_an_alert_fires_for_what_is_counted_and_ends_when_it_is_over() -> None:
    async with open_world(rules=RULES) as world:
        await world.start()
        await _log(world, 2)
        await world.pass_time(2 * MINUTE)
        assert not [one for one in await world.alerts.current() if one.alert.name == "ManyErrors"]
        for _ in range(4):
            await _log(world, 3)
            await world.pass_time(MINUTE)
        firing = [one for one in await world.alerts.current() if one.alert.name == "ManyErrors"]
        assert [(one.state, one.alert.labels.get("service")) for one in firing] == [("firing", "shop")]
        assert firing[0].alert.annotations["summary"] == "6 errors of shop"
        assert "http_service" not in firing[0].alert.labels
        assert firing[0].alert.evidence["logs"].startswith("level:error | stats")
        await world.pass_time(8 * MINUTE)
        rule = next(rule for group in world.alerts.rules() for rule in group.rules if rule.name == "ManyErrors")
        assert (rule.state, rule.health) == ("inactive", "ok")


async def test_what_is_counted_can_be_recorded() -> None:
    async with open_world(rules=RULES) as world:
        await world.start()
        for ms in (10, 20, 90):
            await _log(world, 1, f"took {ms} ms", LogLevel.INFO)
        await world.pass_time(2 * MINUTE)
        found = await world.telemetry.metrics.select(
            [Matcher("__name__", MatchOp.EQUAL, "logs:slow:p50")], 0, world.clock.now()
        )
        assert [dict(one) for block in found for one in block.labels] == [
            {"__name__": "logs:slow:p50", "service": "shop"}
        ]
        assert set(found[0].values.ravel()) == {20.0}


async def test_of_a_timechart_the_newest_bucket_that_has_ended_counts() -> None:
    async with open_world(rules="") as world:
        rules = LogRules(world.telemetry.logs)
        at = world.clock.now() // MINUTE * MINUTE
        for minute, count in ((1, 2), (2, 5), (3, 7)):
            await world.telemetry.logs.insert_logs(
                [LogRecord(timestamp_ns=(at - minute * MINUTE) * 10**6 + n, message="x") for n in range(count)]
            )
        expression = read_log_expression("* | timechart 1m count() by level", 5 * MINUTE)
        assert await rules.evaluate(expression, at) == [(Labels({"level": "info"}), 2.0)]
        assert await rules.evaluate(expression, at - MINUTE + 30_000) == [(Labels({"level": "info"}), 5.0)]


async def test_a_preview_says_when_it_would_have_fired() -> None:
    async with open_world(rules="") as world:
        start = world.clock.now() // MINUTE * MINUTE
        for minute in range(10):
            count = 5 if 3 <= minute < 7 else 1
            await world.telemetry.logs.insert_logs(
                [LogRecord(timestamp_ns=(start + minute * MINUTE) * 10**6 + n, message="x") for n in range(count)]
            )
        expression = read_log_expression("* | stats count() as n by level | where n > 3", MINUTE)
        found = await LogRules(world.telemetry.logs).preview(expression, start, start + 10 * MINUTE, MINUTE)
        assert found.firing == ((start + 5 * MINUTE, start + 8 * MINUTE),)
        assert found.series == 1
        assert found.points == tuple((start + minute * MINUTE, 5.0) for minute in (4, 5, 6, 7))
