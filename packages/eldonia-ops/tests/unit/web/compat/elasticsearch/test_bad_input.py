"""Whatever comes, it is answered in Elasticsearch's shape, and nothing fails on our side."""

import json
import re
from typing import Any

import httpx
import pytest
from fake_platform import FakePlatform

from eldonia_ops.model.access import Role
from eldonia_ops.web.http_side import HttpSide

BODIES = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b"5",
    b'"x"',
    b'{"a":',
    b"\xff\xfe{}",
    b"{}\n{}\n",
    b'{"index":{}}\n{}\n',
    b'{"query":5,"doc":5,"docs":5,"ids":5,"actions":5,"policy":5,"processors":5,"template":5,"settings":5}',
    b'{"query":{"match_all":5},"doc":{},"docs":[5],"actions":[{"add":5}],"policy":{"phases":{"delete":5}},"mappings":5}',
    b'{"policy":{"states":[5,{"actions":[5],"transitions":[5]}]},"template":{"aliases":5},"index_patterns":[5]}',
    b'{"policy":{"states":[{"name":"a","actions":[{"delete":{}}],"transitions":5}]},"docs":[{"_id":{}}],"fields":[[1]]}',
    b'{"index_patterns":["*"],"composed_of":5,"template":{"settings":{"a":[1,{"b":2}]}},"aliases":{"A B":{}}}',
    b'{"actions":[{"add":{"index":5,"alias":{}}},{"remove":{"indices":[[]],"aliases":"*"}}],"data_retention":{}}',
    b'{"settings":{"index":{"lifecycle":{"name":[1]}}},"mappings":{"properties":{"a":{"properties":5,"fields":5}}}}',
    b"[" * 200,
    b'{"a":' * 200,
]
NAMES = ["1", "*", "a,b", "<x-{now/d}>", "_all", "-", "A%20b", "%F0%9F%98%80"]
QUERIES = [
    "",
    "?expand_wildcards=x",
    "?_source=a&_source_includes=b&format=json",
    "?v&h=*&s=a:desc&bytes=x&format=json",
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_no_request_breaks_it(side: HttpSide, platform: FakePlatform, body: bytes) -> None:
    app = side.listener("elasticsearch", loopback=True)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    headers = {"Authorization": f"ApiKey {platform.secrets[Role.ADMIN]}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:9200", headers=headers) as http:
        await http.put("/1")
        for number, guard in enumerate(app.state.guards):
            if guard.path.endswith("/") and body:
                continue  # the same endpoint as without the slash, which gets every body
            name = NAMES[number % len(NAMES)]
            for one in ("1", name):
                path = re.sub(r"\{[^}]+\}", one, guard.path) + QUERIES[number % len(QUERIES)]
                for method in sorted(guard.methods - {"HEAD"}):
                    answer = await http.request(method, path, content=body)
                    assert answer.status_code < 500, (method, path, answer.text)
                    assert answer.headers["x-elastic-product"] == "Elasticsearch"
                    if answer.status_code >= 400 and "_doc" not in path and answer.content:
                        assert "error" in answer.json() or not answer.json(), (method, path, answer.text)


async def test_a_line_of_ten_megabytes_fails_alone(ask: Any) -> None:
    lines = [
        *({"index": {"_index": "a"}}, {"n": 1}),
        *({"index": {"_index": "a"}}, {"n": "x" * 10_000_000}),
        *({"create": {"_index": "a", "_id": "x"}}, {"n": "x" * 1_100_000}),
        *({"index": {"_index": "a"}}, {"n": 2}),
    ]
    body = b"".join(json.dumps(one).encode() + b"\n" for one in lines)
    status, found = await ask("POST", "/_bulk", Role.INGEST, content=body)
    assert status == 200
    assert [next(iter(one.values()))["status"] for one in found["items"]] == [201, 400, 400, 201]
    assert "too large" in found["items"][1]["index"]["error"]["reason"]
    status, found = await ask("POST", "/_bulk", Role.INGEST, content=body * 2)
    assert (status, found["error"]["type"]) == (413, "content_too_long_exception")
