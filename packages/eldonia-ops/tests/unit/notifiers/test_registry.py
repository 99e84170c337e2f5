# ruff: noqa: E501 - tables are read by the line
from dataclasses import fields
from pathlib import Path

import pytest
from plugin_distribution import Install, installer

from eldonia_ops.alerting.receivers import UndeliverableConfig
from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.model.errors import ConfigError
from eldonia_ops.notifiers.registry import GROUP, built_in, installed
from eldonia_ops.protocols.alertmanager.config import AlertmanagerConfig, parse_alertmanager_config
from eldonia_ops.protocols.integration_fields import key_of, spec_of
from eldonia_ops.protocols.secret_keys import SECRET_KEY

GOOD = """
from dataclasses import dataclass
from eldonia_ops.notifiers.kind import NotifierKind
from eldonia_ops.protocols import integration_fields as declare

@dataclass(frozen=True, slots=True)
class Config:
    topic: str = declare.text(required=True)
    send_resolved: bool = declare.boolean(True)

class Kind(NotifierKind[Config]):
    name = "{name}"
    title = "Pigeons"
    config = Config
    templates = {templates!r}
    def render(self, config, data, templates):
        return {{"topic": config.topic}}
    def render_message(self, config, message, templates):
        return {{"topic": config.topic}}
    def notifier(self, config, client):
        return None
"""


def source(name: str = "pigeon", templates: str = "", more: str = "") -> str:
    return GOOD.format(name=name, templates=templates) + more


def parse(integration: str) -> AlertmanagerConfig:
    text = (
        f"route: {{receiver: r}}\nreceivers:\n- name: r\n  {integration}\n  webhook_configs: [{{url: 'http://x/'}}]\n"
    )
    return parse_alertmanager_config(text, "am.yml", kinds=installed(), environment={})


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    return installer(tmp_path, monkeypatch, GROUP)


def test_every_kind_that_is_built_in_has_what_pages_and_files_need() -> None:
    kinds = built_in().kinds
    assert [kind.name for kind in kinds[:4]] == ["slack", "pagerduty", "webhook", "email"]
    assert all(kind.title and not kind.origin for kind in kinds)
    assert len({kind.config for kind in kinds}) == len(kinds)
    specs = [(key_of(item), spec_of(item)) for kind in kinds for item in fields(kind.config)]
    secrets = [key for key, spec in specs if spec and spec.is_secret]
    assert {"url", "routing_key", "webhook_url"} <= set(secrets)
    assert all(SECRET_KEY.search(key) for key in secrets)


def test_subjects_come_from_payloads() -> None:
    def subject(kind: str, payload: dict[str, object]) -> str:
        return built_in().subject(Outgoing(1, "k", "r", kind, 0, "o", payload))

    assert subject("slack", {"attachments": [{"title": "Down\nnow"}]}) == "Down now"
    assert subject("pagerduty", {"payload": {"summary": "gateway is down"}}) == "gateway is down"
    assert subject("webhook", {"commonLabels": {"alertname": "Down"}}) == "Down"
    labels = {"alertname": "Down", "service": "shop"}
    assert subject("webhook", {"status": "firing", "commonLabels": labels}) == "[FIRING] Down shop"
    summary = {"summary": "shop does not answer"}
    body = {"status": "resolved", "commonLabels": labels, "commonAnnotations": summary}
    assert subject("webhook", body) == "[RESOLVED] shop does not answer"
    assert subject("email", {"headers": {"Subject": "[FIRING] Down"}}) == "[FIRING] Down"
    assert subject("slack", {"attachments": "of another version"}) == ""
    assert subject("gone", {}) == ""


def test_a_plug_in_is_one_more_kind(install: Install) -> None:
    install("pig_a", source(templates='{{ define "pigeon.text" }}coo{{ end }}'), {"pigeon": "pig_a:Kind"})
    kinds = installed()
    assert kinds.faults == ()
    assert kinds.kinds[-1].origin == "pig-a 1.2"
    assert kinds.title("pigeon") == "Pigeons"
    config = parse("pigeon_configs: [{topic: t}]")
    assert [one.key for one in config.routing.receivers["r"].integrations] == ["r/webhook/0", "r/pigeon/0"]
    assert "pigeon.text" in config.templates.names


@pytest.mark.parametrize(
    ("module", "name", "reason"),
    [
        ("import nowhere_to_be_found\n", "pigeon", "ModuleNotFoundError"),
        ("Kind = 7\n", "pigeon", "it does not name a class that extends NotifierKind"),
        (source() + "    render = NotifierKind.render\n", "pigeon", "TypeError"),
        (source("Pigeon!"), "pigeon", "the name of a notifier is lower-case letters and digits"),
        (source("dove"), "pigeon", "the notifier is called 'dove', and its entry point 'pigeon'"),
        (source("slack"), "slack", "there is a notifier 'slack' already"),
        (source(more="Kind.config = int\n"), "pigeon", "config is not a dataclass with the field send_resolved"),
        (source().replace("topic: str = declare.text(required=True)", "pin: object = declare.secret()"), "pigeon", "of its secret 'pin'"),
        (source(more="Kind.title = ''\n"), "pigeon", "it has no title"),
        (source(templates="{{ define "), "pigeon", "its default templates: "),
        (
            source(templates='{{ define "slack.default.title" }}ha{{ end }}'), "pigeon",
            "its default templates define 'slack.default.title', which does not begin with 'pigeon.'",
        ),
    ],
)  # fmt: skip
def test_a_plug_in_that_is_no_notifier_is_named_and_left_out(
    install: Install, request: pytest.FixtureRequest, module: str, name: str, reason: str
) -> None:
    own = f"pig_{abs(hash(request.node.name))}"
    install(own, module, {name: f"{own}:Kind"})
    install(f"{own}_good", source("dove2"), {"dove2": f"{own}_good:Kind"})
    kinds = installed()
    assert [kind.name for kind in kinds.kinds if kind.origin] == ["dove2"]
    [fault] = kinds.faults
    assert reason in fault.message
    assert own.replace("_", "-") in fault.message
    if name != "slack":
        config = parse("pigeon_configs: [{topic: t}]")
        [webhook, dead] = config.routing.receivers["r"].integrations
        assert webhook.kind == "webhook"
        assert isinstance(dead.config, UndeliverableConfig)
        assert reason in dead.config.reason
        assert any(reason in str(one) for one in config.warnings)
    assert built_in().title("slack") == "Slack"


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("    def read(self, section):\n        raise KeyError('hunter2')\n", "failed with KeyError (pig_"),
        ("    def read(self, section):\n        raise SystemExit\n", "failed with SystemExit (pig_"),
        ("    def read(self, section):\n        return None\n", "did not return its own configuration"),
        ("    def read_globals(self, section):\n        return {}['hunter2']\n", "failed with KeyError (pig_"),
    ],
)
def test_a_plug_in_that_fails_at_reading_delivers_nothing_and_stops_no_other(
    install: Install, request: pytest.FixtureRequest, method: str, said: str
) -> None:
    own = f"pig_{abs(hash(request.node.name))}"
    install(own, source(more=method), {"pigeon": f"{own}:Kind"})
    config = parse("pigeon_configs: [{topic: hunter2}]")
    [webhook, dead] = config.routing.receivers["r"].integrations
    assert webhook.kind == "webhook"
    assert isinstance(dead.config, UndeliverableConfig)
    assert said in dead.config.reason
    [warning] = config.warnings
    assert (warning.line, warning.column) == (4, 20)
    assert said in warning.message
    assert "hunter2" not in str(warning)


def test_faults_of_a_plug_ins_section_have_their_places(install: Install) -> None:
    install("pig_b", source(), {"pigeon": "pig_b:Kind"})
    with pytest.raises(ConfigError) as caught:
        parse("pigeon_configs: [{topik: t}]")
    assert [str(one).split(" (")[0] for one in caught.value.diagnostics] == [
        "am.yml:4:20: error: pigeon_configs of receiver 'r' needs topic",
        "am.yml:4:21: error: unknown key 'topik' in pigeon_configs of receiver 'r'",
    ]
