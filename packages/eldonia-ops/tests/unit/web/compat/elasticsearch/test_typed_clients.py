"""Members that ``elasticsearch-java`` (8.19) must find in an answer: its types refuse one that lacks them."""

from typing import Any

import pytest

from eldonia_ops.model.access import Role


@pytest.mark.parametrize(
    ("path", "where", "members"),
    [
        ("/_cluster/health", (), {"unassigned_primary_shards", "delayed_unassigned_shards", "timed_out"}),
        ("/_cluster/stats", ("indices", "docs"), {"count", "total_size_in_bytes"}),
        ("/app/_stats", ("_all", "total", "docs"), {"count", "total_size_in_bytes"}),
        ("/app/_stats", ("_all", "total", "store"), {"size_in_bytes", "reserved_in_bytes"}),
        ("/_license", ("license",), {"issue_date", "issue_date_in_millis", "issued_to", "status", "type", "uid"}),
        ("/_xpack", ("build",), {"hash", "date"}),
        ("/_index_template/t", ("index_templates", 0, "index_template"), {"index_patterns", "composed_of"}),
        (
            "/_data_stream/stream-a",
            ("data_streams", 0),
            {
                "next_generation_managed_by",
                "prefer_ilm",
                "rollover_on_write",
                "settings",
                "generation",
                "template",
                "status",
            },
        ),
        ("/_data_stream/stream-a", ("data_streams", 0, "indices", 0), {"managed_by", "index_name", "index_uuid"}),
    ],
)
async def test_members_that_must_be_there(http: Any, path: str, where: tuple[Any, ...], members: set[str]) -> None:
    async with http(Role.ADMIN) as client:
        await client.put("/app")
        template = {"index_patterns": ["stream-*"], "data_stream": {}}
        assert (await client.put("/_index_template/t", json=template)).status_code == 200
        assert (await client.put("/_data_stream/stream-a")).status_code == 200
        found = (await client.get(path)).json()
    for step in where:
        found = found[step]
    assert members <= found.keys()
