"""What routes demand of their callers, and how a request says who makes it.

Every route declares one demand (see :mod:`eldonia_ops.web.gate`); what declares none cannot be
built into the application.
"""

import base64
from enum import StrEnum

from eldonia_ops.access import Capability, permits
from eldonia_ops.model.access import Role


class Permission(StrEnum):
    """What a route asks of its caller: a capability, or less than one."""

    PUBLIC = "public"
    """Nothing: health, static files and the way in."""
    SIGNED_IN = "signed_in"
    """Any valid token: asking who one is, signing out."""
    INGEST = Capability.INGEST.value
    READ = Capability.READ.value
    RESPOND = Capability.RESPOND.value
    ADMINISTER = Capability.ADMINISTER.value


def allows(role: Role | None, demand: Permission) -> bool:
    """Whether a role satisfies a demand; with no role one may only ask who one is."""
    return demand in (Permission.PUBLIC, Permission.SIGNED_IN) or permits(role, Capability(demand.value))


def able_roles(demand: Permission) -> list[Role]:
    """The roles that satisfy a demand, in the order of :class:`Role`; for messages."""
    return [role for role in Role if allows(role, demand)]


def name_and_password(header: str) -> str | None:
    """``name:password`` of a Basic ``Authorization`` header; None when the header is something else or malformed."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except ValueError:
        return None
    return decoded if ":" in decoded else None


def secret_from_authorization(header: str) -> str | None:
    """The secret in an ``Authorization`` header: the Bearer token, the password of Basic, or the key of ApiKey.

    The user name of Basic is ignored, so that clients that can only send a name and a password
    (Prometheus, Grafana, Elasticsearch outputs) put the token in the password. None when the
    header is something else or malformed.
    """
    scheme, _, value = header.partition(" ")
    value = value.strip()
    match scheme.lower():
        case "bearer":
            return value or None
        case "basic":
            return _behind_colon(value)
        case "apikey":
            # As Elasticsearch's clients send it: the key as it is, or an id and the key in base64.
            return _behind_colon(value) or value or None
        case _:
            return None


def _behind_colon(value: str) -> str | None:
    """The second of two words with a colon between them, in base64; None for anything else."""
    try:
        decoded = base64.b64decode(value, validate=True).decode("utf-8")
    except ValueError:  # no base64, bytes that are no UTF-8, or letters that are no ASCII
        return None
    return decoded.partition(":")[2] or None
