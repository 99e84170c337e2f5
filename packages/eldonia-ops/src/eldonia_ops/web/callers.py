"""Who makes a request: the one notion of the acting person that routes have."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from eldonia_ops.model.access import Account, Preferences, Principal, Role, Session, SignInMethod, Token

CALLER: Final = "eldonia_ops.caller"
"""The key in the ASGI scope under which the gate notes the caller of a request."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request, and how they showed it.

    ``session`` is set when a cookie said so. ``csrf`` must accompany what a browser changes; it is '' for programs,
    which send a token.
    """

    principal: Principal
    method: SignInMethod = SignInMethod.TOKEN
    session: Session | None = None
    csrf: str = ""

    @property
    def id(self) -> str:
        """A stable id for records: ``account:<id>``, or ``token:<id>`` for a program. The same person has the same one
        however they signed in; names may change."""
        return self.principal.id

    @property
    def name(self) -> str:
        """The name under which acts are shown: the display name of a person, else the name of a token."""
        return self.principal.name

    @property
    def account(self) -> Account | None:
        """The account, if a person is known; None for tokens that belong to none."""
        return self.principal.account

    @property
    def token(self) -> Token | None:
        """The token, if one was shown, in the request or when the session was opened."""
        return self.principal.token

    @property
    def role(self) -> Role | None:
        """What they may do; None for nothing."""
        return self.principal.role

    @property
    def is_person(self) -> bool:
        """Whether a person acts through a browser, and no program by a token: some things only people may do."""
        return self.account is not None and self.token is None


def preferences_of(request: Request) -> Preferences:
    """How the caller wants the pages; what they have not said, or who has no account, is as the browser has it."""
    caller = known_caller(request)
    return Preferences() if caller is None or caller.account is None else caller.account.preferences


def caller_of(request: Request) -> Caller:
    """Who makes this request; only for routes that are not public."""
    return request.scope[CALLER]


def known_caller(request: Request) -> Caller | None:
    """Who makes this request, None where that was not asked: on public routes, and before the gate has decided."""
    return request.scope.get(CALLER)
