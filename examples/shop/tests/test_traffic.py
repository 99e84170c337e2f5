import json
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor


def test_customers_come_and_go(shop, start):
    traffic = start("shop.traffic", "--url", shop.process.url, "--rate", "40", "--report-every", "0.5")
    time.sleep(3)
    code, rest = traffic.stop()
    assert code == 0
    final = json.loads(rest.splitlines()[-1])
    assert final["final"] is True
    assert final["ok"] >= 40
    assert final.get("server_error", 0) == 0
    assert final.get("unreachable", 0) == 0
    served = shop.process.metric('http_requests_total{method="GET",handler="/works",status="200"}')
    assert served >= 5
    # Ordinary searches, with apostrophes and Japanese text among them, are no attack.
    assert {r["operation"] for r in shop.records() if r["component"] == "security"} <= {"failed_login"}


def test_customers_stay_away_from_a_shop_that_is_down(shop, start):
    traffic = start("shop.traffic", "--url", shop.process.url, "--rate", "60", "--report-every", "0.3")
    time.sleep(1)
    shop.process.stop(signal.SIGKILL)
    time.sleep(1.5)
    code, rest = traffic.stop()
    assert code == 0
    final = json.loads(rest.splitlines()[-1])
    assert final["unreachable"] >= 1
    assert final["stayed_away"] >= 20


def test_an_attack_is_seen_with_its_address(shop, start):
    attack = start(
        "shop.traffic", "--url", shop.process.url, "--attack", "--attack-logins", "12", "--attack-rate", "20"
    )
    assert attack.wait(20)[0] == 0
    counts = json.loads(attack.first_line)["attack"]
    assert counts["login_401"] == 12
    assert shop.process.metric("auth_failed_logins_total") == 12
    assert shop.process.metric('security_events_total{type="failed_login",severity="medium"}') == 12
    events = [r for r in shop.records() if r["component"] == "security"]
    assert {r["ipAddress"] for r in events} == {"203.0.113.66"}
    kinds = {r["operation"] for r in events}
    assert kinds == {"failed_login", "sql_injection_attempt", "xss_attempt", "suspicious_activity"}
    assert len([r for r in events if r["operation"] != "failed_login"]) == 8
    logins = [r for r in events if r["operation"] == "failed_login"]
    assert len({r["userId"] for r in logins}) == 12
    assert len({r["metadata"]["eventId"] for r in events}) == len(events)


def test_an_attacker_waits_for_a_shop_that_is_being_restarted(start, gateway, tmp_path):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = str(bound.getsockname()[1])
    with ThreadPoolExecutor() as pool:
        arguments = ("--url", f"http://127.0.0.1:{port}", "--attack", "--attack-logins", "2", "--attack-rate", "20")
        attack = pool.submit(start, "shop.traffic", *arguments)
        time.sleep(1)
        folders = ("--data-dir", str(tmp_path), "--log-dir", str(tmp_path / "logs"))
        start("shop", "--port", port, *folders, "--gateway", gateway.url)
        counts = json.loads(attack.result(30).first_line)["attack"]
    assert counts["login_401"] == 2
    assert not any(outcome.endswith("unreachable") for outcome in counts)
