import pytest

from eldonia_ops.discovery.exporters import exporter_of
from eldonia_ops.discovery.facts import Program
from eldonia_ops.discovery.programs import service_of, speaks_http
from eldonia_ops.discovery.web_servers import metric_names


@pytest.mark.parametrize(
    ("program", "name"),
    [
        (Program("nginx", ("nginx: master process /usr/sbin/nginx",), "nginx.service"), "nginx"),
        (Program("python3", ("/usr/bin/python3", "-m", "shop.server")), "shop"),
        (Program("python3", ("/usr/bin/python3", "-m", "uvicorn", "bakery.main:app", "--port", "80")), "bakery"),
        (Program("gunicorn", ("gunicorn", "-w", "4", "bakery.wsgi:application")), "4"),
        (Program("python3", ("python3", "-c", "print(1)")), "python3"),
        (Program("node", ("node", "/srv/checkout/server.js")), "checkout"),
        (Program("java", ("java", "-Xmx1g", "-jar", "/opt/billing-2.1.jar")), "billing-2.1"),
        (Program("grafana", ("/usr/sbin/grafana", "server")), "grafana"),
        (Program("postgres", ("postgres",), "postgresql@15-main.service"), "postgres"),
        (Program(), ""),
    ],
)
def test_a_service_is_named_as_people_call_it(program, name):
    assert service_of(program) == name


def test_programs_that_speak_something_else_are_not_asked_over_http():
    assert not speaks_http(Program("redis-server"), 8080)
    assert not speaks_http(Program(), 3306)
    assert speaks_http(Program("nginx"), 5432)
    assert speaks_http(Program(), 8080)


def test_an_exporter_is_known_by_its_metrics_whatever_its_port():
    assert getattr(exporter_of(["go_goroutines", "node_load1"], 1234), "job", "") == "node"
    assert exporter_of(["go_goroutines", "orders_total"], 9100) is None
    # Prometheus scrapes itself and shows etcd's client metrics too: the port decides between two that fit.
    assert getattr(exporter_of(["prometheus_build_info", "etcd_x"], 9090), "job", "") == "prometheus"


def test_a_page_of_text_is_not_metrics():
    assert metric_names(b"<html><body>hello</body></html>") == ()
    assert metric_names(b"hello world\n") == ()
    assert metric_names(b"") == ()
    assert metric_names(b'# HELP a b\na{x="1"} 1\na{x="2"} 2\nb 3\n') == ("a", "b")
