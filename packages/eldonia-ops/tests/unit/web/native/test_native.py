"""The native API over the contracts."""

import csv
import io
import json
from typing import Any

import pytest
from fake_platform import HOUR, NOW, FakePlatform
from web_client import Client

from eldonia_ops.model.access import Role
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import ConflictError

BASE = "/api/ops/v1"


async def get(client: Client, path: str, role: Role = Role.VIEWER, **parameters: Any) -> Any:
    async with client(role) as http:
        response = await http.get(BASE + path, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


async def test_me(reader: Client) -> None:
    me = await get(reader, "/me", Role.ADMIN)
    assert me["role"] == "admin"
    assert me["via"] == "token"
    assert set(me["capabilities"]) == {"ingest", "read", "respond", "administer"}
    assert (await get(reader, "/me", Role.INGEST))["capabilities"] == ["ingest"]


async def test_query(reader: Client) -> None:
    found = await get(reader, "/query", query="up", time=NOW - 5)
    assert found == {
        "type": "vector",
        "series": [{"labels": {"__name__": "up", "job": "shop"}, "points": [[NOW - 5, 1.0]]}],
        "text": "",
        "warnings": [],
        "infos": [],
    }
    assert (await get(reader, "/query", query="nan"))["series"][0]["points"][0][1] == "NaN"
    assert (await get(reader, "/query", query="inf"))["series"][0]["points"][0][1] == "+Inf"


async def test_query_range_takes_relative_times_and_durations(reader: Client) -> None:
    found = await get(reader, "/query_range", query="up", start="-1m", end="now", step="15s")
    assert [at for at, _ in found["series"][0]["points"]] == [NOW - 60_000 + 15_000 * index for index in range(5)]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/query?query=sum(", 400, "bad_data"),
        ("/query?query=slow&time=1", 422, "timeout"),
        ("/query?query=up&time=tomorrow", 400, "bad_request"),
        ("/query_range?query=up&step=0", 400, "bad_request"),
        ("/query_range?query=up&step=nan", 400, "bad_request"),
        ("/query_range?query=up&start=-1e9", 400, "bad_request"),
        ("/query", 422, "invalid"),
        ("/logs?limit=100000", 422, "invalid"),
        ("/logs?level=loud", 400, "bad_request"),
        ("/logs?before=1", 400, "bad_request"),
        ("/logs?query=a%20%7C%20stats", 400, "bad_data"),
        ("/logs?since=someday", 400, "bad_request"),
        ("/logs/around?cursor=", 400, "bad_request"),
        ("/logs/around?cursor=1-1", 404, "not_found"),
        ("/logs/values?field=a%20b", 400, "bad_data"),
        ("/logs/facets?field=", 400, "bad_data"),
        ("/logs?before=99999999999999999999-1", 400, "bad_request"),
        ("/traces?tag=novalue", 400, "bad_data"),
        ("/traces?min_duration=fast", 400, "bad_data"),
        ("/traces?where=a", 400, "bad_data"),
        ("/logs?where=a%3E%3Dx", 400, "bad_data"),
        ("/logs/histogram?where=a%3D~(", 400, "bad_data"),
        ("/traces/ffff", 404, "not_found"),
        ("/incidents/INC-99", 404, "not_found"),
        ("/incidents?status=gone", 422, "invalid"),
        ("/security/findings/none", 404, "not_found"),
    ],
)
async def test_bad_input_is_named(reader: Client, path: str, status: int, code: str) -> None:
    async with reader(Role.VIEWER) as http:
        response = await http.get(BASE + path)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (status, code)
    assert error["message"]


async def test_query_errors_carry_the_position(reader: Client) -> None:
    async with reader(Role.VIEWER) as http:
        assert (await http.get(f"{BASE}/query", params={"query": "sum("})).json()["error"]["position"] == 4
        wrong = (await http.get(f"{BASE}/logs", params={"where": "a=1 b"})).json()["error"]
        assert wrong["position"] == 5
        assert "operator is missing" in wrong["message"]


async def test_logs_page_by_cursor_without_gap_or_repetition(client: Client, platform: FakePlatform) -> None:
    seen: list[str] = []
    before = ""
    while True:
        page = await get(client, "/logs", since="-1h", limit=300, before=before)
        seen += [record["id"] for record in page["records"]]
        if not page["more"]:
            break
        before = page["records"][-1]["cursor"]
    expected = [
        str(record.id) for record in platform.telemetry.newest_first() if record.timestamp_ns >= (NOW - HOUR) * 10**6
    ]
    assert seen == expected
    assert len(seen) > 900


async def test_logs_keep_nanoseconds_and_the_seeds_names(client: Client, platform: FakePlatform) -> None:
    record = (await get(client, "/logs", limit=1))["records"][0]
    stored = platform.telemetry.newest_first()[0]
    assert record["timestampNs"] == str(stored.timestamp_ns)
    assert record["level"] == stored.level.value
    assert record["cursor"] == f"{stored.timestamp_ns}-{stored.id}"
    assert "timestamp_ns" not in record


async def test_logs_follow_the_tail(client: Client, platform: FakePlatform) -> None:
    newest = (await get(client, "/logs", limit=1))["records"][0]["cursor"]
    assert (await get(client, "/logs", after=newest))["records"] == []
    platform.at += 10_000
    platform.telemetry.add_log(platform.at)
    assert len((await get(client, "/logs", after=newest))["records"]) == 1


async def test_logs_are_filtered(reader: Client) -> None:
    page = await get(reader, "/logs", q="PAYMENT failed", level="error,warn", service="shop")
    assert page["records"]
    assert all(record["level"] == "error" and "payment" in record["message"] for record in page["records"])
    assert (await get(reader, "/logs", parse_errors="true"))["records"][0]["parseError"]
    assert (await get(reader, "/logs", level=["info", "debug"]))["records"]


async def test_logs_are_searched(client: Client, platform: FakePlatform) -> None:
    at = platform.now() * 10**6
    await platform.telemetry.logs.insert_logs(
        [
            LogRecord(timestamp_ns=at - 3, message="upstream timed out", user_id="zoe", source="z", metadata={"n": 5}),
            LogRecord(timestamp_ns=at - 2, message="決済に失敗", user_id="zoe", source="z", metadata={"n": 7}),
            LogRecord(timestamp_ns=at - 1, message="GET /health", user_id="zoe", source="z"),
        ]
    )
    wanted = "user_id:zoe -health"
    records = (await get(client, "/logs", query=f'{wanted} ("timed out" or 失敗)'))["records"]
    assert [one["message"] for one in records] == ["決済に失敗", "upstream timed out"]
    assert (await get(client, "/logs/histogram", query=wanted))["total"] == 2
    facets = await get(client, "/logs/facets", query=wanted, field=["n", "userId", '"user.id"'])
    assert facets == [
        {"field": "n", "values": [{"value": "5", "count": 1}, {"value": "7", "count": 1}]},
        {"field": "userId", "values": [{"value": "zoe", "count": 2}]},
        {"field": '"user.id"', "values": []},
    ]
    fields = {one["name"]: one["count"] for one in await get(client, "/logs/fields", query=wanted)}
    assert (fields["user_id"], fields['"n"']) == (None, 2)
    assert await get(client, "/logs/values", field="user_id", prefix="ZO") == [{"value": "zoe", "count": 3}]
    around = await get(client, "/logs/around", cursor=records[0]["cursor"], limit=1)
    assert [one["message"] for one in around["records"]] == ["GET /health", "決済に失敗", "upstream timed out"]
    assert (around["query"], around["more_before"]) == ('source="z"', False)
    assert await get(client, "/logs/suggestion", query="logs of zoe") == [
        {"query": "user_id:zoe", "count": 3, "since": None, "until": None}
    ]
    assert await get(client, "/logs/suggestion", query="zoe last tuesday", tz="Asia/Tokyo") == []
    assert (await get(client, "/logs", since="today", tz="+0900", query="user_id:zoe"))["records"]


@pytest.mark.parametrize("path", ["/logs", "/logs/histogram", "/logs/facets", "/logs/fields", "/logs/suggestion"])
async def test_what_is_wrong_with_a_search_is_said_in_the_readers_language(reader: Client, path: str) -> None:
    async with reader(Role.VIEWER) as http:
        answers = [
            await http.get(BASE + path, params={"query": "a level:eror2", "lang": lang}) for lang in ("", "en", "ja")
        ]
    assert [answer.status_code for answer in answers] == [400, 400, 400]
    errors = [answer.json()["error"] for answer in answers]
    assert {error["position"] for error in errors} == {8}
    assert errors[0] == errors[1]
    assert "did you mean level:error?" in errors[1]["hint"]
    assert errors[2]["message"] == "eror2 というレベルはありません"


async def test_logs_and_traces_are_found_by_conditions(client: Client, platform: FakePlatform) -> None:
    at = NOW * 10**6
    durations = (499, 500.0, "500", None)
    await platform.telemetry.logs.insert_logs(
        [
            LogRecord(timestamp_ns=at - number, message=str(value), metadata={"http": {"ms": value}}, service="w")
            for number, value in enumerate(durations)
        ]
    )

    async def found(*where: str) -> list[str]:
        return [one["message"] for one in (await get(client, "/logs", where=list(where)))["records"]]

    assert await found("http.ms>=500") == ["500.0"]
    assert await found("service=w", "http.ms=500") == ["500.0", "500"]
    assert await found("service=w http.ms!=500") == ["499", "None"]
    assert await found("service=w and !exists(http.ms)") == ["None"]
    assert (await get(client, "/logs/histogram", where="http.ms=~^5"))["total"] == 2
    traces = await get(client, "/traces", where="db.system=~^postgres", limit=500)
    assert traces
    assert await get(client, "/traces", where="db.system=oracle", limit=500) == []


async def test_histogram_counts_every_record(reader: Client) -> None:
    found = await get(reader, "/logs/histogram", since="-30m", buckets=10)
    assert len(found["starts"]) == 10
    assert sum(sum(counts) for counts in found["counts"].values()) == found["total"] > 0
    assert await get(reader, "/logs/services") == ["gateway", "search", "shop"]


async def test_traces(reader: Client) -> None:
    failed = await get(reader, "/traces", errors="true")
    assert failed
    assert all(trace["errors"] for trace in failed)
    assert not await get(reader, "/traces", min_duration="1h")
    assert await get(reader, "/traces", tag="db.system=postgresql", service="shop", limit=1)
    spans = await get(reader, f"/traces/{failed[0]['trace_id'].upper()}")
    assert spans[0]["offset_ns"] == 0
    assert all(isinstance(span["start_ns"], str) for span in spans)
    assert any(span["events"] for span in spans)
    assert "shop" in await get(reader, "/traces/services")
    assert "POST /orders" in await get(reader, "/traces/operations", service="shop")


async def test_alerts(reader: Client) -> None:
    alerts = await get(reader, "/alerts")
    assert [alert["state"] for alert in alerts] == ["firing", "firing", "pending", "suppressed"]
    assert alerts[0]["labels"]["severity"] == "critical"
    assert alerts[0]["incident_reference"] == "INC-3"
    assert len(alerts[0]["fingerprint"]) == 16
    groups = await get(reader, "/alerts/groups")
    assert groups[0]["alerts"][0]["name"] == "PaymentGatewayError"
    rules = await get(reader, "/alerts/rules")
    assert rules[0]["rules"][0]["alerts"][0]["fingerprint"] == alerts[0]["fingerprint"]
    assert "default" in await get(reader, "/alerts/receivers")
    integrations = await get(reader, "/alerts/integrations")
    assert {
        "receiver": "security-team",
        "kind": "webhook",
        "index": 0,
        "obstacle": "",
        "title": "Webhook",
    } in integrations
    async with reader(Role.VIEWER) as http:
        routed = await http.post(f"{BASE}/alerts/route", json={"labels": {"severity": "critical"}})
        assert [one["receiver"] for one in routed.json()] == ["pagerduty-critical"]
        assert (await http.post(f"{BASE}/alerts/receivers/default/test")).status_code == 403
    async with reader(Role.ADMIN) as http:
        tried = await http.post(f"{BASE}/alerts/receivers/security-team/test")
        assert [(one["title"], one["delivered"]) for one in tried.json()] == [("Webhook", True)]
        assert (await http.post(f"{BASE}/alerts/receivers/nothing/test")).status_code == 404
    decisions = await get(reader, "/alerts/explain", fingerprint=alerts[0]["fingerprint"])
    assert decisions[0]["verdict"] == "delivered"
    async with reader(Role.VIEWER) as http:
        response = await http.get(f"{BASE}/alerts/configuration")
    assert response.headers["content-type"].startswith("application/yaml")
    assert "<secret>" in response.text


async def test_silences(client: Client) -> None:
    matchers = [{"name": "alertname", "op": "=~", "value": "High.*"}]
    async with client(Role.RESPONDER) as http:
        matched = await http.post(f"{BASE}/silences/preview", json={"matchers": matchers})
        assert len(matched.json()) == 3
        body = {"matchers": matchers, "ends_at": NOW + HOUR, "comment": "planned"}
        created = await http.post(f"{BASE}/silences", json=body)
        assert created.status_code == 201
        silence = created.json()
        assert silence["state"] == "active"
        assert silence["created_by"] == "responder-person"
        assert silence["matchers"] == matchers
        assert (await http.delete(f"{BASE}/silences/{silence['id']}")).status_code == 200
        assert (await http.delete(f"{BASE}/silences/none")).status_code == 404
        states = {one["id"]: one["state"] for one in (await http.get(f"{BASE}/silences")).json()}
        assert states[silence["id"]] == "expired"
        for wrong in (
            {**body, "matchers": []},
            {**body, "matchers": [{"name": "a", "op": "~", "value": ""}]},
            {**body, "comment": ""},
            {**body, "surprise": 1},
        ):
            assert (await http.post(f"{BASE}/silences", json=wrong)).status_code == 422
        bad = await http.post(f"{BASE}/silences", json={**body, "matchers": [{"name": "a", "op": "=~", "value": "("}]})
        assert bad.status_code == 400
        late = await http.post(f"{BASE}/silences", json={**body, "ends_at": NOW - 1})
        assert late.json()["error"]["code"] == "refused"


async def test_notifications(client: Client) -> None:
    found = await get(client, "/notifications")
    assert [one["status"] for one in found] == ["pending", "delivered", "failed"]
    assert [one["title"] for one in found] == ["Slack", "PagerDuty", "Webhook"]
    assert [one["subject"] for one in found] == ["PaymentGatewayError", "", ""]
    async with client(Role.RESPONDER) as http:
        assert (await http.post(f"{BASE}/notifications/7/retry")).status_code == 200
        assert (await http.post(f"{BASE}/notifications/8/retry")).status_code == 409
        assert (await http.post(f"{BASE}/notifications/99/retry")).status_code == 404
        assert (await http.post(f"{BASE}/notifications/{2**63}/retry")).status_code == 422


async def test_incidents_are_worked_through(client: Client) -> None:
    async with client(Role.RESPONDER) as http:

        async def post(path: str, **body: Any) -> Any:
            response = await http.post(f"{BASE}/incidents/INC-3/{path}", json=body or None)
            assert response.status_code == 200, response.text
            return response.json()

        assert (await post("acknowledge"))["acknowledged_at"] == NOW
        step = (await http.get(f"{BASE}/incidents/INC-3/runbook")).json()[0]
        ticked = await post("checklist", key=step["key"], done=True)
        assert next(item for item in ticked["checklist"] if item["key"] == step["key"])["done_by"] == "responder-person"
        ticked = await post("checklist", key=step["key"], done=False)
        assert next(item for item in ticked["checklist"] if item["key"] == step["key"])["done_at"] == 0
        assert (await post("assign", to="sato"))["assigned_to"] == "sato"
        await post("notes", text="the gateway's certificate has expired")
        fields = {"root_cause": "expired certificate", "impact": {"users": 12}}
        described = await http.patch(f"{BASE}/incidents/INC-3", json=fields)
        assert described.json()["impact"]["users"] == 12
        assert (await http.patch(f"{BASE}/incidents/INC-3", json={})).status_code == 400
        resolved = await post("status", status="resolved", note="renewed")
        assert resolved["status"] == "resolved"
        found = (await http.get(f"{BASE}/incidents/INC-3", params={"lang": "en", "tz": "Asia/Tokyo"})).json()
    texts = [entry["text"] for entry in found["timeline"]]
    assert any("responder-person noted: the gateway's certificate" in text for text in texts)
    assert any("JST" in text for text in texts)
    assert {"alert", "notify", "recovery", "human"} <= {entry["category"] for entry in found["timeline"]}
    assert "postmortem" not in found["incident"]


async def test_timelines_are_told_in_the_readers_language(reader: Client) -> None:
    japanese = await get(reader, "/incidents/INC-3", lang="ja")
    assert any("発報" in entry["text"] for entry in japanese["timeline"])
    async with reader(Role.VIEWER, **{"Accept-Language": "ja"}) as http:
        runbook = (await http.get(f"{BASE}/incidents/INC-3/runbook")).json()
        strange = await http.get(f"{BASE}/incidents/INC-3", params={"tz": "../../etc/passwd"})
    assert any(ord(letter) > 0x3000 for letter in runbook[0]["text"])
    assert strange.status_code == 200


async def test_incidents_are_opened_by_hand_and_found(client: Client) -> None:
    body = {"title": "Slow search", "severity": "high", "service": "search"}
    async with client(Role.RESPONDER) as http:
        opened = await http.post(f"{BASE}/incidents", json=body)
        assert opened.status_code == 201
        assert opened.json()["reference"] == "INC-4"
        assert (await http.post(f"{BASE}/incidents", json={**body, "severity": "huge"})).status_code == 422
    assert [one["reference"] for one in await get(client, "/incidents", service="search")] == ["INC-4"]
    assert [one["reference"] for one in await get(client, "/incidents", status=["resolved", "closed"])] == ["INC-1"]
    assert (await get(client, "/incidents/metrics"))["all"]["mtta"]["count"] == 1


async def test_names_with_control_characters_are_the_same_everywhere(client: Client) -> None:
    body = rb'{"title": "a\u0000\ud800b", "severity": "high", "service": "sear\u0000ch"}'
    async with client(Role.RESPONDER) as http:
        opened = await http.post(f"{BASE}/incidents", content=body, headers={"Content-Type": "application/json"})
    assert opened.status_code == 201
    assert (opened.json()["title"], opened.json()["service"]) == ("a\ufffd\ufffdb", "sear\ufffdch")
    found = await get(client, "/incidents", service="sear\ufffdch")
    assert [one["id"] for one in found] == [opened.json()["id"]]


async def test_postmortem_is_drafted_saved_and_downloaded(client: Client) -> None:
    async with client(Role.RESPONDER) as http:
        path = f"{BASE}/incidents/INC-3/postmortem"
        draft = await http.get(path)
        assert draft.headers["content-type"].startswith("text/markdown")
        assert draft.text.startswith("# ")
        assert "etag" not in draft.headers, "it is another at each reading"
        new = {"If-None-Match": "*"}
        saved = await http.put(path, content="# Ours\n\nwritten by hand – 手書き".encode(), headers=new)
        assert saved.json()["has_postmortem"] is True
        assert (await http.get(path)).text == "# Ours\n\nwritten by hand – 手書き"
        assert (await http.get(f"{path}/draft")).text.startswith("# Postmortem INC-3")
        attachment = await http.get(path, params={"download": "true"})
        assert attachment.headers["content-disposition"] == 'attachment; filename="INC-3-postmortem.md"'
        assert (await http.put(path, content=b"\xff", headers={"If-Match": "*"})).status_code == 400
        html = await http.post(f"{BASE}/markdown", content="# Title <script>")
        assert html.text == "<h1>Title &lt;script&gt;</h1>\n"


async def test_a_postmortem_replaces_only_the_one_that_its_writer_has_read(client: Client) -> None:
    async with client(Role.RESPONDER) as http:
        path = f"{BASE}/incidents/INC-3/postmortem"

        async def save(text: str, **headers: str) -> tuple[int, str]:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            answer = await http.put(path, content=text.encode(), headers=sent)
            return answer.status_code, answer.json().get("error", {}).get("code", "")

        assert await save("blind") == (428, "precondition_required")
        assert await save("to replace", If_Match="*") == (412, "precondition_failed"), "nothing is saved yet"
        assert await save("ours", If_None_Match="*") == (200, "")
        tag = (await http.get(path)).headers["etag"]
        assert await save("a second first one", If_None_Match="*") == (412, "precondition_failed")
        assert await save("theirs", If_Match=tag) == (200, "")
        assert await save("mine", If_Match=tag) == (412, "precondition_failed")
        assert (await http.get(path)).text == "theirs"
        assert await save("theirs", If_Match=tag) == (200, ""), "asked again, because the answer was lost"
        newer = (await http.get(path, headers={"Accept-Encoding": "identity"})).headers["etag"]
        assert newer != tag
        assert await save("mine", If_Match=f"W/{newer}") == (412, "precondition_failed")
        assert await save("mine", If_Match=f"{tag}, {newer}") == (200, "")
        assert await save("mine, unquoted", If_Match="abc") == (400, "bad_request")
        refused = (await http.put(path, content=b"late", headers={"If-Match": newer})).json()["error"]
        assert "INC-3" in refused["message"]
        assert "ETag" in refused["hint"]


async def test_refusals_of_the_rules_arrive_as_conflicts(client: Client, platform: FakePlatform) -> None:
    async with client(Role.RESPONDER) as http:
        refused = await http.post(f"{BASE}/incidents/INC-3/checklist", json={"key": "no such step", "done": True})
        assert refused.status_code == 409
        assert refused.json()["error"]["code"] == "refused"

        async def conflicting(incident: str, actor: str) -> None:
            raise ConflictError

        platform.incidents.acknowledge = conflicting  # type: ignore[method-assign, assignment]
        conflict = await http.post(f"{BASE}/incidents/INC-3/acknowledge")
        assert conflict.json()["error"]["code"] == "conflict"


async def test_security(client: Client) -> None:
    assert len(await get(client, "/security/findings", status=["open", "investigating"])) == 2
    async with client(Role.RESPONDER) as http:
        path = f"{BASE}/security/findings/f-1"
        changed = await http.post(f"{path}/status", json={"status": "false_positive", "note": "load test"})
        assert changed.json()["changed_by"] == "responder-person"
        assert (await http.get(path)).json()["status"] == "false_positive"
        assert (await http.post(f"{path}/status", json={"status": "gone"})).status_code == 422
    assert (await get(client, "/security/report", since="-7d"))["by_status"]["false_positive"] == 2


async def test_recovery_targets_objectives_overview(client: Client) -> None:
    assert len(await get(client, "/recovery")) == 2
    async with client(Role.RESPONDER) as http:
        changed = await http.post(f"{BASE}/recovery/shop/maintenance", json={"on": True})
        assert changed.json()["maintenance"] is True
        assert (await http.post(f"{BASE}/recovery/payment-gateway/reset")).json()["attempts"] == 0
        assert (await http.post(f"{BASE}/recovery/nothing/reset")).status_code == 404
    targets = await get(client, "/targets")
    assert targets[0]["labels"] == {"instance": "web-1", "job": "shop"}
    assert {target["parse_errors"] for target in targets} == {0, 12}
    assert (await get(client, "/objectives"))[2]["budget_remaining"] is None
    assert (await get(client, "/overview"))["version"]


async def test_refusals(client: Client, platform: FakePlatform) -> None:
    assert await get(client, "/refusals") == []
    platform.ingest.refused("metrics", "shop/web-1", {"a time that cannot be stored": 3})
    [one] = await get(client, "/refusals")
    assert (one["signal"], one["source"], one["count"]) == ("metrics", "shop/web-1", 3)
    assert one["reason"] == "a time that cannot be stored"


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\x00", "x" * 101])
async def test_a_token_needs_a_name_that_can_be_read(client: Client, name: str) -> None:
    async with client(Role.ADMIN) as http:
        answer = await http.post(f"{BASE}/tokens", json={"name": name, "role": "viewer"})
    assert answer.status_code in (400, 422)
    assert "name" in answer.json()["error"]["message"]


async def test_tokens_never_show_what_would_help_to_use_them(client: Client, platform: FakePlatform) -> None:
    async with client(Role.ADMIN) as http:
        made = (await http.post(f"{BASE}/tokens", json={"name": "grafana", "role": "viewer"})).json()
        assert made["secret"].startswith("eops_v_")
        listed = await http.get(f"{BASE}/tokens")
    assert made["token"] in listed.json()
    assert made["secret"] not in listed.text
    assert not any(token.digest in listed.text for token in platform.state.tokens.all())
    async with client(Authorization=f"Bearer {made['secret']}") as http:
        assert (await http.get(f"{BASE}/me")).json()["name"] == "grafana"


async def test_openapi_describes_every_operation_and_answer(client: Client, app: Any) -> None:
    document = await get(client, "/openapi.json")
    described = {(path, method.upper()) for path, entry in document["paths"].items() for method in entry}
    served = {
        (guard.path.removeprefix(BASE), method)
        for guard in app.state.guards
        if guard.path.startswith(BASE)
        for method in guard.methods
    }
    assert described == served
    assert "x-answer" not in str(document)
    incidents = document["paths"]["/incidents/{incident}"]["get"]
    assert incidents["x-demand"] == "read"
    assert incidents["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/IncidentShape")
    assert document["components"]["schemas"]["AlertShape"]["properties"]["labels"]["type"] == "object"


async def test_large_answers_are_packed(reader: Client) -> None:
    async with reader(Role.VIEWER) as http:
        assert (await http.get(f"{BASE}/logs")).headers["content-encoding"] == "gzip"
        assert "content-encoding" not in (await http.get("/api/v1/query", params={"query": "up"})).headers


@pytest.mark.parametrize("path", ["/logs", "/logs/histogram", "/logs/services", "/traces"])
async def test_a_range_that_ends_before_it_begins_is_refused(reader: Client, path: str) -> None:
    async with reader(Role.VIEWER) as http:
        parameters = {"since": "-5m", "until": "-10m"} if path != "/traces" else {"since": NOW, "until": NOW - 1}
        response = await http.get(BASE + path, params=parameters)
    assert response.status_code == 400
    assert "ends before it begins" in response.json()["error"]["message"]


async def test_a_token_may_expire(platform: FakePlatform, client: Client) -> None:
    async with client(Role.ADMIN) as http:
        made = (await http.post("/api/ops/v1/tokens", json={"name": "ci", "role": "viewer", "expires": "90d"})).json()
        assert made["token"]["expires_at"] == platform.now() + 90 * 86_400_000
        never = (await http.post("/api/ops/v1/tokens", json={"name": "ci", "role": "viewer"})).json()
        assert (never["token"]["expires_at"], never["token"]["live"]) == (0, True)
        for wrong in ("0", "-1d", "soon", "11y", "9" * 20):
            response = await http.post("/api/ops/v1/tokens", json={"name": "ci", "role": "viewer", "expires": wrong})
            assert response.status_code == 400, wrong
    async with client(Authorization=f"Bearer {made['secret']}") as http:
        assert (await http.get("/api/ops/v1/me")).status_code == 200
        platform.at += 90 * 86_400_000
        assert (await http.get("/api/ops/v1/me")).status_code == 401
    async with client(Role.ADMIN) as http:
        listed = {one["id"]: one for one in (await http.get("/api/ops/v1/tokens")).json()}
        assert listed[made["token"]["id"]]["live"] is False


async def test_logs_are_downloaded(client: Client, platform: FakePlatform) -> None:
    at = platform.now() * 10**6
    await platform.telemetry.logs.insert_logs(
        [
            LogRecord(
                timestamp_ns=at - 2, message='=1+1 "x"\nend', user_id="zoe", metadata={"n": -5, "l": [1], "t": "-5"}
            ),
            LogRecord(timestamp_ns=at - 1, message="日本", user_id="zoe"),
        ]
    )
    async with client(Role.VIEWER) as http:
        lines = await http.get(f"{BASE}/logs/export.ndjson", params={"query": "user_id:zoe"})
        table = await http.get(f"{BASE}/logs/export.csv", params={"query": "user_id:zoe", "column": ["n", "l", "t"]})
        everything = await http.get(f"{BASE}/logs/export.ndjson", params={"since": "-2h"})
        wrong = await http.get(f"{BASE}/logs/export.csv", params={"query": "(a"})
    assert [json.loads(line)["message"] for line in lines.text.splitlines()] == ["日本", '=1+1 "x"\nend']
    assert lines.headers["content-disposition"] == 'attachment; filename="logs.ndjson"'
    rows = list(csv.reader(io.StringIO(table.text)))
    assert rows[0] == ["timestamp", "level", "service", "n", "l", "t", "message"]
    assert rows[2][1:] == ["info", "", "-5", "[1]", "'-5", '\'=1+1 "x"\nend']
    assert rows[1][0].endswith(f"{(at - 1) % 10**9:09d}Z")
    assert len(everything.text.splitlines()) == len(platform.telemetry.logs.records)
    assert wrong.status_code == 400


async def test_searches_are_saved_by_those_who_respond(client: Client) -> None:
    body = {"name": "Slow", "query": "duration>500", "columns": ["path"]}
    async with client(Role.VIEWER) as http:
        assert (await http.post(f"{BASE}/logs/searches", json=body)).status_code == 403
        assert [one["name"] for one in (await http.get(f"{BASE}/logs/searches")).json()] == ["Failed payments"]
    async with client(Role.RESPONDER) as http:
        saved = (await http.post(f"{BASE}/logs/searches", json=body)).json()
        assert (saved["query"], saved["columns"], saved["saved_by"]) == ("duration>500", ["path"], "responder-person")
        broken = await http.post(f"{BASE}/logs/searches", json={**body, "query": "(a"})
        assert (broken.status_code, broken.json()["error"]["position"]) == (400, 0)
        assert (await http.post(f"{BASE}/logs/searches", json={**body, "columns": ["a b"]})).status_code == 400
        changed = await http.put(f"{BASE}/logs/searches/{saved['id']}", json={**body, "name": "Slower"})
        assert changed.json()["name"] == "Slower"
        assert (await http.delete(f"{BASE}/logs/searches/{saved['id']}")).json()["name"] == "Slower"
        assert (await http.delete(f"{BASE}/logs/searches/{saved['id']}")).status_code == 404
