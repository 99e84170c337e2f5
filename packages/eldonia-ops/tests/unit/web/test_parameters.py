"""Bounds on parameters, wherever they come in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_client import Client

from eldonia_ops.model.access import Role
from eldonia_ops.web.parameters import LONGEST, LONGEST_NAME, LONGEST_WORD, MOST, fault_of


@pytest.mark.parametrize(
    ("encoded", "fault"),
    [
        (b"", ""),
        (b"query=" + b"a" * LONGEST, ""),
        (b"query=" + b"a" * (LONGEST + 1), "'query' is longer"),
        (b"query=" + b"%E3%81%82" * (LONGEST // 3), ""),
        (b"panes=" + b"%5B" * LONGEST, ""),
        (b"match%5B%5D=" + b"a" * LONGEST, ""),
        (b"minDuration=" + b"9" * (LONGEST_WORD + 1), "'minDuration' is longer"),
        (b"anything=" + b"%39" * (LONGEST_WORD + 1), "'anything' is longer"),
        (b"a" * (LONGEST_NAME + 1), "name is longer"),
        (b"%61" * (LONGEST_NAME + 1), "name is longer"),
        (b"&".join([b"a=1"] * MOST), ""),
        (b"&" * MOST, "more than"),
        (b"q=a%00b", "NUL"),
        (b"q%00=a", "NUL"),
        (b"%zz=%&=&&=", ""),
    ],
)
def test_what_is_wrong_with_parameters(encoded: bytes, fault: str) -> None:
    found = fault_of(encoded)
    assert (fault in found) if fault else not found


@given(st.binary(max_size=300))
def test_any_bytes_are_judged(encoded: bytes) -> None:
    fault_of(encoded)


@pytest.mark.parametrize("path", ["/api/traces", "/api/ops/v1/traces", "/api/v1/query", "/logs", "/api/v2/alerts"])
async def test_every_family_refuses_a_parameter_that_is_too_long(client: Client, path: str) -> None:
    async with client(Role.ADMIN) as http:
        response = await http.get(f"{path}?service=shop&query=up&minDuration={'9' * 16_000}")
    assert response.status_code == 400
    assert "minDuration" in response.text


async def test_forms_are_bounded_like_queries(client: Client) -> None:
    async with client(Role.VIEWER) as http:
        answers = [
            await http.post("/api/v1/query", data={"query": "up", "time": "1" * 16_000}),
            await http.post("/api/v1/query", data={"query": "a" * 30_000}),
            await http.post("/api/v1/query", files={"query": b"up"}),
        ]
        assert [answer.status_code for answer in answers] == [400, 400, 415]
        assert (await http.post("/api/v1/query", data={"query": "1"})).status_code == 200


async def test_a_path_holds_no_nul_and_is_no_book(client: Client) -> None:
    async with client(Role.ADMIN) as http:
        for path in ("/api/ops/v1/incidents/INC-1%00", "/api/v2/silence/" + "a" * 5_000, "/%00"):
            assert (await http.get(path)).status_code == 400, path
