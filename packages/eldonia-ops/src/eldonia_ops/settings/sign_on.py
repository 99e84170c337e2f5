"""How people sign in: how long a session lasts, a provider of OpenID Connect, a proxy that says who somebody is.

None of it is needed: accounts with passwords, and tokens, work without.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from eldonia_ops.model.access import Role
from eldonia_ops.model.places import is_loopback
from eldonia_ops.model.secret import Secret
from eldonia_ops.settings.containers import Section, TextMap, Texts
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import Choice, Flag, Period
from eldonia_ops.settings.reader import SettingsReader
from eldonia_ops.settings.texts import SecretText, Text, Url
from eldonia_ops.settings.units import DAY, MINUTE

FIRST_ROLES: Final = ("none", "viewer", "responder", "admin")
_NO_SECRET: Final = Secret("")
_ROLES: Final = FIRST_ROLES[1:]


@dataclass(frozen=True, slots=True)
class Networks(Texts):
    """IP networks, or single addresses."""

    what: str = "list of networks such as `10.0.0.0/8`"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The networks; what is none is a fault, and the others count."""
        found: list[str] = []
        for text in reader.strings(key, default, required=required):
            try:
                found.append(str(ipaddress.ip_network(text.strip(), strict=False)))
            except ValueError:
                reader.fault(key, f"{text[:60]!r} is no network", "write 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class RolesByGroup(TextMap):
    """A role of people for each of some groups."""

    what: str = "mapping from group to `viewer`, `responder` or `admin`"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The roles by group."""
        found: dict[str, Role] = {}
        for group, role in reader.string_map(key, required=required).items():
            if role in _ROLES:
                found[group] = Role(role)
            else:
                reader.fault(key, f"{role[:40]!r} is no role of people", f"write one of {', '.join(_ROLES)}")
        return found

    def schema(self) -> dict[str, Any]:
        """A mapping to the roles."""
        one = {"type": "object", "additionalProperties": {"enum": list(_ROLES)}}
        return {"anyOf": [one, {"type": "null"}]}

    def plain(self, value: Any, clean: Any) -> Any:
        """The mapping."""
        return {group: str(role) for group, role in value.items()}


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """How long a browser stays signed in."""

    lifetime: Annotated[int, Setting(Period(minimum=MINUTE), "After the sign-in, whatever happens.")] = 14 * DAY
    idle: Annotated[
        int, Setting(Period(minimum=5 * MINUTE, at_most="lifetime"), "After the last request. Open pages keep asking.")
    ] = 3 * DAY


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """A provider of OpenID Connect. Without ``issuer`` there is none."""

    issuer: Annotated[
        str,
        Setting(
            Url(),
            "Its address, exactly as it names itself; what else is needed is read below it, at "
            "`/.well-known/openid-configuration`. It sends people back to `external_url` with "
            "`/sign-in/oidc/callback` behind it: register that address.",
            required=False,
        ),
    ] = ""
    client_id: Annotated[str, Setting(Text(), "What we are called there.", required=False)] = ""
    client_secret: Annotated[Secret, Setting(SecretText(), "Empty for a public client.", required=False)] = _NO_SECRET
    scopes: Annotated[
        tuple[str, ...], Setting(Texts(), "What is asked for. Many providers want another one for groups.")
    ] = ("openid", "profile", "email")
    name_claim: Annotated[
        str, Setting(Text(), "Where the name for a new account is; without it the mail address is taken.")
    ] = "preferred_username"
    role_claim: Annotated[
        str,
        Setting(
            Text(),
            "Where the groups are, such as `groups` or `realm_access.roles`. Empty: roles are given under People.",
        ),
    ] = ""
    roles: Annotated[
        Mapping[str, Role],
        Setting(RolesByGroup(), "The role of each group. Who is in several has the greatest. Applied at each sign-in."),
    ] = field(default_factory=dict)
    default_role: Annotated[
        str, Setting(Choice(FIRST_ROLES), "For who is in none of these groups; `none` does not let them in.")
    ] = "none"
    allowed_domains: Annotated[
        tuple[str, ...],
        Setting(Texts(), "Domains of mail addresses that may come in, as verified by the provider. Empty: all."),
    ] = ()
    button: Annotated[str, Setting(Text(), "The text of the button. Empty: `Sign in with` and the issuer's host.")] = ""
    end_session: Annotated[
        bool,
        Setting(
            Flag(),
            "Whether signing out here signs out at the provider, where it offers that. It sends people back to "
            "`external_url` with `/sign-in` behind it: register that address too.",
        ),
    ] = True


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """A proxy in front that knows who somebody is. Without ``header`` there is none."""

    header: Annotated[
        str,
        Setting(
            Text(),
            "The header with the name of the account, such as `X-Forwarded-User`. The proxy must replace what "
            "a client sends in it.",
            required=False,
        ),
    ] = ""
    name_header: Annotated[str, Setting(Text(), "The header with the display name.")] = ""
    mail_header: Annotated[str, Setting(Text(), "The header with the mail address.")] = ""
    groups_header: Annotated[
        str, Setting(Text(), "The header with the groups, separated by commas. Empty: roles are given under People.")
    ] = ""
    roles: Annotated[
        Mapping[str, Role], Setting(RolesByGroup(), "The role of each group. Who is in several has the greatest.")
    ] = field(default_factory=dict)
    default_role: Annotated[
        str, Setting(Choice(FIRST_ROLES), "For who is in none of these groups; `none` does not let them in.")
    ] = "none"
    trusted: Annotated[
        tuple[str, ...],
        Setting(Networks(), "Where the proxy connects from. The headers count from there alone.", required=False),
    ] = ()


@dataclass(frozen=True, slots=True)
class SignOnSettings:
    """How people sign in."""

    sessions: Annotated[SessionSettings, Setting(Section(SessionSettings), "Sessions of browsers.")] = SessionSettings()
    oidc: Annotated[OidcSettings, Setting(Section(OidcSettings), "A provider of OpenID Connect.")] = field(
        default_factory=OidcSettings
    )
    proxy: Annotated[ProxySettings, Setting(Section(ProxySettings), "A proxy that says who somebody is.")] = field(
        default_factory=ProxySettings
    )


def check_sign_on(reader: SettingsReader, found: SignOnSettings) -> None:
    """Say what is missing for a way of signing in that was begun."""
    external_url = reader.around.read.get("external_url", "")
    oidc, proxy = found.oidc, found.proxy
    if oidc.issuer:
        if not oidc.client_id:
            reader.fault("oidc", "sign_on.oidc.client_id is missing: the provider gives it")
        if not external_url:
            hint = "write external_url: https://ops.example.com"
            reader.fault("oidc", "sign_on.oidc needs external_url: the provider sends people back there", hint)
        if oidc.issuer.startswith("http://") and not _is_local(oidc.issuer):
            reader.fault("oidc", "sign_on.oidc.issuer is asked over http: everybody in between could sign in as admin")
        if "openid" not in oidc.scopes:
            reader.fault("oidc", "sign_on.oidc.scopes lacks openid")
        if oidc.roles and not oidc.role_claim:
            reader.fault("oidc", "sign_on.oidc.roles needs role_claim, which says where the groups are")
        if not oidc.role_claim and oidc.default_role == "none":
            hint = "write role_claim and roles, or default_role: viewer"
            reader.fault("oidc", "sign_on.oidc lets no new person in", hint)
    elif oidc != OidcSettings():
        reader.fault("oidc", "sign_on.oidc.issuer is missing")
    if proxy.header:
        if not proxy.trusted:
            hint = "write trusted: [127.0.0.1]"
            reader.fault("proxy", "sign_on.proxy.trusted is missing: from where does the proxy connect?", hint)
        if proxy.roles and not proxy.groups_header:
            reader.fault("proxy", "sign_on.proxy.roles needs groups_header")
        if "0.0.0.0/0" in proxy.trusted or "::/0" in proxy.trusted:
            reader.fault("proxy", "sign_on.proxy.trusted is every address: everybody could sign in as admin")
    elif proxy != ProxySettings():
        reader.fault("proxy", "sign_on.proxy.header is missing")


def _is_local(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")
