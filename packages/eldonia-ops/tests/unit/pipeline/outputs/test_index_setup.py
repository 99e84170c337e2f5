"""Templates, policies and rolled indices as fluent-plugin-elasticsearch declares them."""

from typing import Any

import pytest
from pipeline_sections import output, read_output

from eldonia_ops.pipeline.outputs.index_setup import IndexSetup, Rollover, TemplateFile

FILE = {"template_name": "app", "template_file": "/t/app.json"}
ILM = {**FILE, "index_name": "App-Logs", "enable_ilm": "true"}


def setup_of(type: str = "elasticsearch", **values: str) -> IndexSetup:
    return output(type, **values).setup


def messages(type: str = "elasticsearch", **values: str) -> list[str]:
    return [problem.message for problem in read_output(type, **values)[1]]


def test_nothing_is_prepared_unless_it_is_written() -> None:
    assert setup_of() == IndexSetup()


def test_files_of_templates() -> None:
    found = setup_of(**FILE, templates='{"other": "/t/other.json"}', customize_template='{"<<app>>": "shop"}')
    assert found.files == (TemplateFile("other", "/t/other.json"), TemplateFile("app", "/t/app.json"))
    assert found.legacy
    assert not found.overwrite
    assert found.read('{"index_patterns": ["<<app>>-*"]}') == {"index_patterns": ["shop-*"]}
    assert messages(template_name="app") == ["a template needs template_name and template_file"]


@pytest.mark.parametrize(("text", "reason"), [("[]", "must hold a JSON object"), ("{", "must hold a JSON object: ")])
def test_a_file_that_is_no_template(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        setup_of(**FILE).read(text)


@pytest.mark.parametrize(
    ("legacy", "body", "completed"),
    [
        ("true", {"settings": {"x": 1}}, {"settings": {"x": 1, "index.lifecycle.name": "logstash-policy"}}),
        (
            "false",
            {"priority": 1},
            {"priority": 1, "template": {"settings": {"index.lifecycle.name": "logstash-policy"}}},
        ),
    ],
)
def test_a_policy_is_named_in_each_template(legacy: str, body: dict[str, Any], completed: dict[str, Any]) -> None:
    found = setup_of(**ILM, use_legacy_template=legacy)
    settings = completed["settings"] if legacy == "true" else completed["template"]["settings"]
    settings["index.lifecycle.rollover_alias"] = "app-logs"
    assert found.completed(body) == completed


def test_a_policy_has_a_default_and_writes_go_to_the_alias() -> None:
    made = output("elasticsearch", **ILM)
    assert made.index == "app-logs"
    ((name, body),) = made.setup.policies
    assert name == "logstash-policy"
    assert body["policy"]["phases"]["hot"]["actions"]["rollover"] == {"max_size": "50gb", "max_age": "30d"}
    assert made.setup.rollover == Rollover("app-logs", "app-logs-default")
    assert made.setup.rollover.first_index(1_796_083_200_000) == "app-logs-default-2026.12.01-000001"


def test_with_logstash_format_the_alias_is_the_prefix() -> None:
    made = output("elasticsearch", **FILE, enable_ilm="true", logstash_format="true", logstash_prefix="shop")
    assert (made.index, made.logstash_format, made.setup.rollover) == ("shop", False, Rollover("shop", "shop-default"))


def test_own_policies() -> None:
    policies = '{"short": {"policy": {"phases": {"delete": {"min_age": "3d"}}}}}'
    found = setup_of(**ILM, ilm_policy_id="short", ilm_policies=policies, ilm_policy_overwrite="true")
    assert [name for name, _ in found.policies] == ["short"]
    assert found.policy_overwrite
    found = setup_of(**ILM, ilm_policy_id="own", ilm_policy='{"policy": {"phases": {}}}')
    assert found.policies == (("own", {"policy": {"phases": {}}}),)
    assert "the policy x must be a JSON object" in messages(**ILM, ilm_policies='{"x": 1}')


def test_rollover_without_policies() -> None:
    made = output("elasticsearch", index_name="w", rollover_index="true", deflector_alias="w", application_name="a")
    assert made.setup.rollover == Rollover("w", "w-a")
    assert not made.setup.policies


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"deflector_alias": "w"}, "deflector_alias has an effect only with rollover_index or enable_ilm"),
        (
            {**ILM, "deflector_alias": "w"},
            "deflector_alias cannot be used with enable_ilm: the alias is the index name",
        ),
        (
            {**ILM, "index_date_pattern": "now/w{xxxx.ww}"},
            'index_date_pattern can be "now/d" or empty: rolled indices have the day',
        ),
        ({"enable_ilm": "true"}, "enable_ilm has an effect on new indices only with template_name and template_file"),
        (
            {"template_name": "t-${tag}", "template_file": "/t"},
            "t-${tag}: a template or alias for each value of a placeholder is not supported",
        ),
    ],
)
def test_what_has_no_effect_is_named(values: dict[str, str], message: str) -> None:
    assert message in messages(**values)


def test_a_data_stream_brings_its_template() -> None:
    found = setup_of("opensearch_data_stream", data_stream_name="logs-app-default")
    assert found.template_name == "logs-app-default_template"
    assert found.template == {"index_patterns": ["logs-app-default*"], "data_stream": {}, "priority": 200}
    assert found.completed(found.template) == found.template


def test_a_data_stream_may_have_a_policy() -> None:
    policy = '{"policy": {"phases": {"hot": {}}}}'
    found = setup_of("elasticsearch_data_stream", data_stream_name="logs-x", data_stream_ilm_policy=policy)
    assert found.policies == (("logs-x_policy", {"policy": {"phases": {"hot": {}}}}),)
    assert found.template is not None
    assert found.completed(found.template)["template"] == {"settings": {"index.lifecycle.name": "logs-x_policy"}}
