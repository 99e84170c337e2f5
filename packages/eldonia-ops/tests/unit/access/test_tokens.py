from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.access import (
    AccessError,
    Capability,
    digest_of,
    matching_token,
    new_token,
    parse_role,
    permits,
    well_formed,
)
from eldonia_ops.model.access import Role


@given(st.binary(min_size=32, max_size=40), st.sampled_from(list(Role)))
def test_a_token_proves_itself_and_nothing_else(random: bytes, role: Role) -> None:
    made = new_token("ci", role, random, now=1_000)
    text = made.secret.reveal()
    assert well_formed(text)
    assert made.record.digest == digest_of(text)
    assert made.record.created_at == 1_000
    assert text not in repr(made)
    other = new_token("other", role, bytes([random[0] ^ 1]) + random[1:], now=1_000).record
    assert matching_token(text, [other, made.record], 1_000) == made.record
    assert matching_token(text, [other], 1_000) is None


def test_the_known_form() -> None:
    made = new_token("first start", Role.ADMIN, bytes(32), now=0)
    assert made.secret.reveal() == "eops_a_" + "A" * 43
    assert made.record.id == made.record.digest[:12]


def test_a_revoked_token_opens_nothing() -> None:
    made = new_token("ci", Role.VIEWER, bytes(range(32)), now=0)
    revoked = replace(made.record, revoked_at=500)
    assert matching_token(made.secret.reveal(), [made.record], 1_000) == made.record
    assert matching_token(made.secret.reveal(), [revoked], 1_000) is None


def test_a_token_opens_nothing_from_its_end_on() -> None:
    made = new_token("ci", Role.VIEWER, bytes(range(32)), now=100, expires_at=500)
    assert matching_token(made.secret.reveal(), [made.record], 499) == made.record
    assert matching_token(made.secret.reveal(), [made.record], 500) is None


@pytest.mark.parametrize("end", [-1, 1, 100, 10**15])
def test_an_end_lies_ahead_and_within_ten_years(end: int) -> None:
    with pytest.raises(AccessError, match="expire"):
        new_token("ci", Role.VIEWER, bytes(32), now=100, expires_at=end)


@pytest.mark.parametrize(
    "text", ["", "eops_a_", "eops_x_" + "A" * 43, "eops_a_" + "A" * 43 + "\n", "eops_a_" + "あ" * 43]
)
def test_other_texts_are_not_tokens(text: str) -> None:
    assert not well_formed(text)
    assert matching_token(text, [new_token("n", Role.ADMIN, bytes(32), 0).record], 1_000) is None


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x1b[31m"])
def test_names_are_checked(name: str) -> None:
    with pytest.raises(AccessError):
        new_token(name, Role.ADMIN, bytes(32), 0)


def test_too_little_randomness_is_refused() -> None:
    with pytest.raises(AccessError, match="32 random bytes"):
        new_token("n", Role.ADMIN, bytes(31), 0)


def test_roles_are_named_in_the_refusal() -> None:
    assert parse_role(" Viewer ") is Role.VIEWER
    with pytest.raises(AccessError, match="ingest, viewer, responder, admin"):
        parse_role("root")


def test_who_may_do_what() -> None:
    granted = {role: {capability for capability in Capability if permits(role, capability)} for role in Role}
    assert granted == {
        Role.INGEST: {Capability.INGEST},
        Role.VIEWER: {Capability.READ},
        Role.RESPONDER: {Capability.READ, Capability.RESPOND},
        Role.ADMIN: set(Capability),
    }


def test_without_a_role_nothing_is_allowed() -> None:
    assert not any(permits(None, capability) for capability in Capability)
