import pytest
from collector_loops import plans_of, settings_of

from eldonia_ops.collectors.nginx import COLLECTOR
from eldonia_ops.collectors.nginx.config import NginxSettings
from eldonia_ops.model.errors import ConfigError
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.secret import Secret

SETTINGS = """
nginx:
  - url: http://127.0.0.1:8081/nginx_status
  - url: https://edge.example.org/status
    instance: edge
    interval: 30s
    timeout: 2s
    headers: {Authorization: "${STATUS_AUTH}"}
    verify_certificate: false
    labels: {region: osaka}
"""


def test_what_it_can_say():
    settings = settings_of(SETTINGS, {"STATUS_AUTH": "Bearer abc"})
    assert settings.collectors["nginx"] == (
        NginxSettings("http://127.0.0.1:8081/nginx_status"),
        NginxSettings(
            "https://edge.example.org/status",
            "edge",
            30_000,
            2_000,
            {"Authorization": Secret("Bearer abc")},
            False,
            labels=Labels({"region": "osaka"}),
        ),
    )
    assert "abc" not in repr(settings)
    first, second = plans_of(COLLECTOR, settings)
    assert (first.name, second.name) == ("127.0.0.1:8081", "edge")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{instance: a}", "needs url"),
        ("{url: 'ftp://x'}", "url is not a URL"),
        ("{url: 'http://u:p@h/s'}", "holds a user or a password"),
        ("{url: 'http://h/s', interval: 10ms}", "interval is too short"),
        ("{url: 'http://h/s', interval: 5s, timeout: 6s}", "timeout is longer than interval"),
        ("{url: 'http://h/s', labels: {job: x}}", "is given by the platform"),
        ("{url: 'http://h/s', port: 80}", "port"),
        ("{url: 'http://h/s'}\n  - {url: 'http://h:80/other'}", "there are two servers of nginx called 'h:80'"),
    ],
)
def test_faults_are_named(entry, message):
    with pytest.raises(ConfigError) as error:
        settings_of(f"nginx:\n  - {entry}\n")
    assert message in str(error.value)
    assert "u:p" not in str(error.value)
