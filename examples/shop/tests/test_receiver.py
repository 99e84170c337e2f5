import json

import pytest

KEY = "0123456789abcdef0123456789abcdef"
TRIGGER = {
    "routing_key": KEY,
    "event_action": "trigger",
    "dedup_key": "group-1",
    "payload": {"summary": "Shop down", "source": "eldonia-ops", "severity": "critical"},
}
HOOK = "/services/T0000/B0000/secret"


@pytest.fixture
def receiver(start, tmp_path):
    return start("shop.receiver", "--port", "0", "--store", str(tmp_path / "received.jsonl"))


def test_slack_takes_what_slack_takes(receiver):
    answer = receiver.post(HOOK, json={"channel": "#eldonia-alerts", "text": "disk full"})
    assert (answer.status_code, answer.text) == (200, "ok")
    assert answer.headers["content-type"].startswith("text/plain")
    form = receiver.post(HOOK, data={"payload": json.dumps({"attachments": [{"title": "A", "text": "B"}]})})
    assert form.text == "ok"
    received = receiver.get("/received").json()
    assert received["next"] == 2
    assert [r["title"] for r in received["received"]] == ["disk full", "A · B"]
    assert received["received"][0]["to"] == "#eldonia-alerts"


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"{", "invalid_payload"),
        (b"[]", "invalid_payload"),
        (b"{}", "no_text"),
        (b'{"text":"  "}', "no_text"),
        (json.dumps({"attachments": [{}] * 101}).encode(), "too_many_attachments"),
        (b'{"blocks":[{"no":"type"}]}', "invalid_blocks"),
    ],
)
def test_slack_refuses_what_slack_refuses(receiver, body, word):
    answer = receiver.post(HOOK, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.text) == (400, word)
    assert receiver.get("/received").json()["received"][0]["accepted"] is False


def test_pagerduty_takes_events_and_gives_a_dedup_key(receiver):
    answer = receiver.post("/v2/enqueue", json=TRIGGER)
    assert answer.status_code == 202
    assert answer.json() == {"status": "success", "message": "Event processed", "dedup_key": "group-1"}
    fresh = receiver.post("/v2/enqueue", json={**TRIGGER, "dedup_key": None})
    assert len(fresh.json()["dedup_key"]) == 32
    resolved = {"routing_key": KEY, "event_action": "resolve", "dedup_key": "group-1"}
    assert receiver.post("/v2/enqueue", json=resolved).status_code == 202
    titles = [r["title"] for r in receiver.get("/received", params={"since": 1}).json()["received"]]
    assert titles == ["trigger [critical] Shop down", "resolve group-1"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"routing_key": "short"}, "Length of 'routing_key' is incorrect (should be 32 characters)"),
        ({"routing_key": None}, "'routing_key' is missing or blank"),
        ({"event_action": "open"}, "'event_action' is invalid"),
        ({"event_action": "resolve", "dedup_key": None}, "'dedup_key' is missing or blank"),
        ({"payload": {"source": "x", "severity": "info"}}, "'payload.summary' is missing or blank"),
        ({"payload": {"summary": "x", "source": "x", "severity": "high"}}, "'payload.severity' is invalid"),
    ],
)
def test_pagerduty_says_what_is_wrong(receiver, change, error):
    answer = receiver.post("/v2/enqueue", json={**TRIGGER, **change})
    assert answer.status_code == 400
    assert answer.json()["status"] == "invalid event"
    assert any(found.startswith(error) for found in answer.json()["errors"])


def test_away_for_some_requests_then_back(receiver):
    receiver.post("/faults", json={"fault": "unavailable", "count": 2, "only": "slack", "retry_after": 7})
    assert receiver.post("/v2/enqueue", json=TRIGGER).status_code == 202
    answers = [receiver.post(HOOK, json={"text": "x"}) for _ in range(3)]
    assert [a.status_code for a in answers] == [503, 503, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert [r["accepted"] for r in receiver.get("/received").json()["received"]] == [True, False, False, True]


def test_numbers_go_on_after_a_restart(receiver, start, tmp_path):
    receiver.post("/hook/vendor", json={"title": "please look"})
    assert receiver.stop()[0] == 0
    with (tmp_path / "received.jsonl").open("a") as file:
        file.write('{"n": 2, "cut')  # as a kill in the middle of a write leaves it
    again = start("shop.receiver", "--port", "0", "--store", str(tmp_path / "received.jsonl"))
    assert again.get("/received").json()["next"] == 1
    again.post("/hook/vendor", json={"title": "again"})
    assert [(r["n"], r["to"]) for r in again.get("/received").json()["received"]] == [(1, "vendor"), (2, "vendor")]
    again.stop()
    third = start("shop.receiver", "--port", "0", "--store", str(tmp_path / "received.jsonl"))
    assert third.get("/received").json()["next"] == 2


def test_the_page_shows_text_as_text(receiver):
    receiver.post(HOOK, json={"text": "<script>alert(1)</script>"})
    page = receiver.get("/")
    assert "&lt;script&gt;" in page.text
    assert "<script>" not in page.text
    assert "script-src" not in page.headers["content-security-policy"]
