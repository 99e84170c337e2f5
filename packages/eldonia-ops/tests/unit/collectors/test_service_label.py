from eldonia_ops.collectors.service_label import server_labels
from eldonia_ops.model.labels import EMPTY, Labels
from eldonia_ops.settings.services import ServiceSettings

SERVICES = (ServiceSettings("shop", ("main-db", "cache")), ServiceSettings("web"))


def test_a_server_with_the_name_of_a_service_is_that_service() -> None:
    named = server_labels(SERVICES, "postgresql", "main-db", "", EMPTY)
    assert dict(named) == {"job": "postgresql", "instance": "main-db", "service": "main-db"}
    assert server_labels(SERVICES, "nginx", "web", "", EMPTY).get("service") == "web"
    assert "service" not in dict(server_labels(SERVICES, "redis", "127.0.0.1:6379", "", EMPTY))


def test_what_is_written_counts_more() -> None:
    assert server_labels(SERVICES, "redis", "cache", "sessions", EMPTY).get("service") == "sessions"
    own = Labels({"service": "mine", "rack": "7"})
    assert dict(server_labels(SERVICES, "redis", "cache", "sessions", own))["service"] == "mine"
