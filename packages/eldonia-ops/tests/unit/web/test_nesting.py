"""A document nested too deeply is its sender's fault."""

import pytest
from web_client import Client

from eldonia_ops.model.access import Role

DEEP = "[" * 5_000 + "]" * 5_000


@pytest.mark.parametrize("key", ["unknown", "labels", "annotations", "startsAt"])
@pytest.mark.parametrize(
    "path", ["/api/v2/alerts", "/api/v2/silences", "/api/ops/v1/silences", "/api/ops/v1/incidents"]
)
async def test_a_posted_document_is_refused(client: Client, path: str, key: str) -> None:
    item = f'{{"labels": {{"alertname": "a"}}, "{key}": {DEEP}}}'
    async with client(Role.ADMIN) as http:
        response = await http.post(
            path,
            content=f"[{item}]" if path.endswith("alerts") else item,
            headers={"Content-Type": "application/json"},
        )
    assert response.status_code in (400, 413, 422), response.text[:200]


async def test_a_jaeger_document_of_tags_is_refused(client: Client) -> None:
    async with client(Role.VIEWER) as http:
        response = await http.get("/api/traces", params={"service": "shop", "tags": "[" * 9_000})
    assert response.status_code == 400
