import pytest

from eldonia_ops.alerting import routing_lint
from eldonia_ops.alerting.route import Route
from eldonia_ops.alerting.routing_lint import lint_routes
from eldonia_ops.model.matchers import Matcher, MatchOp


def route(receiver: str, service: str, *, continues: bool = False) -> Route:
    return Route(receiver, receiver, receiver, (Matcher("service", MatchOp.EQUAL, service),), continues)


def root(count: int, *last: Route) -> Route:
    siblings = [route(f"r{number}", f"s{number}") for number in range(count)]
    return Route("{}", "{}", "r", routes=(*siblings, *last))


def test_a_route_behind_one_that_takes_its_alerts_is_dead() -> None:
    [found] = lint_routes(root(100, route("late", "s5")))
    assert "the route to 'late' can never match: the earlier route" in found.message
    assert lint_routes(root(100, route("late", "other"))) == []


def test_routes_are_held_against_each_other_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """20,000 routes side by side once took minutes."""
    compared = 0
    real = routing_lint.contradict

    def counted(one: object, other: object) -> bool:
        nonlocal compared
        compared += 1
        return real(one, other)  # type: ignore[arg-type]

    monkeypatch.setattr(routing_lint, "contradict", counted)
    assert lint_routes(root(3_000)) == []
    assert compared < routing_lint.MOST_PAIRS + 10_000
