import time

import pytest

from eldonia_telemetry.integrations.routes import template_of


@pytest.mark.parametrize(
    ("pattern", "template"),
    [
        (r"^/works/(?P<number>[0-9]{4})/$", "/works/{number}/"),
        (r"/(?P<database>[^\/\.]+)(\.(?P<format>\w+))?$", "/{database}(.{format})?"),
        (r"/(?P<odd>[^)(]+(?:a(b)c)\))x", "/{odd}x"),
        (r"/(?P<outer>a(?P<inner>b))", "/{outer}"),
        (r"/(?P<open>a", "/{open}"),
        ("", ""),
    ],
)
def test_a_pattern_as_a_template(pattern, template):
    assert template_of(pattern) == template


@pytest.mark.parametrize("hostile", ["(?P<a>" * 10_000, "(" * 50_000, "(?P<a>[" * 9000, "\\" * 50_000])
def test_no_pattern_takes_long(hostile):
    began = time.process_time()
    template_of(hostile)
    assert time.process_time() - began < 0.5
