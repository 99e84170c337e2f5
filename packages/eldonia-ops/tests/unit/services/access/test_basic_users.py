"""Names and passwords of a web configuration."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import bcrypt
import pytest

from eldonia_ops.model.secret import Secret
from eldonia_ops.services.access import basic_users
from eldonia_ops.services.access.basic_users import BasicUsers

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


async def test_a_name_that_does_not_exist_takes_as_long_as_the_slowest(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    monkeypatch.setattr(basic_users, "_matches", lambda given, stored: compared.append(stored))
    known = BasicUsers({"a": Secret("$2b$04$" + "x" * 53), "b": Secret("$2y$13$" + "x" * 53)})
    assert await known.authenticate("nobody:x") is None
    assert compared[0].startswith(b"$2b$13$")


async def test_passwords_are_compared_on_a_thread_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    release = threading.Event()
    monkeypatch.setattr(basic_users, "_matches", lambda given, stored: not release.wait())
    known = users()
    guesses = [asyncio.create_task(known.authenticate(f"hana:{number}")) for number in range(5)]
    await asyncio.sleep(0.01)
    async with asyncio.timeout(5):
        await asyncio.to_thread(int)
    release.set()
    assert await asyncio.gather(*guesses) == [None] * 5
