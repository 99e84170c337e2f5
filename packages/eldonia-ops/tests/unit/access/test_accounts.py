"""Names, passwords and roles of people."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.access import AccessError, Capability, permits
from eldonia_ops.access.accounts import (
    PasswordError,
    PasswordFault,
    account_name,
    check_password,
    display_name,
    free_name,
    known_name,
    leaves_no_admin,
    mail_address,
    name_from,
    name_of_another,
    new_link,
    normal_password,
    preferences,
    well_formed_link,
    within,
)
from eldonia_ops.model.access import Account, LinkPurpose, Role

ROLES = st.sampled_from(list(Role))


@given(role=ROLES, limit=ROLES)
def test_a_token_never_does_more_than_its_own_role_or_its_owners(role: Role, limit: Role) -> None:
    found = within(role, limit)
    for capability in Capability:
        if permits(found, capability):
            assert permits(role, capability)
            assert permits(limit, capability)
    assert within(role, role) is role
    assert within(role, Role.ADMIN) is role


@given(st.text(max_size=80))
def test_a_name_has_one_spelling_and_few_letters(text: str) -> None:
    name = known_name(text)
    if name:
        assert account_name(name) == name
        assert name.isascii()
        assert name == name.lower()
        assert known_name(f" {name.upper()} ") == name


@pytest.mark.parametrize("text", ["", " ", "-a", "a b", "a/b", "花子", "а", "a" * 65, "a\n", "a\0", "<a>"])
def test_what_could_be_taken_for_another_name_is_none(text: str) -> None:
    if text.strip() == "a":
        assert account_name(text) == "a"
        return
    with pytest.raises(AccessError):
        account_name(text)


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_provider_may_call_people_what_it_likes(first: str, second: str) -> None:
    assert account_name(name_from(first, second))


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert free_name("hana", []) == "hana"
    assert free_name("hana", ["hana", "hana-2"]) == "hana-3"
    assert account_name(free_name("a" * 64, ["a" * 64]))
    assert name_from("Hana.Sato@Shop.example") == "hana.sato@shop.example"
    assert name_from("花子", "hana") == "hana"
    assert name_from("Zoë O'Neil") == "zoe-o-neil"
    assert name_from("花子", "") == "person"


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("short", PasswordFault.SHORT),
        ("x" * 201, PasswordFault.LONG),
        ("HANA is my name", PasswordFault.HAS_NAME),
        ("abababababab", PasswordFault.SIMPLE),
        ("correct horse", None),
        ("正しい馬の電池と大きなホチキス", None),
    ],
)
def test_passwords_that_are_guessed_first(password: str, fault: PasswordFault | None) -> None:
    if fault is None:
        check_password(password, "hana")
        return
    with pytest.raises(PasswordError) as caught:
        check_password(password, "hana")
    assert caught.value.fault is fault
    assert password not in str(caught.value)


def test_one_password_from_several_keyboards() -> None:
    assert normal_password("ｐａｓｓ") == normal_password("pass")
    assert normal_password("が") == normal_password("が")


def account(name: str, role: Role = Role.ADMIN, **fields: object) -> Account:
    return replace(Account(f"id-{name}", name, role, 0, password="x"), **fields)  # type: ignore[arg-type]


def test_the_last_admin_stays() -> None:
    hana, ken = account("hana"), account("ken", Role.VIEWER)
    for change in ({"disabled": True}, {"role": Role.RESPONDER}):
        assert leaves_no_admin([hana, ken], replace(hana, **change))  # type: ignore[arg-type]
        assert not leaves_no_admin([hana, account("mio")], replace(hana, **change))  # type: ignore[arg-type]
    # Those who cannot sign in are no admins that one could rely on.
    for mio in (account("mio", disabled=True), account("mio", password="")):
        assert leaves_no_admin([hana, mio], replace(hana, disabled=True))
    assert not leaves_no_admin([ken], replace(ken, disabled=True)), "where there is none, none is lost"
    assert not leaves_no_admin([hana], replace(hana, display_name="H"))


@pytest.mark.parametrize("shown", ["ken", "Ken", "Ｋｅｎ", " k e n", "Ken Abe"])
def test_no_one_can_look_like_somebody_else(shown: str) -> None:
    others = [account("ken", display_name="Ken Abe"), account("hana")]
    assert name_of_another(others, account("hana", display_name=shown)) == "ken"
    assert name_of_another(others, account("hana", display_name="Hana")) == ""


@pytest.mark.parametrize("text", ["a\nb", "x" * 101, "\u202eabc", "a\0"])
def test_display_names_are_printable(text: str) -> None:
    with pytest.raises(AccessError):
        display_name(text)


@pytest.mark.parametrize("text", ["x", "a@", "@b", "a b@c", "a@b@c", "a@b\n"])
def test_mail_addresses(text: str) -> None:
    if text == "a@b\n":
        assert mail_address(text) == "a@b"
        return
    with pytest.raises(AccessError):
        mail_address(text)


@pytest.mark.parametrize(
    ("zone", "language", "theme"),
    [("Mars/Olympus", "", ""), ("../../etc/passwd", "", ""), ("/etc/localtime", "", ""), ("", "fr", ""), ("", "", "x")],
)
def test_preferences_that_cannot_be(zone: str, language: str, theme: str) -> None:
    with pytest.raises(AccessError):
        preferences(zone, language, theme)
    assert preferences("Asia/Tokyo", "ja", "dark").time_zone == "Asia/Tokyo"


@given(st.binary(min_size=32, max_size=40))
def test_a_link_stores_no_secret(random: bytes) -> None:
    link, secret = new_link("id", LinkPurpose.INVITE, random, 10, 5, "by")
    assert well_formed_link(secret.reveal())
    assert secret.reveal() not in repr(link)
    assert link.expires_at == 15
    with pytest.raises(AccessError):
        new_link("id", LinkPurpose.INVITE, random[:31], 10, 5, "by")
