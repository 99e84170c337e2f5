"""ID tokens that prove nothing, and providers that answer what they should not."""

import base64
import hmac
import json
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from eldonia_ops.model.access import Role
from eldonia_ops.model.secret import Secret
from eldonia_ops.services.access.oidc import OidcClient, OidcError, SignOnAttempt
from eldonia_ops.services.api.people import Outsider
from eldonia_ops.settings import OidcSettings

ISSUER = "https://id.example"
SETTINGS = OidcSettings(issuer=ISSUER, client_id="ops", client_secret=Secret("s3cret"), default_role="viewer")
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "one"})
CURVE = ECKey.generate_key("P-256", {"kid": "two"})
NOW = 1_800_000_000
ATTEMPT = SignOnAttempt("state", "nonce", "verifier" * 6)
GOOD: dict[str, Any] = {
    "iss": ISSUER, "aud": "ops", "sub": "42", "exp": NOW + 300, "iat": NOW, "nonce": "nonce",
    "preferred_username": "hana", "name": "Hana", "email": "hana@shop.example", "email_verified": True,
}  # fmt: skip
METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/auth",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
    "userinfo_endpoint": f"{ISSUER}/me",
}


class World:
    """A provider that answers what a test puts here; ``asked`` are the paths in order."""

    def __init__(self) -> None:
        self.at = NOW * 1000
        self.metadata: Any = METADATA
        self.keys: Any = {"keys": [KEY.as_dict(private=False), CURVE.as_dict(private=False)]}
        self.token: Any = signed(GOOD)
        self.user_info: Any = {"sub": "42"}
        self.status = 200
        self.asked: list[str] = []
        self.forms: list[str] = []
        self.client = OidcClient(lambda: self.at)
        self.client._http = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked.append(path)
        if path == "/token":
            self.forms.append(request.content.decode())
            return httpx.Response(self.status, json={"id_token": self.token, "access_token": "at"})
        found = {"/keys": self.keys, "/me": self.user_info}.get(path, self.metadata)
        return httpx.Response(200, content=found) if isinstance(found, bytes) else httpx.Response(200, json=found)

    async def person(self, settings: OidcSettings = SETTINGS, issuer: str | None = None) -> Outsider:
        return await self.client.person(settings, "https://ops.example/sign-in/oidc/callback", "code", ATTEMPT, issuer)


def signed(claims: dict[str, Any], key: Any = KEY, alg: str = "RS256", **header: Any) -> str:
    return jwt.encode({"alg": alg, "kid": key.as_dict().get("kid"), **header}, claims, key, algorithms=[alg])


@pytest.fixture
def world() -> World:
    return World()


async def test_a_good_token_says_who_somebody_is(world: World) -> None:
    found = await world.person()
    assert found == Outsider(ISSUER, "42", "hana", "Hana", "hana@shop.example", None, Role.VIEWER)
    assert "code_verifier=" + ATTEMPT.verifier in world.forms[0]
    assert "s3cret" not in world.forms[0], "the secret goes by Basic, unless the provider takes it in the form alone"
    world.token = signed(GOOD, CURVE, "ES256")
    assert (await world.person()).subject == "42"


def forged(claims: dict[str, Any], alg: str, secret: bytes | None = None) -> str:
    """A token that the library would not make: without a signature, or with one by a shared secret."""
    parts = ({"alg": alg, "kid": "one"}, claims)
    body = ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in parts)
    signature = b"" if secret is None else hmac.digest(secret, body.encode(), "sha256")
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


TOKENS: dict[str, Any] = {
    "no signature": forged(GOOD, "none"),
    "the public key as a shared secret": forged(GOOD, "HS256", KEY.as_pem(private=False)),
    "the client's secret": forged(GOOD, "HS256", b"s3cret"),
    "another key with the same name": signed(GOOD, OTHER),
    "changed after it was signed": signed(GOOD)[:-8] + "AAAAAAAA",
    "another issuer": signed(GOOD | {"iss": "https://evil.example"}),
    "the issuer with a slash": signed(GOOD | {"iss": ISSUER + "/"}),
    "another client": signed(GOOD | {"aud": "shop"}),
    "others beside us, given to one of them": signed(GOOD | {"aud": ["ops", "shop"], "azp": "shop"}),
    "others beside us, given to none": signed(GOOD | {"aud": ["ops", "shop"]}),
    "expired": signed(GOOD | {"exp": NOW - 61}),
    "from the future": signed(GOOD | {"iat": NOW + 61}),
    "not yet good": signed(GOOD | {"nbf": NOW + 61}),
    "old": signed(GOOD | {"iat": NOW - 3_600}),
    "no end": signed({key: value for key, value in GOOD.items() if key != "exp"}),
    "an end that is no number": signed(GOOD | {"exp": "later"}),
    "another sign-in": signed(GOOD | {"nonce": "other"}),
    "no nonce": signed({key: value for key, value in GOOD.items() if key != "nonce"}),
    "about nobody": signed(GOOD | {"sub": ""}),
    "a subject that is no text": signed(GOOD | {"sub": 42}),
    "a subject without end": signed(GOOD | {"sub": "4" * 300}),
    "no token": None,
    "no text": {"a": 1},
    "no JWT": "abc",
    "too long": "a" * 100_000,
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
async def test_what_proves_nothing_lets_no_person_in(world: World, token: Any) -> None:
    world.token = token
    with pytest.raises(OidcError) as caught:
        await world.person()
    assert caught.value.reason == "invalid"
    for secret in ("s3cret", "eyJ", "hana@shop.example"):
        assert secret not in str(caught.value)


@pytest.mark.parametrize("seconds", [-60, 60])
async def test_clocks_may_differ_by_a_minute(world: World, seconds: int) -> None:
    world.token = signed(GOOD | {"iat": NOW + seconds, "exp": NOW + seconds + 1})
    assert (await world.person()).subject == "42"


async def test_keys_are_read_again_when_they_change_but_not_with_every_bad_token(world: World) -> None:
    await world.person()
    world.keys = {"keys": [OTHER.as_dict(private=False) | {"kid": "new"}]}
    world.token = signed(GOOD, OTHER, kid="new")
    with pytest.raises(OidcError):
        await world.person()  # too soon after they were read
    world.at += 10_000
    assert (await world.person()).subject == "42"
    before = world.asked.count("/keys")
    world.token = signed(GOOD, KEY, kid="none of these")
    for _ in range(20):
        with pytest.raises(OidcError):
            await world.person()
    assert world.asked.count("/keys") == before


async def test_the_answer_must_come_from_the_provider_that_was_asked(world: World) -> None:
    assert (await world.person(issuer=ISSUER)).subject == "42"
    with pytest.raises(OidcError, match="another provider"):
        await world.person(issuer="https://evil.example")
    world.client._known.clear()
    world.metadata = METADATA | {"authorization_response_iss_parameter_supported": True}
    with pytest.raises(OidcError, match="another provider"):
        await world.person()


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://id.example/other"}, {}, [], b"<html>", b"{" * 5_000, b"[" * 500_000, b"x" * 2_000_000,
        METADATA | {"token_endpoint": "http://id.example/token"}, METADATA | {"jwks_uri": 5},
        METADATA | {"authorization_endpoint": "javascript:alert(1)", "token_endpoint": "file:///etc/passwd"},
    ],
)  # fmt: skip
async def test_a_strange_provider_is_named_and_breaks_nothing(world: World, metadata: Any) -> None:
    world.metadata = metadata
    with pytest.raises(OidcError):
        await world.person()


@pytest.mark.parametrize("keys", [{}, {"keys": 5}, {"keys": [{}, 7]}, {"keys": [{"kty": "RSA", "n": "x"}]}, []])
async def test_strange_keys_let_no_person_in(world: World, keys: Any) -> None:
    world.keys = keys
    with pytest.raises(OidcError):
        await world.person()


async def test_what_the_token_lacks_is_asked_for_and_has_to_be_about_the_same_person(world: World) -> None:
    settings = OidcSettings(
        issuer=ISSUER, client_id="ops", role_claim="realm_access.roles", roles={"a": Role.RESPONDER, "b": Role.ADMIN}
    )
    world.user_info = {"sub": "42", "realm_access": {"roles": ["a", "b", 7, None]}}
    found = await world.person(settings)
    assert found.role is Role.ADMIN
    assert "client_id=ops" in world.forms[-1], "a public client has no secret"
    world.user_info = {"sub": "43", "realm_access": {"roles": ["b"]}}
    with pytest.raises(OidcError, match="somebody else"):
        await world.person(settings)
    world.user_info = {"sub": "42", "realm_access": {"roles": ["c"]}}
    with pytest.raises(OidcError) as caught:
        await world.person(settings)
    assert caught.value.reason == "not_allowed"
    world.token = signed(GOOD | {"realm_access": {"roles": "a"}})
    assert (await world.person(settings)).role is Role.RESPONDER


async def test_a_provider_that_fails_is_unreachable_and_one_that_refuses_is_not(world: World) -> None:
    world.status = 500
    with pytest.raises(OidcError, match="answers with 500") as caught:
        await world.person()
    assert caught.value.reason == "unreachable"
    world.status = 400
    with pytest.raises(OidcError) as caught:
        await world.person()
    assert caught.value.reason == "invalid"


async def test_the_address_asks_for_a_code_with_pkce(world: World) -> None:
    address = httpx.URL(await world.client.address(SETTINGS, "https://ops.example/cb", ATTEMPT))
    assert address.params["response_type"] == "code"
    assert address.params["code_challenge_method"] == "S256"
    assert address.params["scope"] == "openid profile email"
    assert ATTEMPT.verifier not in str(address)
    first, second = SignOnAttempt.new(), SignOnAttempt.new()
    assert len({first.state, first.nonce, first.verifier, second.state, second.nonce, second.verifier}) == 6
    assert len(first.verifier) >= 43
