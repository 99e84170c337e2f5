from pathlib import Path

import pytest
from collector_loops import Rows, loop_of, plans_of, settings_of

from eldonia_ops.collectors.redis import COLLECTOR
from eldonia_ops.collectors.redis.config import RedisSettings
from eldonia_ops.model.errors import ConfigError
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.secret import Secret

SETTINGS = """
redis:
  - url: redis://127.0.0.1
  - url: rediss://cache.example.org:6380
    instance: cache
    username: watcher
    password: ${REDIS_PASSWORD}
    interval: 30s
    timeout: 2s
    ca_file: tls/ca.pem
    cert_file: tls/cert.pem
    key_file: tls/key.pem
    verify_certificate: false
    labels: {shard: "1"}
  - url: unix:///run/redis/redis.sock
  - url: redis://[::1]:6379
"""


def test_what_it_can_say():
    settings = settings_of(SETTINGS, {"REDIS_PASSWORD": "sesame"})
    plain, full, socket, ipv6 = settings.collectors["redis"]
    assert plain == RedisSettings("redis://127.0.0.1")
    assert full == RedisSettings(
        "rediss://cache.example.org:6380",
        "cache",
        "watcher",
        Secret("sesame"),
        30_000,
        2_000,
        Path("/srv/ops/tls/ca.pem"),
        Path("/srv/ops/tls/cert.pem"),
        Path("/srv/ops/tls/key.pem"),
        False,
        labels=Labels({"shard": "1"}),
    )
    assert [one.name for one in settings.collectors["redis"]] == [
        *("127.0.0.1:6379", "cache", "/run/redis/redis.sock", "[::1]:6379")
    ]
    assert (plain.tls, full.tls, socket.socket, ipv6.address) == (False, True, "/run/redis/redis.sock", ("::1", 6379))
    assert "sesame" not in repr(settings)
    status = loop_of(plans_of(COLLECTOR, settings)[1], Rows().store).status
    assert dict(status.labels) == {"job": "redis", "instance": "cache", "shard": "1"}
    assert status.url == "rediss://cache.example.org:6380"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{instance: a}", "needs url"),
        ("{url: 'http://h:6379'}", "url is not one of a Redis"),
        ("{url: 'unix:///'}", "url is not one of a Redis"),
        ("{url: 'redis://u:p@h'}", "holds a user or a password"),
        ("{url: 'redis://h/3'}", "more than host and port"),
        ("{url: 'redis://h', ca_file: x}", "ca_file means nothing without TLS"),
        ("{url: 'redis://h', verify_certificate: false}", "verify_certificate means nothing without TLS"),
        ("{url: 'rediss://h', cert_file: x}", "cert_file and key_file belong together"),
        ("{url: 'redis://h', username: x}", "username is without a password"),
        ("{url: 'redis://h', password: x, password_file: y}", "both password and password_file"),
        ("{url: 'redis://h', interval: 5s, timeout: 6s}", "timeout is longer than interval"),
        ("{url: 'redis://h', labels: {instance: x}}", "is given by the platform"),
        ("{url: 'redis://h', databases: 1}", "databases"),
        ("{url: 'redis://h'}\n  - {url: 'redis://h:6379'}", "there are two servers of Redis called 'h:6379'"),
    ],
)
def test_faults_are_named(entry, message):
    with pytest.raises(ConfigError) as error:
        settings_of(f"redis:\n  - {entry}\n")
    assert message in str(error.value)
    assert "u:p" not in str(error.value)
