"""Receivers beside those of a routing file."""

from eldonia_ops.alerting.additions import AddedReceiver, with_receivers
from eldonia_ops.alerting.receivers import Integration, Receiver, UndeliverableConfig
from eldonia_ops.alerting.route import Route
from eldonia_ops.alerting.routing import Routing
from eldonia_ops.model.matchers import Matcher, MatchOp


class Works:
    send_resolved = True
    __dataclass_fields__: dict = {}  # noqa: RUF012


def receiver(name: str, config=None) -> Receiver:
    return Receiver(name, (Integration(name, "webhook", 0, config or Works()),))  # type: ignore[arg-type]


CRITICAL = Matcher("severity", MatchOp.EQUAL, "critical")
TEAM = AddedReceiver(receiver("team"), (CRITICAL,))
TREE = Route("{}", "{}", "default", routes=(Route("{}/{c}/0", "{}/{c}", "pager", (CRITICAL,)),))
ROUTING = Routing(TREE, {"default": receiver("default"), "pager": receiver("pager")})


def names(routing: Routing, **labels: str) -> list[str]:
    return [one.receiver for one in routing.routes(labels)]


def test_receivers_of_the_file_are_notified_as_before_and_in_the_same_groups() -> None:
    found = with_receivers(
        ROUTING, [AddedReceiver(receiver("team"), (CRITICAL,)), AddedReceiver(receiver("all"))], in_place=False
    )
    assert names(found, severity="critical") == ["team", "all", "pager"]
    assert names(found, severity="warning") == ["all", "default"]
    for labels in ({"severity": "critical"}, {"severity": "warning"}):
        before = {(one.id, one.key) for one in ROUTING.routes(labels)}
        assert before <= {(one.id, one.key) for one in found.routes(labels)}
    ids = [one.id for one in found.route.walk()]
    assert len(set(ids)) == len(ids)


def test_nothing_added_changes_nothing() -> None:
    assert with_receivers(ROUTING, [], in_place=True) is ROUTING


LACKING = Routing(
    TREE, {name: receiver(name, UndeliverableConfig("a variable is not set")) for name in ("default", "pager")}
)


def test_in_place_of_receivers_that_cannot_be_notified() -> None:
    alone = with_receivers(LACKING, [AddedReceiver(receiver("all"))], in_place=True)
    assert names(alone, severity="critical") == names(alone, severity="info") == ["all"]
    assert alone.route.receiver == "all", "escalations without a receiver of their own go there"
    both = with_receivers(
        LACKING, [AddedReceiver(receiver("team"), (CRITICAL,)), AddedReceiver(receiver("all"))], in_place=True
    )
    assert names(both, severity="critical") == ["team", "all"]
    assert names(both, severity="info") == ["all"]


def test_without_one_that_wants_everything_the_rest_is_recorded_as_not_delivered() -> None:
    found = with_receivers(LACKING, [TEAM], in_place=True)
    assert names(found, severity="critical") == ["team", "default"]
    assert names(found, severity="info") == ["default"]


def test_in_a_routing_that_was_written_none_is_replaced() -> None:
    found = with_receivers(LACKING, [AddedReceiver(receiver("all"))], in_place=False)
    assert names(found, severity="critical") == ["all", "pager"]
