"""From facts to settings: every proposal is one that the platform takes, and says why."""

import string
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.discovery.facts import (
    Access,
    Container,
    Database,
    Facts,
    Listener,
    Program,
    SeenLog,
    WebAnswer,
)
from eldonia_ops.discovery.proposal import propose
from eldonia_ops.discovery.settings_text import settings_text
from eldonia_ops.settings import examine_settings

NGINX = Program("nginx", ("nginx: master process",), "nginx.service")
SHOP = Program("python3", ("/usr/bin/python3", "-m", "shop.server"), "")


def text_of(**facts):
    return settings_text(propose(Facts(**facts)))


def settings_of(text):
    read, found = examine_settings(text, Path("/etc/eldonia-ops/eldonia-ops.yml"), {})
    assert not found, found
    return read


def uncommented(text, *, key):
    """The text with the entries of a section taken in, as a person would do it."""
    lines = []
    for line in text.splitlines():
        is_entry = line.startswith(("#  - ", "#    ")) or line == f"#{key}:"
        lines.append(line[1:] if is_entry else line)
    return "\n".join(lines)


def test_the_language_of_the_terminal_is_that_of_messages():
    assert settings_of(settings_text(propose(Facts()), language="ja")).language == "ja"
    assert settings_of(settings_text(propose(Facts()))).language == "en"


def test_an_empty_machine_gets_its_own_readings_alone():
    text = text_of()
    assert yaml.safe_load(text) == {"host": {"enabled": True}}
    settings_of(text)


def test_what_was_verified_holds_at_once():
    text = text_of(
        web=(
            WebAnswer(Listener("127.0.0.1", 80, NGINX), "/", (), 404, "/nginx_status"),
            WebAnswer(Listener("127.0.0.1", 9100), "/", ("node_cpu_seconds_total", "go_goroutines"), 200),
            WebAnswer(Listener("127.0.0.1", 8000, SHOP), "/health", ("orders_total",), 200),
        ),
        postgresql=(
            Database(
                "postgresql://me@/postgres?host=/run/postgresql&port=5432", Access.OPEN, "127.0.0.1:5432", full=False
            ),
        ),
        redis=(Database("redis://127.0.0.1:6379", Access.OPEN, "127.0.0.1:6379"),),
        logs=(SeenLog("/var/log/nginx/access.log"), SeenLog("/var/log/nginx/error.log"), SeenLog("/var/log/syslog")),
    )
    settings_of(text)
    found = yaml.safe_load(text)
    assert found["host"] == {"enabled": False}
    assert [(one["job"], one["targets"]) for one in found["scrape"]] == [
        ("node", ["127.0.0.1:9100"]),
        ("shop", ["127.0.0.1:8000"]),
    ]
    assert found["nginx"] == [{"url": "http://127.0.0.1:80/nginx_status"}]
    assert found["postgresql"][0]["instance"] == "127.0.0.1:5432"
    assert "GRANT pg_monitor" in text
    assert found["redis"] == [{"url": "redis://127.0.0.1:6379"}]
    assert [(one["name"], one["url"]) for one in found["probes"]] == [
        ("nginx", "http://127.0.0.1:80/"),
        ("shop", "http://127.0.0.1:8000/health"),
    ]
    assert [(one["name"], one["target"], one["probe"]) for one in found["objectives"]] == [
        ("nginx-availability", 99.9, "nginx"),
        ("shop-availability", 99.9, "shop"),
    ]
    assert [(one["path"], one["service"]) for one in found["logs"]] == [
        ("/var/log/nginx/*.log", "nginx"),
        ("/var/log/syslog", "system"),
    ]


def test_what_waits_for_a_person_is_a_comment_that_works_without_the_number_sign():
    text = text_of(
        web=(WebAnswer(Listener("127.0.0.1", 80, NGINX), "/", (), 404),),
        postgresql=(
            Database("postgresql://127.0.0.1:5432/postgres", Access.PASSWORD, "127.0.0.1:5432", "no password supplied"),
        ),
        redis=(Database("redis://127.0.0.1:6379", Access.PASSWORD, "127.0.0.1:6379"),),
    )
    assert set(yaml.safe_load(text)) == {"host", "probes", "objectives"}
    assert "no password supplied" in text
    assert "stub_status; allow 127.0.0.1" in text
    for key in ("nginx", "postgresql", "redis", "recovery"):
        taken = uncommented(text, key=key)
        assert f"\n{key}:" in taken
    everything = text
    for key in ("nginx", "postgresql", "redis", "recovery"):
        everything = uncommented(everything, key=key)
    read, found = examine_settings(
        everything, Path("/etc/eldonia-ops.yml"), {"POSTGRES_PASSWORD": "a", "REDIS_PASSWORD": "b"}
    )
    assert not found
    assert read.recovery[0].service == "nginx"


def test_an_exporter_replaces_the_reading_of_our_own():
    text = text_of(
        web=(WebAnswer(Listener("127.0.0.1", 9121), "/", ("redis_up", "go_info"), 200),),
        redis=(Database("redis://127.0.0.1:6379", Access.OPEN, "127.0.0.1:6379"),),
    )
    found = yaml.safe_load(text)
    assert "redis" not in found
    assert found["scrape"][0]["job"] == "redis"
    assert "probes" not in found  # up says whether an exporter answers


def test_what_was_not_seen_is_said():
    text = text_of(unreadable=("/var/log/private (permission denied)",), failed_units=("backup.service",), systemd=True)
    assert "Note: not seen: /var/log/private" in text
    assert "backup.service has failed" in text
    assert "journal" in text


def test_a_taken_port_moves_ours():
    assert yaml.safe_load(text_of(our_port_taken=True))["listen"] == "127.0.0.1:9601"


def test_names_that_would_be_read_as_variables_are_taken_as_they_are():
    program = Program("${HOME}", ("${HOME}",))
    text = text_of(
        logs=(SeenLog("/var/log/${/a.log"), SeenLog("/srv/${.log"), SeenLog("/srv/x/b.log", program=program))
    )
    paths = [one["path"] for one in yaml.safe_load(text)["logs"]]
    assert paths == ["/srv/$${.log", "/srv/x/b.log", "/var/log/$${/a.log"]
    settings_of(text)


ANY = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(["${HOME}", "a: b", "- x", "#", "'\"", "*"])
NAMES = ANY | st.text(string.ascii_lowercase, min_size=1, max_size=8)
PROGRAMS = st.builds(Program, NAMES, st.lists(ANY, max_size=3).map(tuple), ANY | st.just("shop.service"))
LISTENERS = st.builds(Listener, st.sampled_from(["127.0.0.1", "::1", "10.0.0.7"]), st.integers(1, 65_535), PROGRAMS)
METRICS = st.lists(st.sampled_from(["node_load1", "pg_up", "orders_total", "eldonia_ops_x", "jvm_info"]), max_size=3)
WEB = st.builds(
    WebAnswer,
    LISTENERS,
    st.sampled_from(["", "/", "/health"]),
    METRICS.map(tuple),
    st.sampled_from([0, 200, 401, 404]),
    st.sampled_from(["", "/nginx_status"]),
)
DATABASES = st.builds(Database, st.just("postgresql://127.0.0.1:5432/postgres"), st.sampled_from(Access), ANY, ANY)
PATHS = st.builds(lambda folder, name: f"/var/log/{folder.replace('/', '')}/{name.replace('/', '')}.log", ANY, ANY)
FACTS = st.builds(
    Facts,
    web=st.lists(WEB, max_size=5, unique_by=lambda one: one.listener.port).map(tuple),
    postgresql=st.lists(DATABASES, max_size=1).map(tuple),
    logs=st.lists(st.builds(SeenLog, PATHS, st.booleans(), PROGRAMS), max_size=5).map(tuple),
    containers=st.lists(
        st.builds(Container, NAMES, ANY, st.lists(st.integers(1, 65_535), max_size=2).map(tuple), ANY), max_size=2
    ).map(tuple),
    systemd=st.booleans(),
    failed_units=st.lists(ANY, max_size=2).map(tuple),
    our_port_taken=st.booleans(),
    unreadable=st.lists(ANY, max_size=2).map(tuple),
)


@settings(max_examples=40, deadline=None)
@given(FACTS)
def test_every_proposal_is_taken_without_an_error(facts):
    _, found = examine_settings(settings_text(propose(facts)), Path("/etc/eldonia-ops.yml"), {})
    assert [item for item in found if item.level == "error"] == []
