from eldonia_ops.alerting.notification_failed import ALARMING_MS, alarming, failed_integration, notification_failed
from eldonia_ops.alerting.receivers import Integration, Receiver
from eldonia_ops.alerting.route import Route
from eldonia_ops.alerting.routing import Routing
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.notifiers.webhook.config import WebhookConfig

PAGER = Integration("pager", "webhook", 0, WebhookConfig())
NOW = 1_700_000_000_000


def routing(*children):
    return Routing(Route("0", "{}", "team", routes=children), {"pager": Receiver("pager", (PAGER,))})


def test_only_what_is_critical_alarms_and_only_once_it_is_given_up_or_late():
    assert alarming(NOW, NOW, critical=True, given_up=True)
    assert not alarming(NOW, NOW + ALARMING_MS - 1, critical=True, given_up=False)
    assert alarming(NOW, NOW + ALARMING_MS, critical=True, given_up=False)
    assert not alarming(0, NOW, critical=True, given_up=False), "it is unknown since when"
    assert not alarming(NOW, NOW + ALARMING_MS, critical=False, given_up=True)


def test_one_integration_has_one_alert_whatever_it_answers():
    one, other = (notification_failed(PAGER, detail, NOW) for detail in ("401", "503"))
    assert one.fingerprint == other.fingerprint
    assert failed_integration(one.labels) == "pager/webhook/0"
    assert failed_integration(Labels({"alertname": "Other", "integration": "pager/webhook/0"})) == ""


def test_it_goes_to_the_default_receiver_too_and_once():
    critical = (Matcher("severity", MatchOp.EQUAL, "critical"),)
    labels = notification_failed(PAGER, "401", NOW).labels
    only_pager = routing(Route("0/0", "{}/{}", "pager", critical))
    assert [route.id for route in only_pager.routes(labels)] == ["0/0", "0"]
    assert [route.id for route in only_pager.routes(Labels({"severity": "critical"}))] == ["0/0"]
    both = routing(Route("0/0", "{}/{}", "pager", critical, continues=True), Route("0/1", "{}/{}", "team", critical))
    assert [route.id for route in both.routes(labels)] == ["0/0", "0/1"]
    assert [route.id for route in routing().routes(labels)] == ["0"]
