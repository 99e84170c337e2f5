"""Which alert of an outage is sent, and because of which the others are suppressed."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eldonia_ops.alerting.causes import (
    BUDGET_ALERT,
    Causes,
    Outages,
    Services,
    address_of,
    services_of,
    wanted_causes,
)
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.labels import Labels

SECOND = 1_000
AT = 1_000_000
SHOP = services_of({"shop": ["database", "payment"], "mail": ["database"], "database": [], "payment": ["bank"]})


def alert(name, at=0, severity="critical", **labels):
    return Alert(Labels({"alertname": name, "severity": severity, **labels}), starts_at=AT + at * SECOND)


def causes(*alerts, services=SHOP, budgets=("shop",)):
    return Causes(Outages(services, 30 * SECOND, frozenset(budgets)), alerts)


def cause(of, *others, **settings):
    """The name of the alert because of which one is suppressed, and what they share."""
    found = causes(of, *others, **settings).of(of)
    return (found[0].source.name, found[0].reason) if found else None


def test_what_depends_on_a_service_that_is_down_is_suppressed():
    database = alert("TargetDown", 0, service="database")
    shop = alert("HighErrorRate", 60, service="shop")
    assert cause(shop, database) == ("TargetDown", "shop depends on database")
    assert cause(database, shop) is None
    assert cause(alert("HighErrorRate", 60, service="blog"), database) is None


def test_services_behind_one_that_fails_may_be_of_one_incident_and_do_not_suppress_each_other():
    """What they depend on is noticed later, or fails in a way that no rule sees."""
    shop, mail = alert("ProbeFailed", 0, service="shop"), alert("ProbeFailed", 45, service="mail")
    late, other = alert("ProbeFailed", 90, service="mail"), alert("ProbeFailed", 0, service="bank")
    [found] = causes(shop, mail).companions(mail)
    assert (found.source, found.reason) == (shop, "both depend on database")
    assert causes(shop, mail).of(mail) == []
    assert causes(shop, late).companions(late) == []
    assert causes(mail, other).companions(mail) == []
    assert {"service": "mail", "severity": "critical"} in wanted_causes(Outages(SHOP), [shop])


def test_dependencies_are_followed_to_the_end():
    assert cause(alert("E", 60, service="shop"), alert("BankDown", service="bank")) == (
        "BankDown",
        "shop depends on bank",
    )


def test_a_cause_that_begins_before_the_first_notification_is_sent_in_its_place():
    """The shop's probe notices at once, the database's rule only twenty seconds later: the group has not been sent."""
    shop, database = alert("ProbeFailed", 0, service="shop"), alert("TargetDown", 15, service="database")
    assert cause(shop, database) == ("TargetDown", "shop depends on database")
    assert cause(database, shop) is None


def test_a_cause_that_begins_later_does_not_page_again():
    shop, database = alert("ProbeFailed", 0, service="shop"), alert("TargetDown", 40, service="database")
    assert cause(shop, database) is None
    assert cause(database, shop) == ("ProbeFailed", "shop depends on database")


def test_one_address_in_any_spelling():
    probe = alert("ProbeFailed", 10, instance="http://localhost/health", service="external")
    target = alert("TargetDown", 0, instance="127.0.0.1:80", service="infrastructure")
    assert cause(probe, target, services=Services()) == ("TargetDown", "both are about 127.0.0.1:80")
    other = alert("RedisSlow", 20, "warning", instance="127.0.0.1:80")
    assert cause(other, target, services=Services()) == ("TargetDown", "both are about 127.0.0.1:80")
    assert cause(target, other, services=Services()) is None
    assert cause(alert("RedisSlow", 20, instance="127.0.0.1:81"), target) is None


def test_a_budget_burns_because_of_a_known_alert():
    budget = alert(BUDGET_ALERT, 10, service="shop", probe="shop")
    assert cause(budget, alert("HighErrorRate", 5, service="shop")) == ("HighErrorRate", "both are about shop")
    probe = alert("ProbeFailed", 20, probe="shop", service="external")
    assert cause(budget, probe) == ("ProbeFailed", "both are about the probe shop")
    assert cause(probe, budget) is None
    assert cause(alert("HighErrorRate", 3600, service="shop"), budget) == (BUDGET_ALERT, "both are about shop")


def test_alerts_of_one_declared_service_are_one_outage_and_of_others_are_not():
    first, second = alert("HighErrorRate", 0, service="shop"), alert("Slow", 90, service="shop")
    assert cause(second, first) == ("HighErrorRate", "both are about shop")
    assert cause(second, first, services=Services(), budgets=()) is None


def test_a_graver_alert_is_not_suppressed_by_a_lesser_one():
    warning = alert("Slow", 0, "warning", service="database")
    assert cause(alert("HighErrorRate", 60, service="shop"), warning) is None
    assert cause(alert("Slow", 60, "warning", service="shop"), alert("Down", service="database")) is not None


def test_a_security_finding_hides_nothing_and_is_never_hidden():
    services = services_of({"security": ["database"], "database": ["security"][:0]})
    finding, database = alert("BruteForce", 60, service="security"), alert("Down", service="database")
    assert cause(finding, database, services=services) is None
    assert cause(database, finding, services=services) is None


def test_a_circle_of_services_is_refused_by_name():
    with pytest.raises(ValueError, match="a -> b -> c -> a"):
        services_of({"a": ["b"], "b": ["c"], "c": ["a"]})
    with pytest.raises(ValueError, match="a -> a"):
        services_of({"a": ["a"]})


def test_a_long_chain_of_services_is_followed():
    chain = services_of({f"s{index}": [f"s{index + 1}"] for index in range(3_000)})
    assert len(chain.upstream["s0"]) == 3_000
    assert chain.levels["s0"] == 3_000


@pytest.mark.parametrize(
    ("instance", "address"),
    [
        ("db.internal:5432", "db.internal:5432"),
        ("DB.internal.:5432", "db.internal:5432"),
        ("localhost:80", "127.0.0.1:80"),
        ("[::1]:80", "127.0.0.1:80"),
        ("https://shop.example/health?x=1", "shop.example:443"),
        ("http://user:pw@h:8080/", "h:8080"),
        ("web-1", ""),
        ("", ""),
        ("host:99999999", ""),
        ("http://[", ""),
        ("x" * 2_000 + ":80", ""),
    ],
)
def test_addresses(instance, address):
    assert address_of(alert("A", instance=instance)) == address


ALERTS = st.lists(
    st.builds(
        lambda name, at, severity, labels: alert(name, at, severity, **labels),
        st.sampled_from(["TargetDown", "ProbeFailed", BUDGET_ALERT, "HighErrorRate", "Slow"]),
        st.integers(0, 90),
        st.sampled_from(["critical", "warning", "info"]),
        st.fixed_dictionaries(
            {},
            optional={
                "service": st.sampled_from(["shop", "mail", "database", "payment", "bank", "blog", "security"]),
                "instance": st.sampled_from(["localhost:80", "http://127.0.0.1/", "db:5432", "web"]),
                "probe": st.sampled_from(["shop", "bank"]),
            },
        ),
    ),
    max_size=8,
)


@given(ALERTS)
def test_of_those_that_fire_at_least_one_is_sent(alerts):
    """From a suppressed alert to its cause, and on, leads to one that is sent, and never back."""
    every = causes(*alerts)
    by_fingerprint = {one.fingerprint: one for one in alerts}
    for one in by_fingerprint.values():
        seen = [one.fingerprint]
        while found := every.of(one):
            one = found[0].source
            assert one.fingerprint not in seen
            seen.append(one.fingerprint)
    if by_fingerprint:
        assert any(not every.of(one) for one in by_fingerprint.values())


@given(ALERTS, ALERTS)
@example([alert("TargetDown", probe="bank")], [alert(BUDGET_ALERT, 57, "info", probe="bank", service="shop")])
def test_alerts_that_are_not_wanted_suppress_nothing(alerts, targets):
    outages = Outages(SHOP, 30 * SECOND, frozenset({"shop"}))
    wanted = wanted_causes(outages, targets)
    some = [one for one in alerts if any(set(labels.items()) <= set(one.labels.items()) for labels in wanted)]
    every, chosen = Causes(outages, alerts), Causes(outages, some)
    for target in targets:
        assert [one.source.fingerprint for one in every.of(target)] == [
            one.source.fingerprint for one in chosen.of(target)
        ]
