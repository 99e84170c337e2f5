"""Which exporter it is, by the names of its metrics, else by its port.

Ports: https://github.com/prometheus/prometheus/wiki/Default-port-allocations.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Exporter:
    """A program that shows the metrics of something else. ``prefix`` begins the names that it alone has."""

    job: str
    title: str
    prefix: str
    ports: tuple[int, ...] = ()


KNOWN: Final = (
    Exporter("node", "node_exporter: CPU, memory, disks and network of this machine", "node_", (9100,)),
    Exporter("postgresql", "postgres_exporter", "pg_", (9187,)),
    Exporter("redis", "redis_exporter", "redis_", (9121,)),
    Exporter("nginx", "nginx-prometheus-exporter", "nginx_", (9113,)),
    Exporter("mysql", "mysqld_exporter", "mysql_", (9104,)),
    Exporter("mongodb", "mongodb_exporter", "mongodb_", (9216,)),
    Exporter("memcached", "memcached_exporter", "memcached_", (9150,)),
    Exporter("apache", "apache_exporter", "apache_", (9117,)),
    Exporter("haproxy", "HAProxy", "haproxy_", (8405, 9101)),
    Exporter("elasticsearch", "elasticsearch_exporter", "elasticsearch_", (9114,)),
    Exporter("rabbitmq", "RabbitMQ", "rabbitmq_", (15692, 9419)),
    Exporter("kafka", "kafka_exporter", "kafka_", (9308,)),
    Exporter("blackbox", "blackbox_exporter", "blackbox_exporter_", (9115,)),
    Exporter("cadvisor", "cAdvisor: containers", "container_", ()),
    Exporter("etcd", "etcd", "etcd_", (2379,)),
    Exporter("caddy", "Caddy", "caddy_", (2019,)),
    Exporter("traefik", "Traefik", "traefik_", ()),
    Exporter("grafana", "Grafana", "grafana_", ()),
    Exporter("alertmanager", "Alertmanager", "alertmanager_", (9093,)),
    Exporter("pushgateway", "Pushgateway", "pushgateway_", (9091,)),
    Exporter("prometheus", "Prometheus", "prometheus_", (9090,)),
    Exporter("jvm", "a Java program", "jvm_", ()),
)
_OURS: Final = "eldonia_ops_"


def exporter_of(metrics: Iterable[str], port: int) -> Exporter | None:
    """The exporter with these metrics; None for a program that shows its own."""
    names = tuple(metrics)
    found = [one for one in KNOWN if any(name.startswith(one.prefix) for name in names)]
    # Prometheus' libraries put metrics about themselves beside those that an exporter is for.
    by_port = [one for one in found if port in one.ports]
    return (by_port or found or [None])[0]


def is_ours(metrics: Iterable[str]) -> bool:
    """Whether these are the metrics of this platform."""
    return any(name.startswith(_OURS) for name in metrics)
