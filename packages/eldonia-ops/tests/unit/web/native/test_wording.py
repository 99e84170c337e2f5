"""Answers of the native API in the language that a request names."""

from dataclasses import replace
from typing import Any

from fake_platform import FakePlatform
from web_client import Client

from eldonia_ops.model.access import Role
from eldonia_ops.model.errors import Diagnostic
from eldonia_ops.model.labels import Labels
from eldonia_ops.services.api import RefusalView

BASE = "/api/ops/v1"


async def get(client: Client, path: str, language: str, status: int = 200) -> Any:
    async with client(Role.ADMIN) as http:
        answer = await http.get(BASE + path, params={"lang": language} if language else {})
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_errors_of_targets_are_said_in_the_language_that_is_asked_for(
    client: Client, platform: FakePlatform, monkeypatch: Any
) -> None:
    found = [
        replace(one, error="HTTP 503 Service Unavailable, expected 200" if one.error else "")
        for one in platform.status.targets()
    ]
    monkeypatch.setattr(platform.status, "targets", lambda: found)
    errors = {
        language: {one["error"] for one in await get(client, "/targets", language)} for language in ("", "en", "ja")
    }
    assert errors[""] == errors["en"] == {"", "HTTP 503 Service Unavailable, expected 200"}
    assert errors["ja"] == {"", "HTTP 503 Service Unavailable（期待するステータス：200）"}


async def test_alerts_have_texts_in_each_language_from_one_list(
    client: Client, platform: FakePlatform, monkeypatch: Any
) -> None:
    views = await platform.alerts.current()
    shipped = Labels({"summary": "front does not answer as it should", "description": "no answer within 5 s"})
    views = [replace(views[0], alert=replace(views[0].alert, annotations=shipped)), *views[1:]]

    async def current() -> Any:
        return views

    monkeypatch.setattr(platform.alerts, "current", current)
    for _ in range(2):  # the second time from what was encoded before
        for language, summary in (
            ("ja", "front が正しく応答しません"),
            ("en", shipped["summary"]),
            ("", shipped["summary"]),
        ):
            found = await get(client, "/alerts", language)
            assert found[0]["annotations"]["summary"] == summary
            assert found[1]["annotations"]["summary"] == views[1].alert.annotations["summary"]  # of a rule of their own


async def test_refusals_and_reasons_of_faults_are_said(
    client: Client, platform: FakePlatform, monkeypatch: Any
) -> None:
    refusal = RefusalView("logs", "other sources", "the listener closed before the store took it", 3, 1)
    monkeypatch.setattr(platform.ingest, "refusals", lambda: [refusal])
    [one] = await get(client, "/refusals", "ja")
    assert (one["source"], one["reason"]) == ("その他の送信元", "保存する前に待ち受けが終了しました")
    last = replace(platform.reloads.last(), diagnostics=(Diagnostic("scrape[0] needs job", "f.yml", 3, 1),))
    monkeypatch.setattr(platform.reloads, "last", lambda: last)
    [diagnostic] = (await get(client, "/reload", "ja"))["diagnostics"]
    assert diagnostic["message"] == "scrape[0] には job が必要です"
    assert diagnostic["line"] == 3


async def test_an_error_is_said_in_the_language_of_its_reader(client: Client) -> None:
    english = (await get(client, "/incidents/INC-999", "", 404))["error"]
    japanese = (await get(client, "/incidents/INC-999", "ja", 404))["error"]
    assert english["message"] == "no such incident: INC-999"
    assert japanese["message"] == "インシデント INC-999 はありません"
    assert english["code"] == japanese["code"]


async def test_shipped_rules_have_their_comments_and_summaries(client: Client) -> None:
    cards = {one["name"]: one["summary"] for one in await get(client, "/configuration/rules", "ja") if one["shipped"]}
    assert cards == {"HighCPUUsage": "{{ $labels.instance }} の CPU 使用率が高くなっています", "Off": "CPU is busy"}


async def test_a_language_that_there_is_not_changes_nothing(client: Client) -> None:
    assert await get(client, "/alerts/rules", "fr") == await get(client, "/alerts/rules", "")
