"""What applications write against the SDK passes pyright's strict mode, and mistakes do not."""

import json
import subprocess
import sys
from pathlib import Path

from required_tools import tool

USER_CODE = """
from collections.abc import Iterator
from datetime import UTC, datetime

import eldonia_telemetry as telemetry
from eldonia_telemetry.testing import capture

settings = telemetry.init(
    service="shop", log_dir="/var/log/shop", log_rotate_every="day", log_compress=True, log_repeat_limit=100,
    log_ratio=0.5, redact_emails=True, redact_fields=["nickname"], elasticsearch_url="https://es:9200",
    elasticsearch_api_key="id:key", tls_ca="/etc/ca.pem", spill_dir="/var/spool/shop", otlp_logs=True,
)
name: str = settings.service
log: telemetry.Logger = telemetry.get_logger(component="orders")


class Order:
    number = 42


def place(order: Order, user_id: int | None) -> None:
    log.debug("looking", order=order, at=datetime.now(UTC))
    log.info("order placed", order_id=order.number, total=3800, user_id=user_id, metadata={"a": [1, {"b": None}]})
    log.warn("slow", operation="place")
    try:
        raise ValueError("no")
    except ValueError as error:
        log.error("failed", exception=error, code=7, operation="place", session_id="s")
        log.warn("again", error, extra_field=1)
    log.performance("place", 12.5, items=2)
    log.security("failed_login", severity="high", user_id="u", ip_address="192.0.2.1", reason="x")
    log.business("order_placed", user_id=user_id, total=3800)


with telemetry.bind(user_id=7, tenant="a"):
    place(Order(), 7)
carried = telemetry.carry(place)
carried(Order(), None)
delivered: bool = telemetry.flush(1.0)
telemetry.shutdown()


def test_orders() -> Iterator[None]:
    with capture() as seen:
        place(Order(), 1)
    first = seen.records[0]
    text: str = first.message
    metadata = first.metadata
    assert text and metadata is not None and seen.increase("orders_total") == 1
    yield
"""

MISTAKES = """
import eldonia_telemetry as telemetry

log = telemetry.get_logger(component="orders")
log.error("x", exception="not an exception")  # 1
log.performance("x", "slow")  # 2
telemetry.init(log_compress="yes")  # 3
telemetry.get_logger("orders")  # 4
telemetry.carry(log.info)()  # 5
"""


def strict(folder: Path, code: str) -> list[dict]:
    pyright = tool("pyright")
    (folder / "user.py").write_text(code)
    (folder / "pyrightconfig.json").write_text(
        json.dumps({"typeCheckingMode": "strict", "pythonVersion": "3.11", "include": ["user.py"]})
    )
    done = subprocess.run(
        [pyright, "--outputjson", "--project", str(folder), "--pythonpath", sys.executable],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] >= 1
    return report["generalDiagnostics"]


def test_user_code_passes(tmp_path):
    assert [(row["range"]["start"]["line"], row["message"]) for row in strict(tmp_path, USER_CODE)] == []


def test_mistakes_are_seen(tmp_path):
    found = {row["range"]["start"]["line"] for row in strict(tmp_path, MISTAKES) if row["severity"] == "error"}
    marked = {number for number, row in enumerate(MISTAKES.splitlines()) if "# " in row}
    assert found == marked
