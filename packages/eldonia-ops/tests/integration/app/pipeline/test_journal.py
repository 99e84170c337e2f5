"""A source of type systemd: the real journalctl, a pipeline, and each entry once through restarts and kills."""

import json
import time
from collections import Counter
from pathlib import Path

from journal_files import write_journal
from required_tools import requires_tool
from serving import Serving, serving

CONF = """
<source>
  @type systemd
  path {folder}
  tag journal
  read_from_head true
  matches [{{"SYSLOG_IDENTIFIER": "shop"}}]
</source>
<filter journal>
  @type record_transformer
  <record>
    via ${{tag}}
  </record>
</filter>
<match **>
  @type eldonia
</match>
"""


def records(platform: Serving, count: int) -> list[dict]:
    until = time.monotonic() + 30
    while True:
        with platform.client() as http:
            text = http.get("/api/ops/v1/logs/export.ndjson", params={"since": "-1d", "service": "shop"}).text
        found = [json.loads(line) for line in text.splitlines()]
        if len(found) >= count or time.monotonic() > until:
            return found
        time.sleep(0.2)


@requires_tool("journalctl")
def test_each_entry_once_through_a_kill(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    write_journal(folder, ["first"], name="0")
    write_journal(folder, ["of another"], name="other", identifier="cron")
    (tmp_path / "fluent.conf").write_text(CONF.format(folder=folder))
    settings = {"rules": {"defaults": False}, "pipeline": {"file": str(tmp_path / "fluent.conf")}}
    expected = ["first"]
    with serving(tmp_path / "ops", settings) as platform:
        (record,) = records(platform, 1)
        assert (record["message"], record["level"], record["tag"]) == ("first", "warn", "journal")
        assert record["metadata"]["via"] == "journal"
        some = [f"running {number}" for number in range(2_500)]
        write_journal(folder, some, name="running")
        expected += some
        time.sleep(0.5)
        platform.kill()
    some = [f"down {number}" for number in range(50)]
    write_journal(folder, some, name="down")
    expected += some
    with serving(tmp_path / "ops", settings) as platform:
        records(platform, len(expected))
        time.sleep(1.0)  # for what may come too often
        found = Counter(record["message"] for record in records(platform, len(expected)))
    assert found == Counter(expected)
