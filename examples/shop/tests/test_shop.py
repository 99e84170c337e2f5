import re
import time

import pytest

CARD = {"card_number": "4242424242424242"}


def test_a_customer_buys_and_every_signal_tells(shop, gateway, collector):
    assert shop.process.get("/health").json() == {"status": "ok", "database": "ok"}
    works = shop.process.get("/works", params={"limit": 5}).json()["works"]
    assert [work["id"] for work in works] == [1, 2, 3, 4, 5]
    found = shop.process.get("/works/search", params={"q": "aomori"}).json()["works"]
    assert found
    assert all("Aomori" in work["title"] for work in found)
    headers = shop.sign_in()
    order = shop.process.post("/orders", json={"work_id": 2, "quantity": 2}, headers=headers).json()
    assert order["amount_yen"] == 2 * works[1]["price_yen"]
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    paid = shop.process.post(
        f"/orders/{order['id']}/pay",
        json=CARD,
        headers={**headers, "traceparent": parent, "X-Request-ID": "buy-1"},
    )
    assert paid.status_code == 200
    assert paid.headers["x-request-id"] == "buy-1"
    assert shop.process.get(f"/orders/{order['id']}", headers=headers).json()["status"] == "paid"
    again = shop.process.post(f"/orders/{order['id']}/pay", json=CARD, headers=headers)
    assert again.status_code == 409
    assert gateway.get("/status").json() == {"status": "operational", "charges": 1}

    assert shop.process.metric('payment_requests_total{status="success"}') == 1
    assert shop.process.metric("orders_total") == 1
    assert shop.process.metric('revenue_total{currency="JPY"}') == order["amount_yen"]
    assert shop.process.metric('http_requests_total{method="POST",handler="/orders/{order_id}/pay",status="200"}') == 1

    access = next(r for r in shop.records() if r["component"] == "http" and r.get("requestId") == "buy-1")
    assert access["userId"] == "1"
    assert access["operation"] == "POST /orders/{order_id}/pay"
    assert access["traceId"] == "0af7651916cd43dd8448eb211c80319c"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", access["timestamp"])
    assert CARD["card_number"] not in (shop.folder / "logs" / "combined.log").read_text()

    server = collector.wait_for("POST /orders/{order_id}/pay")
    assert server["parentSpanId"] == "b7ad6b7169203331"
    client = collector.wait_for("POST")
    assert client["traceId"] == server["traceId"]
    assert client["parentSpanId"] == server["spanId"]
    queries = [s for s in collector.spans if s["traceId"] == server["traceId"] and s["name"].startswith("INSERT")]
    assert queries
    assert collector.authorizations == {"Bearer ingest-secret"}


@pytest.mark.parametrize("fault", ["error", "down", "hang"])
def test_a_failing_gateway_is_the_customers_502_and_our_error(shop, gateway, fault):
    headers = shop.sign_in()
    order = shop.process.post("/orders", json={"work_id": 1}, headers=headers).json()["id"]
    assert gateway.post("/faults", json={"fault": fault}).status_code == 202
    answer = shop.process.post(f"/orders/{order}/pay", json=CARD, headers=headers)
    assert answer.status_code == 502
    assert shop.process.metric('payment_requests_total{status="error"}') == 1
    failed = next(r for r in shop.records() if r["message"] == "payment failed")
    assert failed["level"] == "error"
    assert failed["error"]["code"] == {"error": "http_500", "down": "unreachable", "hang": "timeout"}[fault]
    assert (shop.folder / "logs" / "error.log").read_text().count("payment failed") == 1
    assert shop.process.get("/health").status_code == 200
    gateway.post("/faults", json={"fault": "reset"})
    assert shop.process.post(f"/orders/{order}/pay", json=CARD, headers=headers).status_code == 200


def test_a_declined_card_is_no_fault_of_the_gateway(shop):
    headers = shop.sign_in()
    order = shop.process.post("/orders", json={"work_id": 1}, headers=headers).json()["id"]
    answer = shop.process.post(f"/orders/{order}/pay", json={"card_number": "4000000000000002"}, headers=headers)
    assert answer.status_code == 402
    assert shop.process.metric('payment_requests_total{status="error"}') == 0


def test_a_slow_database_is_a_slow_statement_in_the_trace(shop, collector):
    shop.process.post("/faults", json={"fault": "slow_database", "seconds": 0.4})
    began = time.monotonic()
    assert shop.process.get("/works").status_code == 200
    assert time.monotonic() - began >= 0.4
    server = collector.wait_for("GET /works")
    slowest = max(
        (s for s in collector.spans if s["traceId"] == server["traceId"] and s["name"].startswith("SELECT")),
        key=lambda s: int(s["endTimeUnixNano"]) - int(s["startTimeUnixNano"]),
    )
    attributes = {a["key"]: a["value"] for a in slowest["attributes"]}
    assert "pg_sleep" in attributes["db.query.text"]["stringValue"]
    shop.process.post("/faults", json={"fault": "reset"})
    # Whether it is quick again depends on the machine; whether it sleeps does not.
    shop.process.get("/works/1")
    quick = collector.wait_for("GET /works/{work_id}")["traceId"]
    statements = [s for s in collector.spans if s["traceId"] == quick and s["name"].startswith("SELECT")]
    assert statements
    assert not any("pg_sleep" in str(s["attributes"]) for s in statements)


def test_a_crash_kills_and_a_restart_serves_what_was_there(shop):
    headers = shop.sign_in()
    order = shop.process.post("/orders", json={"work_id": 1}, headers=headers).json()["id"]
    assert shop.process.post("/faults", json={"fault": "crash"}).status_code == 202
    assert shop.process.wait(5)[0] == -9
    shop.restart()
    assert shop.process.get(f"/orders/{order}", headers=headers).json()["status"] == "pending"


def test_faults_are_not_there_unless_allowed(start, gateway, tmp_path):
    plain = start("shop", "--port", "0", "--data-dir", str(tmp_path), "--log-dir", str(tmp_path / "l"))
    assert plain.post("/faults", json={"fault": "crash"}).status_code == 404


def test_sold_out_and_somebody_elses_order(shop):
    headers = shop.sign_in("sakura")
    limited = next(w for w in shop.process.get("/works", params={"limit": 100}).json()["works"] if w["stock"])
    for _ in range(limited["stock"] // 20):
        body = {"work_id": limited["id"], "quantity": 20}
        assert shop.process.post("/orders", json=body, headers=headers).status_code == 201
    sold_out = shop.process.post("/orders", json={"work_id": limited["id"]}, headers=headers)
    assert sold_out.status_code == 409
    assert shop.process.get("/orders/1", headers=shop.sign_in("haruto")).status_code == 404
    event = next(r for r in shop.records() if r["component"] == "security")
    assert event["operation"] == "unauthorized_access"
    assert event["userId"] == "2"
    assert shop.process.get("/orders/1").status_code == 401


def test_sign_up_then_sign_in(shop):
    body = {"email": "new@example.com", "name": "New", "password": "a long enough one"}
    assert shop.process.post("/accounts", json=body).status_code == 201
    assert shop.process.post("/accounts", json=body).status_code == 409
    assert shop.process.post("/session", json=body).status_code == 200
    assert shop.process.metric("signups_total") == 1
    assert "a long enough one" not in (shop.folder / "logs" / "combined.log").read_text()


def test_sigterm_ends_cleanly_and_delivers_what_is_queued(shop, gateway, collector):
    shop.process.get("/works")
    assert shop.process.stop()[0] == 0
    assert any(s["name"] == "GET /works" for s in collector.spans)
    assert shop.records()[-1]["message"] == "shop stopping"
    assert gateway.stop()[0] == 0


def test_a_taken_port_is_said_plainly(start, gateway):
    port = gateway.url.rpartition(":")[2]
    second = start("shop.gateway", "--port", port)
    assert "cannot listen on 127.0.0.1" in second.first_line
    assert second.wait(5)[0] == 2


def test_the_same_on_postgresql(start, gateway, tmp_path, postgresql_url):
    process = start(
        "shop",
        *("--port", "0", "--gateway", gateway.url, "--log-dir", str(tmp_path), "--allow-faults"),
        env={"SHOP_DATABASE_URL": postgresql_url},
    )
    credentials = {"email": "yui@example.com", "password": "correct horse battery staple"}
    token = process.post("/session", json=credentials).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    order = process.post("/orders", json={"work_id": 4, "quantity": 2}, headers=headers).json()["id"]
    assert process.post(f"/orders/{order}/pay", json=CARD, headers=headers).status_code == 200
    assert process.post(f"/orders/{order}/pay", json=CARD, headers=headers).status_code == 409
    process.post("/faults", json={"fault": "slow_database", "seconds": 0.3})
    began = time.monotonic()
    assert process.get("/works/search", params={"q": "AOMORI"}).json()["works"]
    assert time.monotonic() - began >= 0.3
    assert process.metric('db_client_operation_duration_seconds_count{system="postgresql",operation="INSERT"}') > 0
    assert not list(tmp_path.glob("shop.db"))
