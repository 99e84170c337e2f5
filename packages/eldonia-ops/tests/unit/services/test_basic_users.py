"""Names and passwords of a web configuration."""

import bcrypt
import pytest

from eldonia_ops.model.secret import Secret
from eldonia_ops.services.basic_users import BasicUsers

LONG = "p" * 100


def users() -> BasicUsers:
    return BasicUsers(
        {
            "hana": Secret(bcrypt.hashpw(b"a:b", bcrypt.gensalt(4)).decode()),
            "ken": Secret(bcrypt.hashpw(LONG.encode()[:72], bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$")),
        }
    )


async def test_the_right_password_lets_in_again_and_again() -> None:
    known = users()
    for _ in range(3):
        found = await known.authenticate("hana:a:b")
        assert found is not None
        assert found.name == "hana"
    assert await known.authenticate("hana:a") is None


@pytest.mark.parametrize("given", ["hana:", "hana", "", ":a:b", "nobody:a:b", "hana:a:b\0", "ken:\ud800", "HANA:a:b"])
async def test_others_are_no_user(given: str) -> None:
    assert await users().authenticate(given) is None


async def test_what_htpasswd_writes_and_long_passwords_are_taken() -> None:
    assert await users().authenticate(f"ken:{LONG}") is not None
    assert await users().authenticate(f"ken:{'p' * 71}") is None
