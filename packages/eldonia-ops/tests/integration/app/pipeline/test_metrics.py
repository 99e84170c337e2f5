"""A platform whose fluent.conf counts records: the counts are in PromQL, and tags find, keep and count records."""

import time
from pathlib import Path
from typing import Any

import httpx
from local_server import free_port
from serving import serving

BASE = "/api/ops/v1"
CONF = """
<source>
  @type http
  bind 127.0.0.1
  port {port}
</source>
<source>
  @type prometheus
  port 24231
</source>
<filter web.**>
  @type prometheus
  <metric>
    name web_requests_total
    type counter
    desc Requests
    <labels>
      tag ${{tag}}
      method $.request.method
    </labels>
  </metric>
  <metric>
    name web_request_seconds
    type histogram
    desc How long
    key took
    buckets 0.1, 1
  </metric>
</filter>
<match web.**>
  @type copy
  <store>
    @type eldonia
  </store>
  <store>
    @type prometheus
    <metric>
      name web_stored_total
      type counter
      desc Stored
    </metric>
  </store>
</match>
<match **>
  @type eldonia
</match>
"""


def _vector(client: httpx.Client, query: str) -> dict[str, float]:
    found = client.get("/api/v1/query", params={"query": query}).raise_for_status().json()["data"]["result"]
    return {
        ",".join(f"{name}={value}" for name, value in sorted(one["metric"].items())): float(one["value"][1])
        for one in found
    }


def _count(client: httpx.Client, query: str) -> int:
    found = client.get(f"{BASE}/logs/histogram", params={"query": query, "since": "-1h", "buckets": 1}).json()
    return found["total"]


def test_what_a_fluent_conf_counts_is_in_promql_and_tags_are_a_field(tmp_path: Path) -> None:
    port = free_port()
    tmp_path.joinpath("fluent.conf").write_text(CONF.format(port=port))
    settings: dict[str, Any] = {
        "pipeline": {"file": "fluent.conf"},
        "retention": {"log_rules": [{"name": "web", "search": "tag:web.*", "keep": "3d"}]},
    }
    with serving(tmp_path, settings) as platform, platform.client() as client:
        entry = {"name": "db_total", "search": "tag:db.*", "labels": ["tag"]}
        tag = client.get(f"{BASE}/configuration").headers["ETag"]
        change = {"changes": [{"section": "log_metrics", "values": entry}]}
        client.post(f"{BASE}/configuration/changes", json=change, headers={"If-Match": tag}).raise_for_status()
        for number in range(4):
            method = "GET" if number % 2 else "POST"
            record = {"message": f"request {number}", "request": {"method": method}, "took": number}
            httpx.post(f"http://127.0.0.1:{port}/web.shop", json=record).raise_for_status()
        httpx.post(f"http://127.0.0.1:{port}/db.orders", json={"message": "select"}).raise_for_status()

        assert (_count(client, "tag:web.*"), _count(client, "tag:web.shop"), _count(client, "-tag:web.*")) == (4, 4, 1)
        table = client.get(f"{BASE}/logs/table", params={"query": "* | stats count() by tag", "since": "-1h"}).json()
        assert table["rows"] == [["db.orders", 1], ["web.shop", 4]]
        facets = client.get(f"{BASE}/logs/facets", params={"field": ["tag"], "since": "-1h"}).json()
        assert [(one["value"], one["count"]) for one in facets[0]["values"]] == [("web.shop", 4), ("db.orders", 1)]
        (rule,) = client.get(f"{BASE}/logs/retention").json()
        assert (rule["records"], rule["due_records"]) == (4, 0)

        until = time.monotonic() + 90
        while not (found := _vector(client, "sum (db_total)")) or list(found.values()) == [0.0]:
            assert time.monotonic() < until, "the counts did not come"
            time.sleep(0.5)
        assert _vector(client, "sum by (tag, method) (web_requests_total)") == {
            "method=GET,tag=web.shop": 2.0,
            "method=POST,tag=web.shop": 2.0,
        }
        assert _vector(client, "web_request_seconds_sum") == {"__name__=web_request_seconds_sum": 6.0}
        assert _vector(client, 'sum (web_request_seconds_bucket{le="1.0"})') == {"": 2.0}
        assert _vector(client, "web_stored_total") == {"__name__=web_stored_total": 4.0}
        assert _vector(client, "db_total") == {"__name__=db_total,tag=db.orders": 1.0}
        listed = client.get(f"{BASE}/logs/metrics").json()
        assert {one["name"]: one["records"] for one in listed} == {
            "db_total": 1, "web_requests_total": 4, "web_request_seconds": 4, "web_stored_total": 4,
        }  # fmt: skip
